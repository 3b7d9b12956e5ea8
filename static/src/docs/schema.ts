import type { Schema } from './documents'

type Schemas = Record<string, Schema>

const nameOf = (schema: Schema) => schema.$ref?.replace('#/components/schemas/', '')

/** The schema itself, where a reference stands for it. */
export function resolved(schema: Schema, schemas: Schemas): Schema {
  const name = nameOf(schema)
  return name ? (schemas[name] ?? {}) : schema
}

/** How a type is written in one word: "string", "Message", "Message[]". */
export function typeOf(schema: Schema): string {
  const name = nameOf(schema)
  if (name) return name
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => `'${value}'`).join(' | ')
  if (schema.oneOf) return schema.oneOf.map(typeOf).join(' | ')
  if (schema.type === 'array') return `${typeOf(schema.items ?? {})}[]`
  if (schema.additionalProperties) return `Record<string, ${typeOf(schema.additionalProperties)}>`
  return schema.format ?? schema.type ?? 'any'
}

/** How long, how many, how much, or like what. */
export interface Bounds {
  of: 'characters' | 'items' | 'value' | 'pattern'
  /** "1–100", "≤ 500", "≥ 0", or a regular expression. */
  range: string
}

/** What limits a value, if something does. */
export function boundsOf(schema: Schema): Bounds | undefined {
  if (schema.oneOf) return schema.oneOf.map(boundsOf).find(Boolean)
  if (schema.pattern) return { of: 'pattern', range: schema.pattern }
  const range = (least?: number, most?: number) => {
    if (least !== undefined && most !== undefined) return `${least}–${most}`
    if (most !== undefined) return `≤ ${most}`
    return least === undefined ? undefined : `≥ ${least}`
  }
  for (const [of, found] of [
    ['characters', range(schema.minLength, schema.maxLength)],
    ['items', range(schema.minItems, schema.maxItems)],
    ['value', range(schema.minimum, schema.maximum)],
  ] as const) {
    if (found) return { of, range: found }
  }
  return undefined
}

export interface Field {
  name: string
  type: string
  bounds?: Bounds
  required: boolean
  description: string
}

/** The fields of an object, as rows of a table. */
export function fieldsOf(schema: Schema | undefined, schemas: Schemas): Field[] {
  const object = resolved(schema ?? {}, schemas)
  return Object.entries(object.properties ?? {}).map(([name, field]) => {
    const values = resolved(field, schemas).enum
    return {
      name,
      type: values ? typeOf({ enum: values }) : typeOf(field),
      bounds: boundsOf(field),
      required: object.required?.includes(name) ?? false,
      description: field.description ?? '',
    }
  })
}

const deepest = 4

/** An input to start from: what is required – all of it where nothing is – with values of the right kind. */
export function exampleOf(schema: Schema, schemas: Schemas, depth = 0): unknown {
  const s = resolved(schema, schemas)
  if (s.const !== undefined) return s.const
  if (s.enum) return s.enum[0]
  if (s.oneOf) return exampleOf(s.oneOf[0] ?? {}, schemas, depth)
  switch (s.type) {
    case 'object': {
      if (depth >= deepest) return {}
      const all = Object.entries(s.properties ?? {})
      const required = all.filter(([name]) => s.required?.includes(name))
      const shown = required.length > 0 || depth > 0 ? required : all
      return Object.fromEntries(shown.map(([name, field]) => [name, exampleOf(field, schemas, depth + 1)]))
    }
    case 'array':
      return s.minItems ? [exampleOf(s.items ?? {}, schemas, depth + 1)] : []
    case 'integer':
    case 'number':
      return s.minimum ?? 0
    case 'boolean':
      return false
    case 'string':
      return s.format === 'date-time' ? new Date().toISOString() : ''
  }
  return null
}
