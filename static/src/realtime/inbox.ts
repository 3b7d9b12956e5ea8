import type { NotificationArrived, Inbox as InboxPage, NotificationMarked, Notification } from '@/api/wire.gen'

/**
 * The user's inbox on this device. Events may arrive twice, late or in any
 * order: of two counts the one with the higher seq is used.
 */
export class Inbox {
  readonly byId = new Map<string, Notification>()
  unread = 0
  private seq = 0

  /** The latest first. */
  get items(): Notification[] {
    return [...this.byId.values()].sort((a, b) => b.seq - a.seq)
  }

  /** True if it was not known before. */
  arrived({ unread, ...notification }: NotificationArrived): boolean {
    this.count(notification.seq, unread)
    if (this.byId.has(notification.id)) return false
    this.byId.set(notification.id, notification)
    return true
  }

  marked({ seq, unread, ids }: NotificationMarked, at: string): void {
    this.count(seq, unread)
    for (const id of ids) {
      const known = this.byId.get(id)
      if (known) this.byId.set(id, { ...known, readAt: known.readAt ?? at })
    }
  }

  /** A page as the server has it: newer than anything that was known when it was asked for. */
  listed(page: InboxPage): void {
    this.count(page.lastSeq, page.unread)
    for (const notification of page.items) {
      const readAt = notification.readAt ?? this.byId.get(notification.id)?.readAt // read while the page was on its way
      this.byId.set(notification.id, { ...notification, readAt })
    }
  }

  clear(): void {
    this.byId.clear()
    this.unread = this.seq = 0
  }

  private count(seq: number, unread: number): void {
    if (seq < this.seq) return
    this.seq = seq
    this.unread = unread
  }
}
