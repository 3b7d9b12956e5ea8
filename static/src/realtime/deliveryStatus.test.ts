import { expect, test } from 'vitest'
import type { Unsent } from 'wenzhen-client'
import type { ConsultationPart, Participant } from '@/api/wire.gen'
import { counterparts, deliveryStatus, unsentStatus } from './deliveryStatus'

const person = (userId: string, role: ConsultationPart, deliveredUpTo = 0, readUpTo = 0): Participant => ({ userId, role, name: userId, joinedAt: '', deliveredUpTo, readUpTo })

test.each([
  ['it has not arrived', [0, 0], 'sent'],
  ['an earlier one arrived', [6, 0], 'sent'],
  ['it arrived', [7, 0], 'delivered'],
  ['an earlier one was read', [9, 6], 'delivered'],
  ['it was read', [7, 7], 'read'],
  ['reading implies arriving', [0, 8], 'read'],
] as const)('status of message 7 when %s', (_, [delivered, read], tick) => {
  expect(deliveryStatus(7, [person('d', 'doctor', delivered, read)])).toBe(tick)
})

test('with several readers the slowest counts', () => {
  expect(deliveryStatus(7, [person('p', 'patient', 9, 9), person('d', 'doctor', 7, 2)])).toBe('delivered')
  expect(deliveryStatus(7, [person('p', 'patient', 9, 9), person('d', 'doctor', 2, 2)])).toBe('sent')
})

test('without other participants a message is sent', () => {
  expect(deliveryStatus(7, [])).toBe('sent')
})

test('for patient and doctor the other one counts, for invited people both', () => {
  const all = [person('p', 'patient'), person('d', 'doctor'), person('r', 'relative')]
  const ids = (me: string) => counterparts(all, me).map((p) => p.userId)
  expect(ids('p')).toEqual(['d'])
  expect(ids('d')).toEqual(['p'])
  expect(ids('r')).toEqual(['p', 'd'])
})

test.each([
  ['waiting', 'sending'],
  ['sending', 'sending'],
  ['failed', 'failed'],
  ['sent', 'sent'],
] as const)('an unsent message that is %s shows %s', (state, tick) => {
  expect(unsentStatus({ state } as Unsent)).toBe(tick)
})
