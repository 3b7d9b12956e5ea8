import { io, type Socket } from 'socket.io-client'
import { Failure, readFailure } from './failure.js'
import type { TokenSource } from './tokens.js'
import type { Ack, Namespaces, WireError } from './wire.gen.js'

export type NamespaceName = keyof Namespaces
export type NamespaceSocket<N extends NamespaceName> = Socket<Namespaces[N]['events'], Namespaces[N]['commands']>
export type Command<N extends NamespaceName> = keyof Namespaces[N]['commands'] & string
/** What a command takes. */
export type InputOf<N extends NamespaceName, C extends Command<N>> = Namespaces[N]['commands'][C] extends (input: infer I, ...rest: never[]) => unknown ? I : never
type ReplyOf<N extends NamespaceName, C extends Command<N>> = Namespaces[N]['commands'][C] extends (input: never, ack: (reply: infer R) => unknown) => unknown ? R : never
/** What its acknowledgement brings when it succeeds. */
export type AnswerOf<N extends NamespaceName, C extends Command<N>> = [ReplyOf<N, C>] extends [Ack<infer A>] ? A : never

const answerWithinMs = 10_000

/** The pauses before tries to come back: the first, which doubles up to the last. */
let pace = { firstMs: 500, lastMs: 5_000 }
export const pauses = (): Readonly<typeof pace> => pace

/** What the server advises about coming back: `realtime` of GET /api/v1/config. It counts from the next interruption on. */
export function advised(by: { reconnectDelayMs: number; reconnectDelayMaxMs: number }): void {
  pace = { firstMs: by.reconnectDelayMs, lastMs: by.reconnectDelayMaxMs }
}

/** A socket of a namespace that is not connected yet; server is the page's own when not given. */
export function openNamespace<N extends NamespaceName>(namespace: N, options: { server?: string; forceNew?: boolean } = {}): NamespaceSocket<N> {
  return io(`${options.server ?? ''}${namespace}`, {
    path: '/socket.io',
    autoConnect: false,
    forceNew: options.forceNew ?? false,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: pace.firstMs,
    reconnectionDelayMax: pace.lastMs,
  })
}

export interface SteadyListener {
  online?(): void
  /** The connection is lost, or could not be made; it is tried again, unless the login has ended. */
  offline?(why?: Failure): void
}

/** What of a socket is used here: the same whatever its namespace. */
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
 * A socket of one namespace that stays connected while it can, also after a
 * drain or a refusal, keeps its login fresh, and turns acknowledgements into
 * answers and failures.
 */
export class SteadySocket<N extends NamespaceName> {
  private closed = false
  /** What the server was shown last; empty for a guest. */
  private token = ''
  private retryMs = pace.firstMs
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private readonly forget: (() => void)[] = []
  private readonly socket: AnySocket

  /** more goes into the handshake's auth besides the token. */
  constructor(
    socket: NamespaceSocket<N>,
    private readonly tokens: TokenSource,
    private readonly listener: SteadyListener = {},
    more: () => Record<string, unknown> = () => ({}),
  ) {
    this.socket = socket as unknown as AnySocket
    this.socket.auth = (give: (auth: Record<string, unknown>) => void) => {
      tokens.access().then(
        (token = '') => give({ ...more(), ...((this.token = token) ? { token } : {}) }),
        () => give(more()), // who needs a login is refused as unauthenticated, and tries again below
      )
    }
    this.socket.on('connect', () => {
      this.retryMs = pace.firstMs
      listener.online?.()
    })
    this.socket.on('disconnect', (reason: string) => {
      listener.offline?.()
      this.socket.io?.reconnectionDelay(pace.firstMs)
      this.socket.io?.reconnectionDelayMax(pace.lastMs)
      // The library retries what broke, not what the server closed (a drain, a kick).
      if (reason === 'io server disconnect') this.retry()
    })
    this.socket.on('connect_error', (error: Error & { data?: unknown }) => void this.refused(error))
    this.forget.push(tokens.onRenewed((token) => void this.renewLogin(token)))
    if (typeof window !== 'undefined') {
      const hurry = () => this.hurry()
      window.addEventListener('online', hurry)
      this.forget.push(() => window.removeEventListener('online', hurry))
    }
    this.socket.connect()
  }

  get connected(): boolean {
    return this.socket.connected
  }

  /** Sends a command; rejects with a Failure. A login that ended while nobody looked (a sleeping tab) is renewed first. */
  async ask<C extends Command<N>>(name: C, input: InputOf<N, C>): Promise<AnswerOf<N, C>> {
    try {
      return (await this.command(name, input)) as AnswerOf<N, C>
    } catch (thrown) {
      if (Failure.from(thrown).code !== 'unauthenticated' || !this.token || name === 'auth:refresh') throw thrown
      await this.showLogin(await this.tokens.refresh(this.token))
      return (await this.command(name, input)) as AnswerOf<N, C>
    }
  }

  /** Connects again after a refusal that is not retried by itself. */
  again(): void {
    this.socket.connect()
  }

  close(): void {
    this.closed = true
    clearTimeout(this.retryTimer)
    for (const forget of this.forget) forget()
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
    if (this.socket.active) return // the transport failed: the library tries again by itself
    if (failure?.code === 'forbidden' || failure?.code === 'not_found') return // it would be again
    if (failure?.code === 'unauthenticated' && !(await this.mayLogIn())) return
    this.retry(failure?.retryAfterMs)
  }

  /** Renews the login that was refused, if there is one still. */
  private async mayLogIn(): Promise<boolean> {
    try {
      return (this.token ? await this.tokens.refresh(this.token) : await this.tokens.access()) !== undefined
    } catch (thrown) {
      return Failure.from(thrown).retryable // or the keeper has signed out
    }
  }

  private retry(afterMs = this.retryMs): void {
    clearTimeout(this.retryTimer)
    this.retryMs = Math.min(pace.lastMs, this.retryMs * 2)
    // Spread, so that a restarted server does not meet everyone at once.
    this.retryTimer = setTimeout(() => {
      if (!this.closed) this.socket.connect()
    }, afterMs * (0.75 + Math.random() / 2))
  }

  /** The network is back: try now rather than when the backoff ends. */
  private hurry(): void {
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
