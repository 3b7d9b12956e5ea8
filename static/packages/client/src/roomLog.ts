import { Failure } from './failure.js'
import type { Entry, ConsultationJoined } from './wire.gen.js'

export interface RoomLogListener {
  /** The room as it is now; called on every (re)join, before what was missed. */
  joined(room: ConsultationJoined): void
  /** Exactly once per event, in the order of seq. */
  deliver(entry: Entry): void
  /** The server's log is shorter than what was seen (restored from a backup): start over. */
  reset(): void
  /** Joining failed: permanently, or until the next attempt if it is retryable. */
  failed(failure: Failure): void
}

const firstRetryMs = 500
const lastRetryMs = 10_000

/**
 * Reads the durable log of one room. Whatever the connection does – drops,
 * repeats, reorders, goes away – events come out once and in order: the log
 * remembers the last seq, keeps what came too early, and asks again from there.
 */
export class RoomLog {
  private last: number | undefined
  private readonly early = new Map<number, Entry>()
  private reading: Promise<void> | undefined
  private again = false
  private closed = false
  private retryMs = firstRetryMs
  private retryTimer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly join: (after: number | undefined) => Promise<ConsultationJoined>,
    private readonly listener: RoomLogListener,
    /** Where to begin; the newest page when not given. */
    after?: number,
  ) {
    this.last = after
  }

  /** Where the log stands; undefined before the first join. */
  get lastSeq(): number | undefined {
    return this.last
  }

  /** Joins, or joins again after the connection was away. */
  catchUp(): Promise<void> {
    if (this.closed) return Promise.resolve()
    if (this.reading) {
      this.again = true
      return this.reading
    }
    this.cancelRetry()
    this.reading = this.read()
      .catch((thrown: unknown) => this.fail(Failure.from(thrown)))
      .finally(() => {
        this.reading = undefined
        if (this.again) {
          this.again = false
          void this.catchUp()
        }
      })
    return this.reading
  }

  /** Takes an event as the connection brought it. */
  receive(entry: Entry): void {
    if (this.closed || (this.last !== undefined && entry.seq <= this.last)) return
    this.early.set(entry.seq, entry)
    if (this.last === undefined) return // the first join decides where the log begins
    this.drain()
    if (this.early.size > 0 && !this.reading && this.retryTimer === undefined) void this.catchUp()
  }

  close(): void {
    this.closed = true
    this.cancelRetry()
    this.early.clear()
  }

  private cancelRetry(): void {
    clearTimeout(this.retryTimer)
    this.retryTimer = undefined
  }

  private async read(): Promise<void> {
    for (;;) {
      this.again = false
      const after = this.last
      const room = await this.join(after)
      if (this.closed) return
      if (after !== undefined && room.lastSeq < after) {
        this.last = undefined
        this.early.clear()
        this.listener.reset()
        continue
      }
      this.retryMs = firstRetryMs
      this.listener.joined(room)
      // Nothing comes up to where the log begins for an invited person.
      if (this.last !== undefined && room.since) this.last = Math.max(this.last, room.since)
      for (const entry of room.events) this.accept(entry)
      this.last ??= room.lastSeq
      this.drain()
      const behind = room.hasMore && room.events.length > 0
      if (!behind && this.early.size === 0) return
      if (!behind && this.last === after) throw Failure.timeout('the log has a gap that the server does not fill yet')
    }
  }

  private accept(entry: Entry): void {
    if (this.last === undefined || entry.seq === this.last + 1) {
      this.last = entry.seq
      this.early.delete(entry.seq)
      this.listener.deliver(entry)
    } else if (entry.seq > this.last) {
      this.early.set(entry.seq, entry)
    }
  }

  private drain(): void {
    if (this.last === undefined) return
    for (const seq of this.early.keys()) if (seq <= this.last) this.early.delete(seq)
    for (let next = this.early.get(this.last + 1); next; next = this.early.get(this.last + 1)) this.accept(next)
  }

  private fail(failure: Failure): void {
    if (this.closed) return
    this.listener.failed(failure)
    // While the connection is away there is nothing to ask; it calls catchUp when it is back.
    if (!failure.retryable || failure.code === 'offline') return
    this.retryTimer = setTimeout(() => void this.catchUp(), failure.retryAfterMs ?? this.retryMs)
    this.retryMs = Math.min(lastRetryMs, this.retryMs * 2)
  }
}
