import { io, type Socket } from 'socket.io-client'
import { Failure, readFailure } from './failure.js'
import type { TokenSource } from './tokens.js'
import type { Ack, Namespaces, WireError } from './wire.gen.js'

export type NamespaceName = keyof Namespaces
export type NamespaceSocket<N extends NamespaceName> = Socket<Namespaces[N]['events'], Namespaces[N]['commands']>
export type Command<N extends NamespaceName> = keyof Namespaces[N]['commands'] & string
/** The input of a command. */
export type InputOf<N extends NamespaceName, C extends Command<N>> = Namespaces[N]['commands'][C] extends (input: infer I, ...rest: never[]) => unknown ? I : never
type ReplyOf<N extends NamespaceName, C extends Command<N>> = Namespaces[N]['commands'][C] extends (input: never, ack: (reply: infer R) => unknown) => unknown ? R : never
/** The answer of a command, from its acknowledgement. */
export type AnswerOf<N extends NamespaceName, C extends Command<N>> = [ReplyOf<N, C>] extends [Ack<infer A>] ? A : never

const answerWithinMs = 10_000

/** The delays between attempts to reconnect: the first, which doubles with every attempt, and the longest. */
let delays = { firstMs: 500, lastMs: 5_000 }
/** Returns the delays in use, in milliseconds. */
export const reconnectDelays = (): Readonly<typeof delays> => delays

/** Sets the delays that the server recommends (`realtime` of GET /api/v1/config), for all sockets from the next disconnect on. */
export function setReconnectDelays(recommended: { reconnectDelayMs: number; reconnectDelayMaxMs: number }): void {
  delays = { firstMs: recommended.reconnectDelayMs, lastMs: recommended.reconnectDelayMaxMs }
}

/** Returns a socket of a namespace, not yet connected. Without server it connects to the server of the page. */
export function openNamespace<N extends NamespaceName>(namespace: N, options: { server?: string; forceNew?: boolean } = {}): NamespaceSocket<N> {
  return io(`${options.server ?? ''}${namespace}`, {
    path: '/socket.io',
    autoConnect: false,
    forceNew: options.forceNew ?? false,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: delays.firstMs,
    reconnectionDelayMax: delays.lastMs,
  })
}

export interface ReconnectingListener {
  online?(): void
  /** The connection is lost, or could not be made. It is tried again, unless the login has ended. */
  offline?(why?: Failure): void
}

/** The part of a Socket.IO socket that is used here, the same for every namespace. */
interface AnySocket {
  auth: unknown
  io?: { reconnectionDelay(ms: number): unknown; reconnectionDelayMax(ms: number): unknown }
  connected: boolean
  active: boolean
  on(event: string, listener: (argument: never) => void): unknown
  connect(): AnySocket
  disconnect(): AnySocket
  timeout(ms: number): { emitWithAck(name: string, input: unknown): Promise<Ack<unknown>> }
}

/**
 * A socket of one namespace that reconnects, also after the server has closed
 * the connection or refused it, renews its access token, and turns
 * acknowledgements into answers and failures.
 */
export class ReconnectingSocket<N extends NamespaceName> {
  private closed = false
  /** The access token that was sent last; empty for a guest. */
  private token = ''
  private retryMs = delays.firstMs
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private readonly cleanups: (() => void)[] = []
  private readonly socket: AnySocket

  /** more returns further fields for the handshake's auth, besides the token. */
  constructor(
    socket: NamespaceSocket<N>,
    private readonly tokens: TokenSource,
    private readonly listener: ReconnectingListener = {},
    more: () => Record<string, unknown> = () => ({}),
  ) {
    this.socket = socket as unknown as AnySocket
    this.socket.auth = (give: (auth: Record<string, unknown>) => void) => {
      tokens.access().then(
        (token = '') => give({ ...more(), ...((this.token = token) ? { token } : {}) }),
        () => give(more()), // a namespace that needs a login refuses this; refused retries
      )
    }
    this.socket.on('connect', () => {
      this.retryMs = delays.firstMs
      listener.online?.()
    })
    this.socket.on('disconnect', (reason: string) => {
      listener.offline?.()
      this.socket.io?.reconnectionDelay(delays.firstMs)
      this.socket.io?.reconnectionDelayMax(delays.lastMs)
      // The library retries what broke, not what the server closed (a drain, a kick).
      if (reason === 'io server disconnect') this.retry()
    })
    this.socket.on('connect_error', (error: Error & { data?: unknown }) => void this.refused(error))
    this.cleanups.push(tokens.onRenewed((token) => void this.renewLogin(token)))
    if (typeof window !== 'undefined') {
      const connectNow = () => this.connectNow()
      window.addEventListener('online', connectNow)
      this.cleanups.push(() => window.removeEventListener('online', connectNow))
    }
    this.socket.connect()
  }

  get connected(): boolean {
    return this.socket.connected
  }

  /** Sends a command and returns its answer; rejects with a Failure. If the access token has expired, it is renewed first. */
  async ask<C extends Command<N>>(name: C, input: InputOf<N, C>): Promise<AnswerOf<N, C>> {
    try {
      return (await this.command(name, input)) as AnswerOf<N, C>
    } catch (thrown) {
      if (Failure.from(thrown).code !== 'unauthenticated' || !this.token || name === 'auth:refresh') throw thrown
      await this.showLogin(await this.tokens.refresh(this.token))
      return (await this.command(name, input)) as AnswerOf<N, C>
    }
  }

  /** Connects again after a refusal that is not retried automatically. */
  again(): void {
    this.socket.connect()
  }

  close(): void {
    this.closed = true
    clearTimeout(this.retryTimer)
    for (const cleanup of this.cleanups) cleanup()
    this.socket.disconnect()
  }

  private async command(name: string, input: unknown): Promise<unknown> {
    if (!this.socket.connected) throw Failure.offline()
    let answer: Ack<unknown>
    try {
      answer = await this.socket.timeout(answerWithinMs).emitWithAck(name, input)
    } catch {
      throw this.socket.connected ? Failure.timeout() : Failure.offline()
    }
    if (answer.ok) return answer.data
    throw failureOf(answer.error)
  }

  private async refused(error: Error & { data?: unknown }): Promise<void> {
    const failure = readFailure(error.data)
    this.listener.offline?.(failure ?? Failure.offline())
    if (this.socket.active) return // the transport failed: socket.io-client retries
    if (failure?.code === 'forbidden' || failure?.code === 'not_found') return // a retry would be refused too
    if (failure?.code === 'unauthenticated' && !(await this.mayLogIn())) return
    this.retry(failure?.retryAfterMs)
  }

  /** Renews the access token that was refused, and reports whether to connect again. */
  private async mayLogIn(): Promise<boolean> {
    try {
      return (this.token ? await this.tokens.refresh(this.token) : await this.tokens.access()) !== undefined
    } catch (thrown) {
      return Failure.from(thrown).retryable // otherwise the token source has signed out
    }
  }

  private retry(afterMs = this.retryMs): void {
    clearTimeout(this.retryTimer)
    this.retryMs = Math.min(delays.lastMs, this.retryMs * 2)
    // Random, so that not all clients connect to a restarted server at the same time.
    this.retryTimer = setTimeout(() => {
      if (!this.closed) this.socket.connect()
    }, afterMs * (0.75 + Math.random() / 2))
  }

  /** Connects immediately when the network is back, without waiting for the delay to end. */
  private connectNow(): void {
    if (this.closed || this.socket.connected) return
    this.socket.disconnect()
    this.socket.connect()
  }

  private async showLogin(token: string): Promise<void> {
    await this.command('auth:refresh', { token })
    this.token = token
  }

  private async renewLogin(token: string): Promise<void> {
    if (!this.socket.connected) return
    try {
      await this.showLogin(token)
    } catch (thrown) {
      // A new connection presents the new token anyway.
      if (Failure.from(thrown).code === 'unauthenticated') this.socket.disconnect().connect()
    }
  }
}

const failureOf = (error: WireError): Failure => readFailure(error) ?? Failure.from(error)
