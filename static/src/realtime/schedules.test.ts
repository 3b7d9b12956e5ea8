import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { TokenKeeper } from '@/api/tokens'
import type { SlotChange, SlotList, SlotsInput } from '@/api/wire.gen'
import { SlotBoard } from '@/schedule/slotBoard'
import { Schedules } from './schedules'

/** A socket whose server answers what the test puts there. */
class FakeSocket {
  connected = false
  active = true
  list: SlotList = { items: [], nextCursor: '', timeZone: 'Asia/Shanghai' }
  readonly watched: SlotsInput[] = []
  readonly unwatched: string[] = []
  private readonly listeners = new Map<string, (data: unknown) => void>()

  on(name: string, listener: (data: never) => void) {
    this.listeners.set(name, listener as (data: unknown) => void)
    return this
  }
  emit(_name: string, input: { doctorId: string }) {
    this.unwatched.push(input.doctorId)
  }
  timeout() {
    return this
  }
  async emitWithAck(_name: string, input: SlotsInput) {
    this.watched.push(input)
    await Promise.resolve()
    return { ok: true, data: structuredClone(this.list) }
  }
  connect() {
    return this
  }
  disconnect() {
    this.drop()
    return this
  }
  receive(name: string, data: unknown) {
    this.listeners.get(name)?.(data)
  }
  join() {
    this.connected = true
    this.receive('connect', undefined)
  }
  drop() {
    this.connected = false
    this.receive('disconnect', 'transport close')
  }
}

const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 9, minute)).toISOString()
const slot = (minute: number) => ({ start: at(minute), end: at(minute + 15), available: 1, media: ['text' as const] })

let socket: FakeSocket
let schedules: Schedules
let board: SlotBoard
let outdated: number
const free = () => board.free(0).map((s) => s.start)
const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
  socket = new FakeSocket()
  board = new SlotBoard()
  outdated = 0
  const tokens = { onRenewed: () => () => undefined } as unknown as TokenKeeper
  schedules = new Schedules(socket as unknown as ConstructorParameters<typeof Schedules>[0], tokens)
})
afterEach(() => {
  schedules.close()
  vi.useRealTimers()
})

const watch = (doctorId = 'd') =>
  schedules.watch(
    { doctorId },
    {
      asking: () => board.asking(),
      answered: (list) => board.answered(list),
      failed: () => undefined,
      changed: (change: SlotChange) => board.change(change),
      outdated: () => outdated++,
    },
  )

describe('Schedules', () => {
  test('watches after connecting, and receives events of its doctor only', async () => {
    socket.list.items = [slot(0), slot(15)]
    watch()
    expect(socket.watched).toEqual([])
    socket.join()
    await settle()
    expect(free()).toEqual([at(0), at(15)])
    socket.receive('slot:updated', { doctorId: 'd', start: at(0), available: 0 })
    socket.receive('slot:updated', { doctorId: 'other', start: at(15), available: 0 })
    socket.receive('schedule:updated', { doctorId: 'other' })
    expect(free()).toEqual([at(15)])
    socket.receive('schedule:updated', { doctorId: 'd' })
    expect(outdated).toBe(1)
  })

  test('watches again after an interruption, and shows nothing stale', async () => {
    socket.list.items = [slot(0), slot(15)]
    watch()
    socket.join()
    await settle()
    socket.drop()
    socket.list.items = [slot(30)] // two were taken meanwhile, one was added
    socket.join()
    await settle()
    expect(free()).toEqual([at(30)])
    expect(socket.watched).toHaveLength(2)
  })

  test('an answer to a question that has been replaced is dropped', async () => {
    socket.join()
    const watching = watch()
    const other = { from: at(0), to: at(60) }
    watching.ask(other)
    socket.list.items = [slot(45)]
    await settle()
    expect(socket.watched).toEqual([{ doctorId: 'd' }, { doctorId: 'd', ...other }])
    expect(free()).toEqual([at(45)])
  })

  test('leaves a doctor with the last who watches', async () => {
    socket.join()
    const one = watch()
    const two = watch()
    one.stop()
    expect(socket.unwatched).toEqual([])
    two.stop()
    expect(socket.unwatched).toEqual(['d'])
    socket.receive('schedule:updated', { doctorId: 'd' })
    expect(outdated).toBe(0)
    await settle()
  })
})
