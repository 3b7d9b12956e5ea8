import type { Notification } from '@/api/wire.gen'
import { sameDay } from '@/format/time'

/** One line of the inbox: a notification, or the messages of one conversation that came in a row. */
export interface Line {
  latest: Notification
  count: number
  unread: string[]
}

/** The notifications, latest first, as lines of days, latest first. */
export function linesOf(notifications: readonly Notification[]): { day: string; lines: Line[] }[] {
  const days: { day: string; lines: Line[] }[] = []
  for (const n of notifications) {
    let today = days.at(-1)
    if (!today || !sameDay(today.day, n.createdAt)) days.push((today = { day: n.createdAt, lines: [] }))
    const unread = n.readAt ? [] : [n.id]
    const line = today.lines.at(-1)
    if (line && n.kind === 'message' && line.latest.kind === 'message' && line.latest.consultationId === n.consultationId) {
      line.count++
      line.unread.push(...unread)
    } else {
      today.lines.push({ latest: n, count: 1, unread })
    }
  }
  return days
}
