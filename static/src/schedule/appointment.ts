import type { Appointment, AppointmentStatus, ScheduleParty } from '@/api/wire.gen'

// The rules of appointments, so that a page can say beforehand what the
// server would answer.

const minute = 60_000
const hour = 60 * minute

export const reschedulesMost = 2
const rescheduleBefore = 2 * hour
const checkInBefore = 15 * minute
const checkInUntil = 15 * minute

const ahead: AppointmentStatus[] = ['held', 'booked', 'checked_in', 'in_progress', 'reassign_pending']

/** Whether it is still to come or going on; everything else is history. */
export const isAhead = (a: Appointment) => ahead.includes(a.status)

/** The refund for a patient who cancels: the clinic's terms. */
export interface CancelTerms {
  /** Minutes before the start until which the refund is full. */
  fullMinutes: number
  /** Until so many minutes before it partPercent of the price, later nothing. */
  partMinutes: number
  partPercent: number
}

/** Those that hold where the server has not said others. */
export const usualTerms: CancelTerms = { fullMinutes: 24 * 60, partMinutes: 2 * 60, partPercent: 50 }

/** The refund when it is cancelled now, in percent of the price. */
export function refundPercent(a: Pick<Appointment, 'start' | 'status'>, now: number, by: ScheduleParty, terms: CancelTerms): number {
  const left = (Date.parse(a.start) - now) / minute
  if (by !== 'patient' || a.status === 'reassign_pending' || left >= terms.fullMinutes) return 100
  return left >= terms.partMinutes ? terms.partPercent : 0
}

export const canReschedule = (a: Appointment, now: number) =>
  a.status === 'booked' && a.reschedules < reschedulesMost && Date.parse(a.start) - now >= rescheduleBefore

export const canCancel = (a: Appointment) => a.status === 'held' || a.status === 'booked' || a.status === 'reassign_pending'

export type CheckIn = { state: 'early'; opensInMs: number } | { state: 'open'; closesInMs: number } | { state: 'over' }

export function checkInOf(a: Appointment, now: number): CheckIn {
  const start = Date.parse(a.start)
  if (a.status !== 'booked' || now >= start + checkInUntil) return { state: 'over' }
  if (now < start - checkInBefore) return { state: 'early', opensInMs: start - checkInBefore - now }
  return { state: 'open', closesInMs: start + checkInUntil - now }
}

/** The newer of two; events may come late and twice. */
export const newest = <T extends { updatedAt: string }>(a: T | undefined, b: T): T => (a && Date.parse(a.updatedAt) > Date.parse(b.updatedAt) ? a : b)
