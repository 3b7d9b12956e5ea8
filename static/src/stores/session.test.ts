import { createPinia, setActivePinia } from 'pinia'
import { expect, it } from 'vitest'
import type { User } from '@/api/wire.gen'
import { clock } from '@/format/time'
import { useSession } from './session'

it('shows times in the time zone of the account', () => {
  setActivePinia(createPinia())
  const session = useSession()
  const noon = '2026-12-01T12:00:00Z'
  session.user = { id: 'me', timeZone: 'Asia/Tokyo' } as User
  expect(clock(noon, 'en')).toBe('21:00')
  session.user = { id: 'me', timeZone: 'America/New_York' } as User
  expect(clock(noon, 'en')).toBe('07:00')
  session.user = undefined
  expect(clock(noon, 'en')).toBe(new Date(noon).toTimeString().slice(0, 5))
})
