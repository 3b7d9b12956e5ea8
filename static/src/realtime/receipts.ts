import { Failure } from '@/api/failure'

type Report = (kind: 'message:receive' | 'message:read', upToSeq: number) => Promise<unknown>

const deliveredWithinMs = 1_000
const readEveryMs = 300
const againMs = 2_000

/**
 * Reports to the server up to which seq messages arrived and were read.
 * Deliveries wait a second to be joined and are left out when a read covers
 * them; reads are sent at once, but not one for every message of a burst. A
 * receipt that failed is sent later.
 */
export class Receipts {
  private delivered = 0
  private read = 0
  private sent = 0
  private sentRead = 0
  private lastReadAt = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly report: Report) {}

  /** The watermarks that the server already has. */
  known(delivered: number, read: number): void {
    this.sent = Math.max(this.sent, delivered, read)
    this.sentRead = Math.max(this.sentRead, read)
  }

  hasDelivered(seq: number): void {
    this.delivered = Math.max(this.delivered, seq)
    if (this.delivered > this.sent) this.timer ??= setTimeout(() => this.flush(), deliveredWithinMs)
  }

  hasRead(seq: number): void {
    this.read = Math.max(this.read, seq)
    if (this.read <= this.sentRead) return
    const wait = this.lastReadAt + readEveryMs - Date.now()
    if (wait <= 0) return this.flush()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.flush(), wait)
  }

  /** Sends the marks that are not sent yet; also called after the room was joined again. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.read > this.sentRead) {
      const before = { sent: this.sent, sentRead: this.sentRead }
      this.known(0, this.read)
      this.lastReadAt = Date.now()
      this.send('message:read', this.read, before)
    }
    if (this.delivered > this.sent) {
      const before = { sent: this.sent, sentRead: this.sentRead }
      this.known(this.delivered, 0)
      this.send('message:receive', this.delivered, before)
    }
  }

  close(): void {
    clearTimeout(this.timer)
  }

  private send(kind: 'message:receive' | 'message:read', upToSeq: number, before: { sent: number; sentRead: number }): void {
    this.report(kind, upToSeq).catch((thrown: unknown) => {
      const failure = Failure.from(thrown)
      if (!failure.retryable) return
      this.sent = before.sent
      this.sentRead = before.sentRead
      if (failure.code !== 'offline') this.timer ??= setTimeout(() => this.flush(), failure.retryAfterMs ?? againMs)
    })
  }
}
