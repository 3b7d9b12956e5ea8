import { Failure } from './failure.js'
import type { Attachment, Message, SendInput } from './wire.gen.js'

/** What someone wants to say, before the server has it. */
export interface Unsent extends SendInput {
  /** Who wrote it: another account in the same browser must not send it. */
  senderId: string
  createdAt: string
  attachment?: Attachment
  state: 'waiting' | 'sending' | 'failed' | 'sent'
  failure?: Pick<Failure, 'code' | 'message' | 'field'>
  /** Set once the server has it, until the room's log shows it. */
  message?: Message
}

export type Draft = Pick<Unsent, 'consultationId' | 'kind' | 'text' | 'attachment' | 'peaks' | 'replyTo'>

export interface OutboxStore {
  load(): Unsent[]
  save(item: Unsent): void
  remove(clientId: string): void
}

interface OutboxOptions {
  senderId: string
  store: OutboxStore
  send: (input: SendInput) => Promise<Message>
  changed: (consultationId: string) => void
  newId: () => string
  now?: () => Date
}

const firstRetryMs = 500
const lastRetryMs = 15_000

interface Lane {
  busy: boolean
  retryMs: number
  timer?: ReturnType<typeof setTimeout>
}

/**
 * Holds what was written until the server has acknowledged it. Per
 * consultation one message is under way at a time, so they arrive in the order
 * in which they were written; a resend carries the same clientId, so they
 * arrive once. Survives a reload through its store.
 */
export class Outbox {
  private readonly items: Unsent[]
  private readonly lanes = new Map<string, Lane>()
  private open = false

  constructor(private readonly options: OutboxOptions) {
    this.items = options.store
      .load()
      .filter((item) => item.senderId === options.senderId && item.state !== 'sent')
      .map((item) => (item.state === 'sending' ? { ...item, state: 'waiting' as const } : item))
      .sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.clientId.localeCompare(b.clientId))
  }

  of(consultationId: string): Unsent[] {
    return this.items.filter((item) => item.consultationId === consultationId)
  }

  /** How many the server does not have yet, failed ones included. */
  get size(): number {
    return this.items.filter((item) => item.state !== 'sent').length
  }

  add(draft: Draft): Unsent {
    const { senderId, newId, now = () => new Date() } = this.options
    const item: Unsent = {
      ...draft,
      attachmentId: draft.attachment?.id,
      clientId: newId(),
      senderId,
      createdAt: now().toISOString(),
      state: 'waiting',
    }
    this.items.push(item)
    this.options.store.save(item)
    this.options.changed(item.consultationId)
    this.push(item.consultationId)
    return item
  }

  /** The connection is there (again): send what is waiting. */
  resume(): void {
    this.open = true
    for (const room of new Set(this.items.map((item) => item.consultationId))) {
      const lane = this.lane(room)
      clearTimeout(lane.timer)
      lane.retryMs = firstRetryMs
      this.push(room)
    }
  }

  pause(): void {
    this.open = false
    for (const lane of this.lanes.values()) clearTimeout(lane.timer)
  }

  retry(clientId: string): void {
    const item = this.find(clientId)
    if (item?.state !== 'failed') return
    this.update(item, { state: 'waiting', failure: undefined })
    this.push(item.consultationId)
  }

  discard(clientId: string): void {
    const item = this.find(clientId)
    if (item && item.state !== 'sending') this.drop(item)
  }

  /** The room's log shows the message: an ack that got lost is not missed. */
  seen(message: Message): void {
    const item = message.senderId === this.options.senderId ? this.find(message.clientId) : undefined
    if (item) this.drop(item)
  }

  /**
   * Deletes everything, also in the store: after a logout the browser has nothing
   * of what was not sent.
   */
  clear(): void {
    this.pause()
    for (const item of [...this.items]) this.drop(item)
  }

  private push(room: string): void {
    const lane = this.lane(room)
    if (!this.open || lane.busy) return
    clearTimeout(lane.timer)
    const next = this.items.find((item) => item.consultationId === room && item.state === 'waiting')
    if (!next) return
    lane.busy = true
    void this.deliver(next, lane).finally(() => {
      lane.busy = false
      // After a failure that can be retried, the lane waits for its timer.
      if (next.state !== 'waiting') this.push(room)
    })
  }

  private async deliver(item: Unsent, lane: Lane): Promise<void> {
    this.update(item, { state: 'sending' })
    const { consultationId, clientId, kind, text, attachmentId, peaks, replyTo } = item
    try {
      const message = await this.options.send({ consultationId, clientId, kind, text, attachmentId, peaks, replyTo })
      lane.retryMs = firstRetryMs
      this.options.store.remove(clientId)
      if (this.items.includes(item)) this.update(item, { state: 'sent', message }, false)
      else item.state = 'sent'
    } catch (thrown) {
      const failure = Failure.from(thrown)
      if (!this.items.includes(item)) {
        item.state = 'sent' // seen in the log while the ack was lost
      } else if (failure.retryable || failure.code === 'unauthenticated') {
        // Logged out: it waits for the next login of the same account.
        this.update(item, { state: 'waiting' })
        if (!this.open) return
        lane.timer = setTimeout(() => this.push(consultationId), failure.retryAfterMs ?? lane.retryMs)
        lane.retryMs = Math.min(lastRetryMs, lane.retryMs * 2)
      } else {
        this.update(item, { state: 'failed', failure: { code: failure.code, message: failure.message, field: failure.field } })
      }
    }
  }

  private lane(room: string): Lane {
    let lane = this.lanes.get(room)
    if (!lane) this.lanes.set(room, (lane = { busy: false, retryMs: firstRetryMs }))
    return lane
  }

  private find(clientId: string): Unsent | undefined {
    return this.items.find((item) => item.clientId === clientId)
  }

  private update(item: Unsent, change: Partial<Unsent>, keep = true): void {
    Object.assign(item, change)
    if (keep) this.options.store.save(item)
    this.options.changed(item.consultationId)
  }

  private drop(item: Unsent): void {
    this.items.splice(this.items.indexOf(item), 1)
    this.options.store.remove(item.clientId)
    this.options.changed(item.consultationId)
  }
}

/** Forgets with the process. */
export function inMemory(): OutboxStore {
  return { load: () => [], save: () => undefined, remove: () => undefined }
}

const prefix = 'wenzhen.outbox.'

/** One key per message, so that tabs do not overwrite each other's. */
export function outboxIn(storage: Storage): OutboxStore {
  return {
    load() {
      const items: Unsent[] = []
      for (let i = 0; i < storage.length; i++) {
        const key = storage.key(i)
        if (!key?.startsWith(prefix)) continue
        try {
          items.push(JSON.parse(storage.getItem(key) ?? '') as Unsent)
        } catch {
          storage.removeItem(key)
        }
      }
      return items
    },
    save(item) {
      try {
        storage.setItem(prefix + item.clientId, JSON.stringify(item))
      } catch {
        // Storage is full or refused: the message is still sent from memory.
      }
    },
    remove: (clientId) => storage.removeItem(prefix + clientId),
  }
}
