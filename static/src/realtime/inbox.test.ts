import { describe, expect, test } from 'vitest'
import type { NotificationArrived, NotificationMarked, Notification } from '@/api/wire.gen'
import { Inbox } from './inbox'

const at = '2026-11-01T12:00:00Z'
const one = (seq: number): Notification => ({ id: `n${seq}`, kind: 'message', topic: 'message', title: '', text: '', path: '/', seq, createdAt: at })
const arrived = (seq: number, unread: number): NotificationArrived => ({ ...one(seq), unread })
const marked = (seq: number, unread: number, ...ids: string[]): NotificationMarked => ({ seq, unread, ids })

/** All orders of a list. */
function orders<T>(list: T[]): T[][] {
  if (list.length < 2) return [list]
  return list.flatMap((first, i) => orders([...list.slice(0, i), ...list.slice(i + 1)]).map((rest) => [first, ...rest]))
}

describe('Inbox', () => {
  test('counts the same in any order of events', () => {
    const events = [arrived(1, 1), arrived(2, 2), marked(3, 1, 'n1'), arrived(4, 2), marked(5, 0, 'n2', 'n4')]
    for (const order of orders(events)) {
      const inbox = new Inbox()
      for (const event of [...order, ...order.slice(0, 2)]) {
        if ('ids' in event) inbox.marked(event, at)
        else inbox.arrived(event)
      }
      expect(inbox.unread).toBe(0)
    }
  })

  test('a page that was on its way brings nothing back', () => {
    const inbox = new Inbox()
    inbox.arrived(arrived(1, 1))
    inbox.marked(marked(2, 0, 'n1'), at)
    inbox.listed({ items: [one(1)], nextCursor: '', hasMore: false, unread: 1, lastSeq: 1 })
    expect(inbox.unread).toBe(0)
    expect(inbox.items[0]?.readAt).toBe(at)
  })

  test('shows the latest first, each once', () => {
    const inbox = new Inbox()
    expect([arrived(2, 1), arrived(1, 1), arrived(2, 1)].map((n) => inbox.arrived(n))).toEqual([true, true, false])
    expect(inbox.items.map((n) => n.seq)).toEqual([2, 1])
  })
})
