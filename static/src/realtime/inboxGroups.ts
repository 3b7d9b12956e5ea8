import type { Notification } from '@/api/wire.gen'
import { sameDay } from '@/format/time'

/** One row of the inbox: a notification, or consecutive message notifications of one consultation. */
export interface InboxGroup {
  latest: Notification
  count: number
  /** The ids of the notifications that are unread. */
  unread: string[]
}

/** Groups notifications by day. Both the notifications and the result are sorted with the latest first. */
export function inboxGroups(notifications: readonly Notification[]): { day: string; groups: InboxGroup[] }[] {
  const days: { day: string; groups: InboxGroup[] }[] = []
  for (const n of notifications) {
    let current = days.at(-1)
    if (!current || !sameDay(current.day, n.createdAt)) days.push((current = { day: n.createdAt, groups: [] }))
    const unread = n.readAt ? [] : [n.id]
    const group = current.groups.at(-1)
    if (group && n.kind === 'message' && group.latest.kind === 'message' && group.latest.consultationId === n.consultationId) {
      group.count++
      group.unread.push(...unread)
    } else {
      current.groups.push({ latest: n, count: 1, unread })
    }
  }
  return days
}
