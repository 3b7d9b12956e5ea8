import type { Consultation } from '@/api/wire.gen'

/** An update of a consultation, with what is known of it and no part of this event. */
export function kept(before: Consultation | undefined, now: Consultation): Consultation {
  const { priorDiagnosis, summary, reason, status } = before ?? {}
  return {
    ...now,
    priorDiagnosis: now.priorDiagnosis ?? priorDiagnosis,
    summary: now.summary ?? summary,
    reason: now.reason ?? (status === now.status ? reason : undefined),
  }
}
