import type { Consultation } from '@/api/wire.gen'

/** What is refunded to a patient who ends a consultation that goes on: everything without an answer, or while the doctor cannot sign. */
export function refundOfEnding(c: Consultation): 'free' | 'unanswered' | 'review' | 'none' {
  if (c.price === 0) return 'free'
  if (!c.answeredAt) return 'unanswered'
  return c.doctorReview && !c.reopened ? 'review' : 'none'
}
