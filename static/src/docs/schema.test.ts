import { expect, test } from 'vitest'
import { boundsOf, exampleOf, fieldsOf, typeOf } from './schema'

const schemas = {
  Kind: { type: 'string', enum: ['text', 'image'] },
  Message: {
    type: 'object',
    properties: {
      id: { type: 'string', description: 'Its name.' },
      kind: { $ref: '#/components/schemas/Kind' },
      replies: { type: 'array', items: { $ref: '#/components/schemas/Message' } },
      parent: { $ref: '#/components/schemas/Message' },
      note: { type: 'string' },
    },
    required: ['id', 'kind', 'replies', 'parent'],
  },
}
const message = { $ref: '#/components/schemas/Message' }

test('writes types in a word', () => {
  expect(typeOf(message)).toBe('Message')
  expect(typeOf({ type: 'array', items: message })).toBe('Message[]')
  expect(typeOf({ oneOf: [{ type: 'string' }, { type: 'null' }] })).toBe('string | null')
  expect(typeOf({ type: 'string', format: 'date-time' })).toBe('date-time')
})

test('lists the fields of what is referred to', () => {
  expect(fieldsOf(message, schemas)[0]).toEqual({ name: 'id', type: 'string', required: true, description: 'Its name.' })
  expect(fieldsOf(message, schemas)[1]?.type).toBe("'text' | 'image'")
  expect(fieldsOf(message, schemas)[4]?.required).toBe(false)
})

test('an example has what is required, and ends though the type goes round', () => {
  const example = exampleOf(message, schemas) as { kind: string; note?: string }
  expect(example.kind).toBe('text')
  expect(example.note).toBeUndefined()
  expect(JSON.stringify(example).length).toBeLessThan(500)
})

test('says what limits a value', () => {
  expect(boundsOf({ type: 'string', minLength: 1, maxLength: 100 })).toEqual({ of: 'characters', range: '1–100' })
  expect(boundsOf({ type: 'array', maxItems: 20 })).toEqual({ of: 'items', range: '≤ 20' })
  expect(boundsOf({ oneOf: [{ type: 'integer', minimum: 0 }, { type: 'null' }] })).toEqual({ of: 'value', range: '≥ 0' })
  expect(boundsOf({ type: 'string', pattern: '^#' })).toEqual({ of: 'pattern', range: '^#' })
  expect(boundsOf({ type: 'string' })).toBeUndefined()
})
