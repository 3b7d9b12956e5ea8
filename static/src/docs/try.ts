import { io, type Socket } from 'socket.io-client'
import { http, tokens } from '@/api'
import { Failure } from '@/api/failure'
import type { Entry } from './documents'

export interface Outcome {
  ok: boolean
  status: string
  body: unknown
}

/** Calls a route with the user's login. Values are keyed by parameter name. */
export async function tryRoute(entry: Entry, values: Record<string, string>, body: unknown): Promise<Outcome> {
  let path = entry.name.replace('/api/v1', '')
  const query: Record<string, string> = {}
  for (const { name, in: where } of entry.parameters) {
    const value = values[name] ?? ''
    if (where === 'path') path = path.replace(`{${name}}`, encodeURIComponent(value))
    else if (where === 'query' && value) query[name] = value
  }
  try {
    return { ok: true, status: 'OK', body: await http.json<unknown>(entry.method, path, { query, body }) }
  } catch (thrown) {
    const { code, message, field, retryable, traceId } = Failure.from(thrown)
    return { ok: false, status: code, body: { code, message, field, retryable, traceId } }
  }
}

const answerWithinMs = 10_000

/** Sockets that were opened to try something: one for each namespace. */
export class Sockets {
  private readonly open = new Map<string, Socket>()

  /** onEvent is called for every event that arrives. */
  constructor(private readonly onEvent: (namespace: string, name: string, data: unknown) => void) {}

  /** Sends a command; the outcome is its acknowledgement. */
  async ask(namespace: string, name: string, input: unknown): Promise<Outcome> {
    try {
      const socket = await this.connected(namespace)
      const body = (await socket.timeout(answerWithinMs).emitWithAck(name, input)) as { ok: boolean; error?: { code: string } }
      return { ok: body.ok, status: body.ok ? 'OK' : (body.error?.code ?? 'error'), body }
    } catch (thrown) {
      const refused = thrown as Error & { data?: unknown }
      return { ok: false, status: 'connect_error', body: refused.data ?? { message: refused.message } }
    }
  }

  close(): void {
    for (const socket of this.open.values()) socket.disconnect()
  }

  private connected(namespace: string): Promise<Socket> {
    const socket = this.open.get(namespace) ?? this.make(namespace)
    if (socket.connected) return Promise.resolve(socket)
    return new Promise((resolve, reject) => {
      const joined = () => {
        socket.off('connect_error', refused)
        resolve(socket)
      }
      const refused = (error: Error) => {
        socket.off('connect', joined)
        reject(error)
      }
      socket.once('connect', joined)
      socket.once('connect_error', refused)
      socket.connect()
    })
  }

  private make(namespace: string): Socket {
    const socket = io(namespace, {
      path: '/socket.io',
      forceNew: true,
      autoConnect: false,
      reconnection: false,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      auth: (give) => {
        tokens.access().then(
          (token) => give(token ? { token } : {}),
          () => give({}),
        )
      },
    })
    socket.onAny((name: string, data: unknown) => this.onEvent(namespace, name, data))
    this.open.set(namespace, socket)
    return socket
  }
}
