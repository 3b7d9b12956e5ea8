import { expect, it, vi } from 'vitest'
import type { Call, Member, Signalling } from '@/api/wire.gen'
import { Mesh, polite, type Remote } from './mesh'
import type { PeerOptions } from './peer'

const member = (userId: string, role: Member['role'], deviceId = 'd'): Member => ({ userId, name: userId, role, status: 'joined', deviceId })
const call = (...members: Member[]): Call => ({
  id: 'c', consultationId: 'k', callerId: 'bo', medium: 'video', status: 'active', createdAt: '', members,
})
const signal = (from: string, device = 'd'): Signalling => ({ callId: 'c', from, fromDevice: device, toDevice: 'mine', candidate: { candidate: from } })

function mesh() {
  const made: { options: PeerOptions; receive: ReturnType<typeof vi.fn>; close: ReturnType<typeof vi.fn>; takePictures: ReturnType<typeof vi.fn> }[] = []
  let remotes: Remote[] = []
  const built = new Mesh({
    me: 'bo', device: 'mine', servers: [], relayOnly: false,
    tracks: () => ({ audio: null, video: null }),
    signal: () => undefined,
    renew: () => Promise.resolve([]),
    changed: (now) => (remotes = now),
    connect: (options) => {
      const peer = { options, stream: {} as MediaStream, receive: vi.fn(), close: vi.fn(), takePictures: vi.fn(), useTracks: () => Promise.resolve(), restart: () => Promise.resolve() }
      made.push(peer)
      return peer
    },
  })
  return { built, made, remotes: () => remotes }
}

it('connects with everyone who has joined, once', () => {
  const { built, made, remotes } = mesh()
  const c = call(member('bo', 'patient', 'mine'), member('wang', 'doctor'), { ...member('aunt', 'relative'), status: 'ringing' })
  built.update(c)
  built.update(c)
  expect(made).toHaveLength(1)
  expect(made[0]?.options.polite).toBe(true)
  expect(remotes().map((r) => [r.userId, r.path])).toEqual([['wang', 'connecting']])
  made[0]?.options.path('connected')
  expect(remotes()[0]?.path).toBe('connected')
})

it('keeps steps that come before their sender is known', () => {
  const { built, made } = mesh()
  built.receive(signal('wang'))
  built.receive(signal('wang', 'another'))
  built.receive({ ...signal('wang'), toDevice: 'not mine' })
  built.update(call(member('bo', 'patient', 'mine'), member('wang', 'doctor')))
  expect(made[0]?.receive).toHaveBeenCalledTimes(1)
  built.receive(signal('wang'))
  expect(made[0]?.receive).toHaveBeenCalledTimes(2)
})

it('connects anew with who has moved to another device, and lets go of who left', () => {
  const { built, made, remotes } = mesh()
  const mine = member('bo', 'patient', 'mine')
  built.update(call(mine, member('wang', 'doctor', 'desk')))
  built.update(call(mine, member('wang', 'doctor', 'phone')))
  expect(made[0]?.close).toHaveBeenCalled()
  expect(made).toHaveLength(2)
  built.update(call(mine, { ...member('wang', 'doctor', 'phone'), status: 'left' }))
  expect(made[1]?.close).toHaveBeenCalled()
  expect(remotes()).toEqual([])
})

it('does without the pictures of those who come later, too', () => {
  const { built, made } = mesh()
  const mine = member('bo', 'patient', 'mine')
  built.update(call(mine, member('wang', 'doctor')))
  built.takePictures(false)
  expect(made[0]?.takePictures).toHaveBeenLastCalledWith(false)
  built.update(call(mine, member('wang', 'doctor'), member('aunt', 'relative')))
  expect(made[1]?.takePictures).toHaveBeenLastCalledWith(false)
  built.takePictures(true)
  expect(made.map((peer) => peer.takePictures.mock.lastCall)).toEqual([[true], [true]])
})

it('has one polite side in every pair', () => {
  const all = [member('a', 'patient'), member('b', 'doctor'), member('c', 'relative'), member('d', 'interpreter')]
  for (const x of all) for (const y of all) if (x !== y) expect(polite(x, y)).toBe(!polite(y, x))
  expect(polite(member('a', 'patient'), member('b', 'doctor'))).toBe(true)
})
