import { Failure } from './failure.js'
import type { Draft, Outbox, Unsent } from './outbox.js'
import type { DurableName, RoomEvent } from './protocol.js'
import { RoomLog } from './roomLog.js'
import type { ConsultationJoined, Message } from './wire.gen.js'

type EventOf<N extends DurableName> = Extract<RoomEvent, { name: N }>
type Says = Omit<Draft, 'consultationId' | 'kind'> & { kind?: Draft['kind'] }
interface Waiting {
  resolve: (message: Message) => void
  reject: (failure: Failure) => void
}

export interface JoinOptions {
  /**
   * The last seq that was seen; later events are delivered first. 0 is the
   * whole log; if left out, the log begins with the newest page.
   */
  after?: number
}

/**
 * The room of one consultation. Each event is delivered once, in the order of
 * seq, however often the connection drops.
 */
export class Room {
  readonly log: RoomLog
  /** Settles with the room as it was found, once it was joined for the first time. */
  readonly joined: Promise<ConsultationJoined>
  private readonly listeners = new Map<string, Set<(event: RoomEvent) => void>>()
  private readonly waiting = new Map<string, Waiting>()
  private readonly resets = new Set<() => void>()

  constructor(
    readonly consultationId: string,
    private readonly me: string,
    private readonly outbox: Outbox,
    join: (after: number | undefined) => Promise<ConsultationJoined>,
    { after }: JoinOptions = {},
  ) {
    let found: (room: ConsultationJoined) => void
    let lost: (failure: Failure) => void
    this.joined = new Promise((resolve, reject) => ([found, lost] = [resolve, reject]))
    this.joined.catch(() => undefined) // a caller that awaits it gets the error; others need not
    this.log = new RoomLog(
      join,
      {
        joined: (room) => found(room),
        deliver: (entry) => this.deliver(entry as RoomEvent),
        reset: () => this.resets.forEach((listener) => listener()),
        failed: (failure) => {
          if (!failure.retryable) lost(failure)
        },
      },
      after,
    )
  }

  /** Where one stands: what to give as `after` next time. */
  get lastSeq(): number | undefined {
    return this.log.lastSeq
  }

  /** Adds a listener for one kind of event, or for all with '*'. The result removes it. */
  on<N extends DurableName>(name: N, listener: (event: EventOf<N>) => void): () => void
  on(name: '*', listener: (event: RoomEvent) => void): () => void
  on(name: string, listener: (event: never) => void): () => void {
    const of = this.listeners.get(name) ?? new Set()
    this.listeners.set(name, of.add(listener as (event: RoomEvent) => void))
    return () => of.delete(listener as (event: RoomEvent) => void)
  }

  /** The server's log has become shorter (a backup was restored): what follows begins anew. */
  onReset(listener: () => void): () => void {
    this.resets.add(listener)
    return () => this.resets.delete(listener)
  }

  /**
   * Says something. Resolves once the server has it on disk, after however
   * many reconnects that takes; rejects with a Failure when it is refused.
   */
  say(what: string | Says): Promise<Message> {
    const said = typeof what === 'string' ? { text: what } : what
    return new Promise((resolve, reject) => {
      const item = this.outbox.add({ kind: 'text', ...said, consultationId: this.consultationId })
      this.waiting.set(item.clientId, { resolve, reject })
      this.unsentChanged()
    })
  }

  /** What the server does not have yet. */
  get unsent(): Unsent[] {
    return this.outbox.of(this.consultationId).filter((item) => item.state !== 'sent')
  }

  /** Called by the client when the outbox has changed. */
  unsentChanged(): void {
    for (const item of this.outbox.of(this.consultationId)) {
      if (item.message) this.settle(item.message)
      else if (item.state === 'failed' && item.failure && this.waiting.has(item.clientId)) {
        this.refuse(item.clientId, new Failure({ retryable: false, ...item.failure }))
        this.outbox.discard(item.clientId) // the sender got the error, and may send it again
      }
    }
  }

  /** Called by the client when it leaves. */
  close(): void {
    this.log.close()
    for (const clientId of [...this.waiting.keys()]) this.refuse(clientId, Failure.offline('the room was left before the server answered'))
  }

  private deliver(event: RoomEvent): void {
    if (event.name === 'message:created' && event.data.senderId === this.me) {
      this.settle(event.data)
      this.outbox.seen(event.data)
    }
    for (const listener of this.listeners.get(event.name) ?? []) listener(event)
    for (const listener of this.listeners.get('*') ?? []) listener(event)
  }

  private settle(message: Message): void {
    this.waiting.get(message.clientId)?.resolve(message)
    this.waiting.delete(message.clientId)
  }

  private refuse(clientId: string, failure: Failure): void {
    this.waiting.get(clientId)?.reject(failure)
    this.waiting.delete(clientId)
  }
}
