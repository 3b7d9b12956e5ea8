import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { emptyProbe, Probe } from './probe'

const { io } = vi.hoisted(() => ({ io: vi.fn() }))
vi.mock('socket.io-client', () => ({ io }))

const asked: string[] = []

/** A socket that is connected, whose server answers everything. */
const socket = {
  id: 's',
  connected: true,
  io: { engine: { transport: { name: 'websocket' }, once: () => undefined }, on: () => undefined },
  on: (name: string, listener: () => void) => name === 'connect' && listener(),
  timeout: () => socket,
  emitWithAck: (name: string) => Promise.resolve(asked.push(name)),
  disconnect: () => undefined,
}

beforeEach(() => {
  vi.useFakeTimers()
  io.mockReturnValue(socket)
})
afterEach(() => {
  vi.useRealTimers()
  io.mockReset()
})

// What it asks every two seconds would otherwise be a use of the login, and keep
// the session of a doctor who has left (decision 0018).
test('the connection is measured as a guest, without the login', async () => {
  const state = emptyProbe()
  const probe = new Probe(state)
  probe.start('automatic')
  await vi.advanceTimersByTimeAsync(10_000)
  probe.stop()
  expect(asked).toEqual(Array(6).fill('schedule:unwatch'))
  expect(state.roundTrips).toHaveLength(6)
  expect(io).toHaveBeenCalledTimes(1)
  const [namespace, options] = io.mock.calls[0] as [string, Record<string, unknown>]
  expect(namespace).toBe('/schedules')
  for (const credentials of ['auth', 'extraHeaders', 'query']) expect(options).not.toHaveProperty(credentials)
})
