import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Failure } from '@/api/failure'
import { Receipts } from './receipts'
import { TypingNotice, TypingWatch } from './typing'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('Receipts', () => {
  test('many deliveries within a second are reported once', async () => {
    const report = vi.fn(() => Promise.resolve())
    const receipts = new Receipts(report)
    for (let seq = 1; seq <= 50; seq++) {
      receipts.hasDelivered(seq)
      await vi.advanceTimersByTimeAsync(19)
    }
    expect(report).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(50)
    expect(report.mock.calls).toEqual([['message:receive', 50]])
  })

  test('a read goes at once and makes the delivery needless', async () => {
    const report = vi.fn(() => Promise.resolve())
    const receipts = new Receipts(report)
    receipts.hasDelivered(3)
    receipts.hasRead(3)
    await vi.advanceTimersByTimeAsync(5000)
    expect(report.mock.calls).toEqual([['message:read', 3]])
  })

  test('a burst that is read does not become a burst of reads', async () => {
    const report = vi.fn(() => Promise.resolve())
    const receipts = new Receipts(report)
    for (let seq = 1; seq <= 200; seq++) {
      receipts.hasRead(seq)
      await vi.advanceTimersByTimeAsync(5)
    }
    await vi.advanceTimersByTimeAsync(1000)
    expect(report.mock.calls.length).toBeLessThan(7)
    expect(report.mock.calls.at(-1)).toEqual(['message:read', 200])
  })

  test('a mark that the server has is not sent again', async () => {
    const report = vi.fn(() => Promise.resolve())
    const receipts = new Receipts(report)
    receipts.known(9, 5)
    receipts.hasDelivered(8)
    receipts.hasRead(5)
    await vi.advanceTimersByTimeAsync(5000)
    expect(report).not.toHaveBeenCalled()
  })

  test('a receipt that failed is sent when the room is joined again', async () => {
    const report = vi.fn().mockRejectedValueOnce(Failure.offline()).mockResolvedValue(undefined)
    const receipts = new Receipts(report)
    receipts.hasRead(4)
    await vi.advanceTimersByTimeAsync(0)
    receipts.known(0, 0)
    receipts.flush()
    expect(report.mock.calls).toEqual([
      ['message:read', 4],
      ['message:read', 4],
    ])
  })
})

describe('typing', () => {
  test('is sent at once, every 4 s while it continues, and ended after a pause', async () => {
    const sent: string[] = []
    const notice = new TypingNotice((name) => sent.push(name))
    for (let i = 0; i < 9; i++) {
      notice.wrote()
      await vi.advanceTimersByTimeAsync(1000)
    }
    expect(sent).toEqual(['typing:start', 'typing:start', 'typing:start'])
    await vi.advanceTimersByTimeAsync(5000)
    expect(sent.at(-1)).toBe('typing:stop')
    notice.stop()
    expect(sent.filter((name) => name === 'typing:stop')).toHaveLength(1)
  })

  test('of someone else is hidden after 6 s when its stop got lost', async () => {
    let who: string[] = []
    const watch = new TypingWatch((ids) => (who = ids))
    watch.started('d')
    await vi.advanceTimersByTimeAsync(4000)
    watch.started('d')
    await vi.advanceTimersByTimeAsync(5999)
    expect(who).toEqual(['d'])
    await vi.advanceTimersByTimeAsync(1)
    expect(who).toEqual([])
  })
})
