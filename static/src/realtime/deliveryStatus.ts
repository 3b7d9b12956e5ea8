import type { Unsent } from 'wenzhen-client'
import type { Participant } from '@/api/wire.gen'

export type DeliveryStatus = 'sending' | 'failed' | 'sent' | 'delivered' | 'read'

/** Returns the participants whose read marks count: for patient and doctor the other one, for invited people both. */
export function counterparts(participants: readonly Participant[], me: string): Participant[] {
  const mine = participants.find((p) => p.userId === me)?.role
  return participants.filter((p) => {
    if (p.userId === me) return false
    if (mine === 'patient') return p.role === 'doctor'
    if (mine === 'doctor') return p.role === 'patient'
    return p.role === 'patient' || p.role === 'doctor'
  })
}

/** Returns the status of the user's message with a seq, from the watermarks of the other participants. */
export function deliveryStatus(seq: number, others: readonly Participant[]): DeliveryStatus {
  if (others.length === 0) return 'sent'
  if (others.every((p) => p.readUpTo >= seq)) return 'read'
  if (others.every((p) => Math.max(p.deliveredUpTo, p.readUpTo) >= seq)) return 'delivered'
  return 'sent'
}

export function unsentStatus(item: Unsent): DeliveryStatus {
  if (item.state === 'failed' || item.state === 'sent') return item.state
  return 'sending'
}
