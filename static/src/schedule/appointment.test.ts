import { describe, expect, test } from 'vitest'
import type { Appointment } from '@/api/wire.gen'
import { canReschedule, checkInOf, newest, refundPercent, usualTerms } from './appointment'

const start = Date.parse('2026-11-23T09:00:00Z')
const minutes = (n: number) => n * 60_000
const booked = { status: 'booked', start: new Date(start).toISOString(), reschedules: 0, updatedAt: '2026-11-20T00:00:00Z' } as Appointment

describe('what the rules of appointments allow', () => {
  test.each([
    [24 * 60, 100],
    [24 * 60 - 1, 50],
    [120, 50],
    [119, 0],
    [-5, 0],
  ])('cancelled %d minutes before by the patient, %d %% is refunded', (before, percent) => {
    expect(refundPercent(booked, start - minutes(before), 'patient', usualTerms)).toBe(percent)
    expect(refundPercent(booked, start - minutes(before), 'doctor', usualTerms)).toBe(100)
    expect(refundPercent({ ...booked, status: 'reassign_pending' }, start - minutes(before), 'patient', usualTerms)).toBe(100)
  })

  test("the clinic's own terms are used", () => {
    const terms = { fullMinutes: 90, partMinutes: 0, partPercent: 30 }
    expect([91, 90, 89, 0, -1].map((before) => refundPercent(booked, start - minutes(before), 'patient', terms))).toEqual([100, 100, 30, 30, 0])
  })

  test('rescheduling twice, until two hours before', () => {
    expect(canReschedule(booked, start - minutes(120))).toBe(true)
    expect(canReschedule(booked, start - minutes(119))).toBe(false)
    expect(canReschedule({ ...booked, reschedules: 2 }, start - minutes(600))).toBe(false)
    expect(canReschedule({ ...booked, status: 'checked_in' }, start - minutes(600))).toBe(false)
  })

  test('check-in from 15 minutes before until 15 minutes after', () => {
    expect(checkInOf(booked, start - minutes(20))).toEqual({ state: 'early', opensInMs: minutes(5) })
    expect(checkInOf(booked, start - minutes(15))).toEqual({ state: 'open', closesInMs: minutes(30) })
    expect(checkInOf(booked, start + minutes(14))).toEqual({ state: 'open', closesInMs: minutes(1) })
    expect(checkInOf(booked, start + minutes(15))).toEqual({ state: 'over' })
    expect(checkInOf({ ...booked, status: 'cancelled' }, start)).toEqual({ state: 'over' })
  })

  test('of two states the newer one stays, in either order', () => {
    const later = { ...booked, status: 'cancelled' as const, updatedAt: '2026-11-21T00:00:00Z' }
    expect(newest(later, booked)).toBe(later)
    expect(newest(booked, later)).toBe(later)
    expect(newest(undefined, booked)).toBe(booked)
  })
})
