import { createPinia, setActivePinia } from 'pinia'
import { expect, it, vi } from 'vitest'
import type { RoomEvent } from 'wenzhen-client'
import type { Consultation } from '@/api/wire.gen'
import { useConsultations } from './consultations'

interface Ears {
  hint: (event: RoomEvent) => void
}

const { list, start } = vi.hoisted(() => ({ list: vi.fn(), start: vi.fn() }))
vi.mock('@/api', () => ({ api: { consultations: list } }))
vi.mock('@/billing/orders', () => ({ useOrders: vi.fn() }))
vi.mock('@/composables/newLoginToast', () => ({ showNewLoginToast: vi.fn() }))
vi.mock('./session', () => ({ useSession: () => ({ user: { id: 'me' } }) }))
vi.mock('./realtime', () => ({ useRealtime: () => ({ start }) }))

it('does not bring back a consultation that the user left while an older list was on its way', async () => {
  setActivePinia(createPinia())
  const store = useConsultations()
  const consultation = (id: string) => ({ id, status: 'active', updatedAt: '2026-12-01T00:00:00Z', createdAt: '2026-12-01T00:00:00Z' }) as Consultation
  let answer: (page: { items: Consultation[] }) => void = () => {}
  list.mockReturnValueOnce(new Promise((done) => (answer = done)))
  store.start('me')
  const { hint } = start.mock.calls[0]?.[1] as Ears
  hint({ name: 'participant:left', room: 'consultation:a', data: { userId: 'me' } } as RoomEvent)
  answer({ items: [consultation('a'), consultation('b')] })
  await vi.waitFor(() => expect(store.loaded).toBe(true))
  expect(store.open.map((c) => c.id)).toEqual(['b'])
  // Invited again, the user sees it again.
  list.mockResolvedValueOnce({ items: [consultation('a')] })
  await store.loadOpen()
  expect(store.open).toHaveLength(2)
})
