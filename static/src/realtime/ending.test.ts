import { describe, expect, it } from 'vitest'
import type { Consultation } from '@/api/wire.gen'
import { refundOfEnding } from './ending'
import { kept } from './kept'
import { noteOf, notesOf } from './notes'

const consultation = (changes: Partial<Consultation>) => ({ status: 'active', price: 5000, createdAt: '2026-11-01T08:00:00Z', updatedAt: '2026-11-01T09:00:00Z', ...changes }) as Consultation
const answered = { answeredAt: '2026-11-01T08:30:00Z' }

describe('what is refunded to a patient who ends it', () => {
  it.each([
    ['free', { price: 0 }],
    ['unanswered', {}],
    ['unanswered', { doctorReview: true }],
    ['none', answered],
    ['review', { ...answered, doctorReview: true }],
    ['none', { ...answered, doctorReview: true, reopened: true }],
  ] as const)('%s', (refund, changes) => expect(refundOfEnding(consultation(changes))).toBe(refund))
})

describe('an update of a consultation', () => {
  it('keeps the complaint that events do not have', () => {
    expect(kept(consultation({ complaint: 'headache' }), consultation({ complaint: '' })).complaint).toBe('headache')
    expect(kept(undefined, consultation({ complaint: '' })).complaint).toBe('')
  })
  it('says once that it is on hold', () => {
    const held = consultation({ status: 'on_hold' })
    expect(noteOf(consultation({}), { at: held.updatedAt, data: held }).map((n) => n.kind)).toEqual(['held'])
    expect(noteOf(held, { at: held.updatedAt, data: { ...held, doctorReview: true } })).toEqual([])
  })
  it('does not say of the doctor or the patient what the clinic did', () => {
    for (const status of ['cancelled', 'ended', 'terminated'] as const) {
      expect(notesOf(consultation({ status, endedBy: 'clinic' })).map((n) => n.kind)).toEqual(['opened', 'clinic'])
    }
  })
})
