import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Invitation, Wait } from '@/api/wire.gen'
import { useAppointments } from './appointments'
import { freshList } from './freshList'
import { useInvitations } from './invitations'

const { ask, waits, between } = vi.hoisted(() => ({ ask: vi.fn(), waits: vi.fn(), between: vi.fn() }))
vi.mock('./realtime', () => ({ useRealtime: () => ({ ask }) }))

vi.mock('./session', () => ({ useSession: () => ({ role: 'patient', user: { id: 'u' } }) }))
vi.mock('./schedules', () => ({ useSchedules: () => ({ follow: vi.fn(), stop: vi.fn() }) }))
vi.mock('./consultations', () => ({ useConsultations: () => ({ put: vi.fn() }) }))
vi.mock('@/api/schedule', () => ({ scheduleApi: { waits, appointments: between } }))

function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((done) => (resolve = done))
  return { promise, resolve }
}

describe('freshList', () => {
  it('puts what changed during a request behind its answer', async () => {
    const list = freshList<string>()
    list.changed('before')
    const request = deferred<string[]>()
    const loaded = list.load(request.promise)
    list.changed('during')
    request.resolve(['answered'])
    expect(await loaded).toEqual(['answered', 'during'])
    expect(await list.load(Promise.resolve([]))).toEqual([])
  })

  it('forgets a request that failed', async () => {
    const list = freshList<string>()
    await expect(list.load(Promise.reject(new Error('no')))).rejects.toThrow('no')
    list.changed('later')
    expect(await list.load(Promise.resolve(['answered']))).toEqual(['answered'])
  })
})

describe('invitations', () => {
  beforeEach(() => setActivePinia(createPinia()))
  const invitation = (id: string, status: string, consultationId = 'c') => ({ id, status, consultationId }) as Invitation

  it('keeps the events that arrive before an older list', async () => {
    const store = useInvitations()
    const request = deferred<{ items: Invitation[] }>()
    ask.mockReturnValueOnce(request.promise)
    const loaded = store.load('c')
    store.put(invitation('1', 'accepted'))
    store.put(invitation('2', 'proposed'))
    store.put(invitation('3', 'proposed', 'another'))
    request.resolve({ items: [invitation('1', 'proposed'), invitation('0', 'declined')] })
    await loaded
    expect(store.of('c').map((i) => `${i.id} ${i.status}`)).toEqual(['1 accepted', '0 declined', '2 proposed'])
    expect(store.of('another')).toHaveLength(1)
  })
})

describe('appointments', () => {
  it('keep an offer that arrives before an older list of places', async () => {
    setActivePinia(createPinia())
    const store = useAppointments()
    const request = deferred<{ items: Wait[] }>()
    const place = (status: string) => ({ id: 'w', status }) as Wait
    waits.mockReturnValueOnce(request.promise)
    between.mockResolvedValue({ items: [], nextCursor: '' })
    const loaded = store.load()
    store.putWait(place('offered'))
    request.resolve({ items: [place('waiting')] })
    await loaded
    expect(store.failure).toBeUndefined()
    expect(store.waits.map((w) => w.status)).toEqual(['offered'])
  })
})
