import { beforeEach, expect, test } from 'vitest'
import type { Connection, Link } from './connection.js'
import { Failure } from './failure.js'
import { roomOf } from './protocol.js'
import { Wenzhen } from './wenzhen.js'
import type { Entry, ConsultationJoined, Message, SendInput } from './wire.gen.js'

const me = 'me'

/** A connection to a server that keeps one room's log. */
class FakeConnection {
  link: Link = 'connecting'
  readonly log: Entry[] = []
  readonly asked: string[] = []
  /** Fails the next message after it was written, as a lost acknowledgement does. */
  loseAnswer = false
  refuse: Failure | undefined
  private readonly links: ((link: Link) => void)[] = []
  private readonly entries: ((entry: Entry) => void)[] = []

  onLink(listener: (link: Link) => void) {
    this.links.push(listener)
    return () => undefined
  }
  onEntry(listener: (entry: Entry) => void) {
    this.entries.push(listener)
    return () => undefined
  }
  close() {
    this.become('offline')
  }
  become(link: Link) {
    this.link = link
    for (const listener of this.links) listener(link)
  }
  write(senderId: string, clientId: string, text: string): Message {
    const seq = this.log.length + 1
    const data = { id: `m${seq}`, seq, clientId, senderId, text, kind: 'text' } as Message
    const entry = { room: roomOf('c'), seq, id: `e${seq}`, name: 'message:created', at: '', actorId: senderId, data }
    this.log.push(entry)
    if (this.link === 'online') for (const listener of this.entries) listener(entry)
    return data
  }
  readonly ask = async (name: string, input: unknown): Promise<unknown> => {
    this.asked.push(name)
    if (this.link !== 'online') throw Failure.offline()
    if (name === 'consultation:join') {
      const { after } = input as { after?: number }
      return { lastSeq: this.log.length, events: this.log.slice(after ?? 0), hasMore: false } as unknown as ConsultationJoined
    }
    if (name !== 'message:send') return {}
    if (this.refuse) throw this.refuse
    const { clientId, text } = input as SendInput
    const known = this.log.map((entry) => entry.data as Message).find((message) => message.clientId === clientId)
    if (this.loseAnswer) {
      this.loseAnswer = false
      this.become('offline')
      this.write(me, clientId, text ?? '')
      throw Failure.offline()
    }
    return known ?? this.write(me, clientId, text ?? '')
  }
}

let connection: FakeConnection
let wenzhen: Wenzhen

beforeEach(() => {
  connection = new FakeConnection()
  wenzhen = new Wenzhen(connection as unknown as Connection, me)
})

test('a room delivers the events after `after`, then new ones, once each', async () => {
  for (const text of ['a', 'b', 'c']) connection.write('other', text, text)
  const seen: number[] = []
  const room = wenzhen.join('c', { after: 1 })
  room.on('message:created', (event) => seen.push(event.seq))
  connection.become('online')
  await room.joined
  connection.write('other', 'd', 'd')
  connection.become('offline')
  connection.write('other', 'e', 'e')
  connection.become('online')
  await expect.poll(() => seen).toEqual([2, 3, 4, 5])
  expect(room.lastSeq).toBe(5)
})

test('what is said while the connection is away resolves once the server has it', async () => {
  const room = wenzhen.join('c', { after: 0 })
  const said = room.say('hello')
  expect(room.unsent).toHaveLength(1)
  connection.become('online')
  expect(await said).toMatchObject({ text: 'hello', seq: 1 })
  expect(room.unsent).toEqual([])
})

test('a message whose acknowledgement got lost is there once, and resolves', async () => {
  const room = wenzhen.join('c', { after: 0 })
  connection.become('online')
  await room.joined
  connection.loseAnswer = true
  const said = room.say('once')
  await expect.poll(() => connection.link).toBe('offline')
  connection.become('online')
  expect(await said).toMatchObject({ text: 'once', seq: 1 })
  expect(connection.log).toHaveLength(1)
})

test('what the server refuses rejects, and is not tried again', async () => {
  connection.become('online')
  const room = wenzhen.join('c')
  connection.refuse = new Failure({ code: 'closed', message: 'read-only', retryable: false })
  await expect(room.say('late')).rejects.toMatchObject({ code: 'closed' })
  expect(room.unsent).toEqual([])
  expect(connection.asked.filter((name) => name === 'message:send')).toHaveLength(1)
})

test('a room that was left says no more', async () => {
  const room = wenzhen.join('c')
  connection.become('online')
  await room.joined
  const seen: unknown[] = []
  room.on('*', (event) => seen.push(event))
  wenzhen.leave(room)
  connection.write('other', 'x', 'x')
  expect(seen).toEqual([])
  expect(connection.asked).toContain('consultation:leave')
  wenzhen.join('c') // and may be entered anew
})
