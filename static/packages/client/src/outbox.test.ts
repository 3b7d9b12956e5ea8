import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Failure } from './failure.js'
import type { Message, SendInput } from './wire.gen.js'
import { Outbox, outboxIn } from './outbox.js'

const me = 'me'
let received: SendInput[]
let sent: Map<string, Message>
let answer: (input: SendInput) => Promise<void>
let ids: number

/** The server's side: stores once per clientId, then answers or fails. */
async function send(input: SendInput): Promise<Message> {
  received.push(input)
  await answer(input)
  const known = sent.get(input.clientId)
  const message = known ?? ({ ...input, id: `m${sent.size + 1}`, seq: sent.size + 1, senderId: me, createdAt: '' } as Message)
  sent.set(input.clientId, message)
  return message
}

function open(senderId = me): Outbox {
  const outbox = new Outbox({ senderId, store: outboxIn(localStorage), send, changed: () => undefined, newId: () => `id-${++ids}` })
  return outbox
}

const say = (outbox: Outbox, text: string, consultationId = 'c') => outbox.add({ consultationId, kind: 'text', text })
const texts = () => received.map((input) => input.text)
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-01T00:00:00Z') })
  localStorage.clear()
  received = []
  sent = new Map()
  ids = 0
  answer = () => Promise.resolve()
})
afterEach(() => vi.useRealTimers())

describe('Outbox', () => {
  test('sends in order, one at a time per consultation', async () => {
    const answers: (() => void)[] = []
    answer = () => new Promise((resolve) => answers.push(resolve))
    const outbox = open()
    outbox.resume()
    for (const text of ['1', '2', '3']) say(outbox, text)
    say(outbox, 'other', 'd')
    await settle()
    expect(texts()).toEqual(['1', 'other'])
    for (let i = 0; i < 4; i++) {
      answers.shift()?.()
      await settle()
    }
    expect(texts()).toEqual(['1', 'other', '2', '3'])
    expect(outbox.size).toBe(0)
  })

  test('keeps what is written while the connection is away', async () => {
    const outbox = open()
    say(outbox, 'a')
    await settle(60_000)
    expect(received).toEqual([])
    outbox.resume()
    await settle()
    expect(texts()).toEqual(['a'])
  })

  test('leaves nothing in the store when it is cleared, nor sends any of it', async () => {
    let fail: (thrown: Failure) => void = () => undefined
    answer = () => new Promise((_, reject) => (fail = reject))
    const outbox = open()
    outbox.resume()
    for (const text of ['under way', 'a secret', 'another']) say(outbox, text)
    say(outbox, 'elsewhere', 'd')
    await settle()
    outbox.clear()
    fail(Failure.offline())
    await settle(60_000)
    outbox.resume()
    await settle(60_000)
    expect(localStorage).toHaveLength(0)
    expect(outbox.size).toBe(0)
    expect(texts()).toEqual(['under way', 'elsewhere'])
    expect(open().size).toBe(0)
  })

  test('resends the same clientId after a timeout, before what was written later', async () => {
    answer = vi.fn().mockRejectedValueOnce(Failure.timeout()).mockResolvedValue(undefined)
    const outbox = open()
    outbox.resume()
    say(outbox, '1')
    say(outbox, '2')
    await settle(499)
    expect(texts()).toEqual(['1'])
    await settle(1)
    expect(texts()).toEqual(['1', '1', '2'])
    expect(received[0]?.clientId).toBe(received[1]?.clientId)
    expect(sent.size).toBe(2)
  })

  test('waits for the retryAfterMs of the server', async () => {
    const busy = new Failure({ code: 'rate_limited', message: 'slow down', retryable: true, retryAfterMs: 3000 })
    answer = vi.fn().mockRejectedValueOnce(busy).mockResolvedValue(undefined)
    const outbox = open()
    outbox.resume()
    say(outbox, '1')
    await settle(2999)
    expect(received).toHaveLength(1)
    await settle(1)
    expect(received).toHaveLength(2)
  })

  test('backs off while the server fails', async () => {
    answer = () => Promise.reject(Failure.timeout())
    const outbox = open()
    outbox.resume()
    say(outbox, '1')
    await settle(500 + 1000 + 2000)
    expect(received).toHaveLength(4)
    await settle(3999)
    expect(received).toHaveLength(4)
  })

  test('survives a reload, with its clientId and its place', async () => {
    const before = open()
    say(before, '1')
    await settle(5)
    say(before, '2')
    const after = open()
    expect(after.of('c').map((item) => [item.clientId, item.text, item.state])).toEqual([
      ['id-1', '1', 'waiting'],
      ['id-2', '2', 'waiting'],
    ])
    after.resume()
    await settle()
    expect(texts()).toEqual(['1', '2'])
    expect(open().size).toBe(0)
  })

  test('resends after a reload what was under way', async () => {
    answer = () => new Promise(() => undefined)
    const before = open()
    before.resume()
    say(before, '1')
    await settle()
    answer = () => Promise.resolve()
    const after = open()
    after.resume()
    await settle()
    expect(received.map((input) => input.clientId)).toEqual(['id-1', 'id-1'])
    expect(sent.size).toBe(1)
  })

  test('leaves alone what another account wrote in this browser', () => {
    say(open('someone else'), 'secret')
    expect(open().size).toBe(0)
    expect(open('someone else').size).toBe(1)
  })

  test('marks a message that the server refuses as failed, and sends the next', async () => {
    answer = vi.fn().mockRejectedValueOnce(new Failure({ code: 'too_large', field: 'text', message: 'long', retryable: false })).mockResolvedValue(undefined)
    const outbox = open()
    outbox.resume()
    say(outbox, 'long')
    say(outbox, 'next')
    await settle()
    expect(texts()).toEqual(['long', 'next'])
    const [failed] = outbox.of('c').filter((item) => item.state === 'failed')
    expect(failed?.failure).toEqual({ code: 'too_large', field: 'text', message: 'long' })
    outbox.retry(failed?.clientId ?? '')
    await settle()
    expect(outbox.size).toBe(0)
  })

  test('a login that ended is no reason to give a message up', async () => {
    answer = () => Promise.reject(new Failure({ code: 'unauthenticated', message: 'log in', retryable: false }))
    const before = open()
    before.resume()
    say(before, '1')
    await settle()
    before.pause()
    answer = () => Promise.resolve()
    const after = open()
    expect(after.of('c')[0]?.state).toBe('waiting')
    after.resume()
    await settle()
    expect(after.size).toBe(0)
  })

  test('forgets what is discarded', async () => {
    answer = () => Promise.reject(new Failure({ code: 'closed', message: 'closed', retryable: false }))
    const outbox = open()
    outbox.resume()
    const item = say(outbox, 'late')
    await settle()
    outbox.discard(item.clientId)
    expect(outbox.of('c')).toEqual([])
    expect(open().size).toBe(0)
  })

  test('does not send again what the log has shown while the ack was lost', async () => {
    let lose: (failure: Failure) => void = () => undefined
    answer = () => new Promise((_, reject) => (lose = reject))
    const outbox = open()
    outbox.resume()
    const item = say(outbox, '1')
    await settle()
    outbox.seen({ clientId: item.clientId, senderId: me } as Message)
    lose(Failure.offline())
    await settle(60_000)
    expect(received).toHaveLength(1)
    expect(outbox.of('c')).toEqual([])
    expect(open().size).toBe(0)
  })

  test('is not fooled by the same clientId of someone else', () => {
    const outbox = open()
    const item = say(outbox, '1')
    outbox.seen({ clientId: item.clientId, senderId: 'someone else' } as Message)
    expect(outbox.size).toBe(1)
  })

  test('shows what was acknowledged until the log has it', async () => {
    const outbox = open()
    outbox.resume()
    say(outbox, '1')
    await settle()
    expect(outbox.of('c')[0]).toMatchObject({ state: 'sent', message: { seq: 1 } })
    expect(open().of('c')).toEqual([])
    outbox.seen(sent.get('id-1') as Message)
    expect(outbox.of('c')).toEqual([])
  })

  test('sends immediately when the connection is back', async () => {
    answer = vi.fn().mockRejectedValueOnce(Failure.offline()).mockResolvedValue(undefined)
    const outbox = open()
    outbox.resume()
    say(outbox, '1')
    outbox.pause()
    await settle(60_000)
    expect(received).toHaveLength(1)
    outbox.resume()
    await settle()
    expect(received).toHaveLength(2)
    expect(outbox.size).toBe(0)
  })
})
