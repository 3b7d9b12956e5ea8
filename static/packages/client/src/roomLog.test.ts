import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Failure } from './failure.js'
import type { Entry, ConsultationJoined } from './wire.gen.js'
import { RoomLog } from './roomLog.js'

/** A server's log of one room, as consultation:join answers from it. */
class FakeRoom {
  readonly log: Entry[] = []
  readonly asked: (number | undefined)[] = []
  pageSize = 100
  failWith: Failure | undefined
  since = 0

  write(count: number): Entry[] {
    const fresh = Array.from({ length: count }, () => {
      const seq = this.log.length + 1
      const entry: Entry = { room: 'consultation:c', seq, id: `e${seq}`, name: 'message:created', at: '2026-01-01T00:00:00Z', actorId: 'u', data: {} }
      this.log.push(entry)
      return entry
    })
    return fresh
  }

  readonly join = async (after: number | undefined): Promise<ConsultationJoined> => {
    this.asked.push(after)
    await Promise.resolve()
    if (this.failWith) throw this.failWith
    const lastSeq = this.log.length
    const from = Math.max(after ?? Math.max(0, lastSeq - this.pageSize), this.since)
    const events = this.log.slice(from, from + this.pageSize)
    return { lastSeq, events, since: this.since, hasMore: from + events.length < lastSeq, readUpTo: 0, participants: [], presence: [] } as unknown as ConsultationJoined
  }
}

let room: FakeRoom
let seen: number[]
let resets: number
let failures: Failure[]
let log: RoomLog

beforeEach(() => {
  vi.useFakeTimers()
  room = new FakeRoom()
  seen = []
  resets = 0
  failures = []
  log = new RoomLog(room.join, {
    joined: () => undefined,
    deliver: (entry) => seen.push(entry.seq),
    reset: () => resets++,
    failed: (failure) => failures.push(failure),
  })
})
afterEach(() => vi.useRealTimers())

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
const settle = () => vi.advanceTimersByTimeAsync(60_000)

describe('RoomLog', () => {
  test('begins where it does for an invited person, also when they were let in anew', async () => {
    room.write(5)
    room.since = 3
    await log.catchUp()
    expect(seen).toEqual([4, 5])
    room.write(4)
    room.since = 7
    await log.catchUp()
    for (const entry of room.write(1)) log.receive(entry)
    expect(seen).toEqual([4, 5, 8, 9, 10])
    expect(failures).toEqual([])
  })

  test('delivers what the join answers, then what comes live', async () => {
    room.write(3)
    await log.catchUp()
    for (const entry of room.write(2)) log.receive(entry)
    expect(seen).toEqual(upTo(5))
    expect(room.asked).toEqual([undefined])
  })

  test('begins where the newest page begins when the log is long', async () => {
    room.pageSize = 10
    room.write(25)
    await log.catchUp()
    expect(seen).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25])
  })

  test('drops what it has delivered', async () => {
    const entries = room.write(3)
    await log.catchUp()
    for (const entry of [...entries, ...entries]) log.receive(entry)
    expect(seen).toEqual(upTo(3))
  })

  test('puts in order what comes out of order, without asking twice for one gap', async () => {
    await log.catchUp()
    const [one, two, three] = room.write(3)
    for (const entry of [three, one, two]) if (entry) log.receive(entry)
    await settle()
    expect(seen).toEqual(upTo(3))
    expect(room.asked).toEqual([undefined, 0])
  })

  test('on a gap it reads again from the last seq', async () => {
    room.write(2)
    await log.catchUp()
    room.write(3) // lost on the way
    for (const entry of room.write(1)) log.receive(entry)
    await settle()
    expect(seen).toEqual(upTo(6))
    expect(room.asked).toEqual([undefined, 2])
  })

  test('reads page after page until it has caught up', async () => {
    room.write(1)
    await log.catchUp()
    room.pageSize = 2
    room.write(9)
    await log.catchUp()
    expect(seen).toEqual(upTo(10))
    expect(room.asked).toEqual([undefined, 1, 3, 5, 7, 9])
  })

  test('keeps what arrives before the first join has been answered', async () => {
    room.write(2)
    const joining = log.catchUp()
    for (const entry of room.write(2)) log.receive(entry)
    await joining
    await settle()
    expect(seen).toEqual(upTo(4))
  })

  test('tries again, later and later, until the server answers', async () => {
    room.write(1)
    room.failWith = Failure.timeout()
    await log.catchUp()
    await vi.advanceTimersByTimeAsync(499)
    expect(room.asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(room.asked).toHaveLength(2)
    room.failWith = undefined
    await settle()
    expect(seen).toEqual([1])
    expect(failures).toHaveLength(2)
  })

  test('waits for the connection when it is offline', async () => {
    room.failWith = Failure.offline()
    await log.catchUp()
    await settle()
    expect(room.asked).toHaveLength(1)
  })

  test('gives up on what will not change', async () => {
    room.failWith = new Failure({ code: 'not_found', message: 'no such consultation', retryable: false })
    await log.catchUp()
    await settle()
    expect(room.asked).toHaveLength(1)
    expect(failures[0]?.code).toBe('not_found')
  })

  test('does not ask at once for every event while a gap cannot be filled', async () => {
    room.write(1)
    await log.catchUp()
    room.failWith = Failure.timeout()
    room.write(1)
    for (const entry of room.write(50)) log.receive(entry)
    await vi.advanceTimersByTimeAsync(0)
    for (const entry of room.write(50)) log.receive(entry)
    await vi.advanceTimersByTimeAsync(0)
    expect(room.asked).toHaveLength(2)
    room.failWith = undefined
    await settle()
    expect(seen).toEqual(upTo(102))
  })

  test('starts over when the server has gone back in time', async () => {
    room.write(5)
    await log.catchUp()
    room.log.splice(2)
    await log.catchUp()
    expect(resets).toBe(1)
    expect(seen).toEqual([1, 2, 3, 4, 5, 1, 2])
  })

  test('delivers each of many events once and in order, also when they are lost, repeated or reordered', async () => {
    let random = 7
    const chance = () => (random = (random * 16807) % 2147483647) / 2147483647
    await log.catchUp()
    const late: Entry[] = []
    for (let i = 0; i < 1000; i++) {
      for (const entry of room.write(1)) {
        if (chance() < 0.15) continue // lost
        if (chance() < 0.2) late.push(entry)
        else log.receive(entry)
        if (chance() < 0.1) log.receive(entry) // twice
      }
      if (late.length > 3) for (const entry of late.splice(0).reverse()) log.receive(entry)
      if (chance() < 0.02) void log.catchUp() // a reconnect
      if (chance() < 0.3) await vi.advanceTimersByTimeAsync(1)
    }
    await log.catchUp()
    await settle()
    expect(seen).toEqual(upTo(1000))
  })

  test('is silent once closed', async () => {
    await log.catchUp()
    log.close()
    for (const entry of room.write(1)) log.receive(entry)
    await log.catchUp()
    expect(seen).toEqual([])
  })
})
