import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Failure } from '@/api/failure'
import { i18n } from '@/i18n'
import { failureText, fieldKey } from './useFailureText'

// Every error of the server has a text in both languages. What the server can
// answer is read from its code and from the contract.

const root = join(import.meta.dirname, '../../..')
const code = ['rooms', 'server'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.go') && !name.endsWith('_test.go'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8')),
)
const found = (pattern: RegExp) => [...new Set(code.flatMap((text) => [...text.matchAll(pattern)].map((m) => m[1] as string)))].sort()

const codes = found(/\bCode\w+ +Code += "(\w+)"/g) as Failure['code'][]
const fieldsInCode = found(/rooms\.(?:Invalid|TooLarge)\((?:at\(|at ?\+ ?|fmt\.Sprintf\()?"([^"]+)"/g)
const namedStatuses = found(/rooms\.Conflict\("(\w+)"/g)
const otherStatuses = found(/(?:offDuty|overlaps|tooMany\w+|password(?:Common|Personal|Simple)) += "(\w+)"/g)

interface Schema { properties?: Record<string, Schema>; $ref?: string; [key: string]: unknown }
const contract = JSON.parse(readFileSync(join(root, 'server/spec/openapi.json'), 'utf8')) as {
  paths: Record<string, Record<string, { parameters?: { name: string }[]; requestBody?: { content: Record<string, { schema?: Schema }> } }>>
  components: { schemas: Record<string, Schema> }
}
/** The names of all inputs of all routes: parameters, and members of bodies in any depth. */
function inputs(): string[] {
  const names = new Set<string>()
  const seen = new Set<unknown>()
  const walk = (value: unknown) => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    const schema = value as Schema
    for (const name of Object.keys(schema.properties ?? {})) names.add(name)
    if (typeof schema.$ref === 'string') walk(contract.components.schemas[schema.$ref.split('/').pop() ?? ''])
    Object.values(schema).forEach(walk)
  }
  for (const route of Object.values(contract.paths).flatMap((path) => Object.values(path))) {
    for (const parameter of route.parameters ?? []) names.add(parameter.name)
    for (const content of Object.values(route.requestBody?.content ?? {})) walk(content.schema)
  }
  return [...names].sort()
}

const english = 'a message of the server, in English'
const failure = (code: Failure['code'], more: Partial<Failure> = {}) => new Failure({ code, message: english, retryable: false, ...more })

describe.each(['zh-CN', 'en'] as const)('in %s', (locale) => {
  const textOf = (f: Failure) => {
    i18n.global.locale.value = locale
    return failureText(i18n.global, f)
  }
  const isNative = (text: string) => text !== english && !/^failure|\{\w+\}/.test(text) && /\p{Script=Han}/u.test(text) === (locale === 'zh-CN')
  const general = new Set(['invalid', 'too_large', 'conflict', 'internal'].map((code) => textOf(failure(code as Failure['code']))))

  test('every code has a text', () => {
    expect(codes).toContain('payment_required')
    const texts = [...codes, 'offline' as const, 'timeout' as const, 'aborted' as const].map((code) => ({ code, text: textOf(failure(code)) }))
    expect(texts.filter(({ text }) => !isNative(text))).toEqual([])
    expect(new Set(texts.map(({ text }) => text)).size).toBe(texts.length)
  })

  test('an invalid or too large field is named', () => {
    const fields = [...new Set([...fieldsInCode.map((field) => field.replace('%d', '0')), ...inputs()])]
    expect(fields.length).toBeGreaterThan(130)
    const wrong = fields.flatMap((field) =>
      (['invalid', 'too_large'] as const).map((code) => ({ field, code, text: textOf(failure(code, { field })) })),
    )
    expect(wrong.filter(({ text }) => general.has(text) || !isNative(text))).toEqual([])
  })

  test('every status that a conflict names has a text', () => {
    const statuses = [...new Set([...namedStatuses, ...otherStatuses])]
    expect(statuses).toEqual(expect.arrayContaining(['no_gateway', 'off_duty', 'overlaps', 'too_many_free', 'password_common', 'taken']))
    const texts = statuses.map((status) => ({ status, text: textOf(failure('conflict', { status })) }))
    expect(texts.filter(({ text }) => general.has(text) || !isNative(text))).toEqual([])
  })

  test('a long wait is stated, and a code that this page does not know is not shown in English', () => {
    expect(textOf(failure('rate_limited', { retryAfterMs: 900_000 }))).toContain(locale === 'en' ? '15 min' : '15 分钟')
    expect(isNative(textOf(failure('from_a_later_version' as Failure['code'])))).toBe(true)
  })
})

test('a field is known by the last name in its path', () => {
  expect(['items[0].dose', 'codes[2]', 'quietHours.from', 'If-Match', undefined].map(fieldKey)).toEqual(['dose', 'codes', 'from', 'IfMatch', ''])
})
