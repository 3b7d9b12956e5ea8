import { askDocument } from '@/api/http'

// OpenAPI and AsyncAPI as the page reads them: what is in them that it shows.

export interface Schema {
  $ref?: string
  type?: string
  format?: string
  description?: string
  enum?: string[]
  const?: unknown
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  oneOf?: Schema[]
  additionalProperties?: Schema
  pattern?: string
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  minimum?: number
  maximum?: number
}

interface Media {
  schema?: Schema
}

interface OpenOperation {
  operationId: string
  tags: string[]
  summary: string
  'x-audience'?: string[]
  parameters?: { name: string; in: 'path' | 'query' | 'header'; description?: string; required?: boolean; schema: Schema }[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { content?: Record<string, Media> }>
}

interface OpenDocument {
  paths: Record<string, Record<string, OpenOperation>>
  components: { schemas: Record<string, Schema> }
}

interface AsyncMessage {
  name: string
  summary: string
  payload: Schema
  'x-durable'?: boolean
}

interface AsyncDocument {
  channels: Record<string, { address: string; messages: Record<string, AsyncMessage> }>
  operations: Record<string, { 'x-audience'?: string[] }>
  components: { schemas: Record<string, Schema> }
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  description: string
  required: boolean
  schema: Schema
}

/** One thing to read about, and perhaps to try. */
export interface Entry {
  id: string
  kind: 'route' | 'command' | 'event'
  /** GET, POST …; emit for a command, on for an event. */
  method: string
  /** A path, or the name of a command or event. */
  name: string
  summary: string
  audience: string[]
  parameters: Parameter[]
  input?: Schema
  output?: Schema
  durable: boolean
  /** Routes and commands whose input is JSON. */
  canTry: boolean
}

export interface Chapter {
  id: string
  title: string
  entries: Entry[]
}

export interface Reference {
  chapters: Chapter[]
  schemas: Record<string, Schema>
}

const json = (content: Record<string, Media> | undefined) => content?.['application/json']?.schema

export function routeChapters(document: OpenDocument): Chapter[] {
  const chapters = new Map<string, Chapter>()
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags[0] ?? ''
      const chapter = chapters.get(tag) ?? { id: `rest-${tag}`, title: tag, entries: [] }
      chapters.set(tag, chapter)
      const success = Object.entries(operation.responses).find(([status]) => status.startsWith('2'))?.[1]
      const input = json(operation.requestBody?.content)
      chapter.entries.push({
        id: operation.operationId,
        kind: 'route',
        method: method.toUpperCase(),
        name: path,
        summary: operation.summary,
        audience: operation['x-audience'] ?? [],
        parameters: (operation.parameters ?? []).map((p) => ({ ...p, description: p.description ?? '', required: p.required ?? false })),
        input,
        output: json(success?.content),
        durable: false,
        canTry: (!operation.requestBody || input !== undefined) && path.startsWith('/api/v1/'),
      })
    }
  }
  return [...chapters.values()]
}

export function channelChapters(document: AsyncDocument): Chapter[] {
  return Object.entries(document.channels).map(([id, channel]) => {
    const entries: Entry[] = Object.entries(channel.messages)
      .filter(([key]) => !key.endsWith('.reply'))
      .map(([key, message]) => {
        const command = key.endsWith('.command')
        const reply = channel.messages[`${message.name}.reply`]?.payload.oneOf?.[0]?.properties?.data
        return {
          id: `${id}-${key}`,
          kind: command ? 'command' : 'event',
          method: command ? 'emit' : 'on',
          name: message.name,
          summary: message.summary,
          audience: document.operations[`receive.${id}.${message.name}`]?.['x-audience'] ?? [],
          parameters: [],
          input: command ? message.payload : undefined,
          output: command ? reply : message.payload,
          durable: message['x-durable'] ?? false,
          canTry: command,
        }
      })
    return { id: `socket-${id}`, title: channel.address, entries }
  })
}

/** Reads both documents from the server. Rejects with a Failure. */
export async function loadReference(): Promise<Reference> {
  const [open, channels] = await Promise.all([askDocument<OpenDocument>('openapi.json'), askDocument<AsyncDocument>('asyncapi.json')])
  return {
    chapters: [...channelChapters(channels), ...routeChapters(open)],
    schemas: { ...channels.components.schemas, ...open.components.schemas },
  }
}
