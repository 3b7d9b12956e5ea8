// @vitest-environment node
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import SwaggerParser from '@apidevtools/swagger-parser'
import { Parser } from '@asyncapi/parser'
import { expect, test } from 'vitest'

const document = (name: string) => fileURLToPath(new URL(`../../../server/spec/${name}`, import.meta.url))

/** The validators are thorough, and the documents long. */
const patience = 120_000

test('openapi.json is valid OpenAPI 3.1', { timeout: patience }, async () => {
  const api = await SwaggerParser.validate(document('openapi.json'))
  expect('openapi' in api && api.openapi).toMatch(/^3\.1/)
  expect(Object.keys(api.paths ?? {}).length).toBeGreaterThan(40)
})

test('asyncapi.json is valid AsyncAPI 3', { timeout: patience }, async () => {
  const { document: api, diagnostics } = await new Parser().parse(await readFile(document('asyncapi.json'), 'utf8'))
  expect(diagnostics.filter((d) => d.severity <= 1)).toEqual([]) // errors and warnings
  expect(api?.version()).toBe('3.0.0')
  expect(api?.channels().all().map((channel) => channel.address())).toContain('/consultations')
})
