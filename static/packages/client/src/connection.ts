import { io, type Socket } from 'socket.io-client'
import { Failure, readFailure } from './failure.js'
import { durableNames, type Ask, type CommandAnswer, type CommandInput, type CommandName, type SignalData, type SignalName } from './protocol.js'
import type { TokenSource } from './tokens.js'
import type { Ack, ClientToServerEvents, Entry, ServerToClientEvents } from './wire.gen.js'

export type Link = 'connecting' | 'online' | 'offline'

type WenzhenSocket = Socket<ServerToClientEvents, ClientToServerEvents>
/** Acks are all of one shape; naming it here keeps the generic call below typed. */
type EmitWithAck = (name: CommandName, input: unknown) => Promise<Ack<unknown>>

const answerWithinMs = 10_000
const firstRetryMs = 500
const lastRetryMs = 5_000

/** A socket of /consultations that is not connected yet; server is the page's own when not given. */
export function openSocket(server = ''): WenzhenSocket {
  return io(`${server}/consultations`, {
    path: '/socket.io',
    autoConnect: false,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: firstRetryMs,
    reconnectionDelayMax: lastRetryMs,
  })
}

/**
 * One socket of one login: stays connected while it can, keeps its login
 * fresh, and turns acks into answers and failures.
 */
export class Connection {
  private state: Link = 'connecting'
  private closed = false
  /** What the server was shown last. */
  private token = ''
  private retryMs = firstRetryMs
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private readonly links = new Set<(link: Link) => void>()
  private readonly entries = new Set<(entry: Entry) => void>()
  private readonly forget: (() => void)[] = []

  constructor(
    private readonly socket: WenzhenSocket,
    private readonly tokens: TokenSource,
  ) {
    socket.auth = (give) => {
      tokens.access().then(
        (token = '') => give({ token: (this.token = token) }),
        () => give({}), // refused as unauthenticated, and tried again below
      )
    }
    socket.on('connect', () => {
      this.retryMs = firstRetryMs
      this.become('online')
    })
    socket.on('disconnect', (reason) => {
      this.become('offline')
      // The library retries what broke, not what the server closed (a drain, a kick).
      if (reason === 'io server disconnect') this.retry()
    })
    socket.on('connect_error', (error) => {
      this.become('offline')
      void this.refused(error)
    })
    socket.on('session:revoked', () => this.tokens.signOut?.('revoked'))
    for (const name of durableNames) socket.on(name, (entry: Entry) => this.entries.forEach((listener) => listener(entry)))

    this.forget.push(this.tokens.onRenewed((token) => void this.renewLogin(token)))
    if (typeof window !== 'undefined') {
      const hurry = () => this.hurry()
      window.addEventListener('online', hurry)
      this.forget.push(() => window.removeEventListener('online', hurry))
    }
    socket.connect()
  }

  get link(): Link {
    return this.state
  }

  /** A login that ended while nobody looked (a sleeping tab) is renewed first. */
  readonly ask: Ask = async <N extends CommandName>(name: N, input: CommandInput<N>): Promise<CommandAnswer<N>> => {
    try {
      return await this.command(name, input)
    } catch (thrown) {
      if (Failure.from(thrown).code !== 'unauthenticated' || name === 'auth:refresh') throw thrown
      const token = await this.tokens.refresh(this.token)
      await this.command('auth:refresh', { token })
      this.token = token
      return this.command(name, input)
    }
  }

  private async command<N extends CommandName>(name: N, input: CommandInput<N>): Promise<CommandAnswer<N>> {
    if (!this.socket.connected) throw Failure.offline()
    const timed = this.socket.timeout(answerWithinMs)
    let answer: Ack<unknown>
    try {
      answer = await (timed.emitWithAck as EmitWithAck).call(timed, name, input)
    } catch {
      throw this.socket.connected ? Failure.timeout() : Failure.offline()
    }
    if (answer.ok) return answer.data as CommandAnswer<N>
    throw readFailure(answer.error) ?? Failure.from(answer.error)
  }

  onLink(listener: (link: Link) => void): () => void {
    this.links.add(listener)
    return () => this.links.delete(listener)
  }

  /** Events of the log as they come in: perhaps twice, perhaps with gaps. */
  onEntry(listener: (entry: Entry) => void): () => void {
    this.entries.add(listener)
    return () => this.entries.delete(listener)
  }

  onSignal<N extends SignalName>(name: N, listener: (data: SignalData<N>) => void): () => void {
    type Untyped = (event: SignalName, listener: (data: SignalData<N>) => void) => void
    ;(this.socket.on as Untyped).call(this.socket, name, listener)
    return () => (this.socket.off as Untyped).call(this.socket, name, listener)
  }

  close(): void {
    this.closed = true
    clearTimeout(this.retryTimer)
    for (const forget of this.forget) forget()
    this.socket.disconnect()
  }

  private become(link: Link): void {
    if (this.state === link) return
    this.state = link
    for (const listener of this.links) listener(link)
  }

  private async refused(error: Error & { data?: unknown }): Promise<void> {
    if (this.socket.active) return // the transport failed: the library tries again by itself
    const failure = readFailure(error.data)
    if (failure?.code === 'unauthenticated') {
      try {
        await this.tokens.refresh(this.token)
      } catch (thrown) {
        if (!Failure.from(thrown).retryable) return // the keeper has signed out
      }
    }
    this.retry(failure?.retryAfterMs)
  }

  private retry(afterMs = this.retryMs): void {
    clearTimeout(this.retryTimer)
    this.retryMs = Math.min(lastRetryMs, this.retryMs * 2)
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

  private async renewLogin(token: string): Promise<void> {
    if (!this.socket.connected) return
    try {
      await this.command('auth:refresh', { token })
      this.token = token
    } catch (thrown) {
      // A new connection presents the new token anyway.
      if (Failure.from(thrown).code === 'unauthenticated') this.socket.disconnect().connect()
    }
  }
}
