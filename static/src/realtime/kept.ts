import type { Consultation } from '@/api/wire.gen'

/** Merges an update of a consultation with fields of the previous state that its event does not have. */
export function kept(before: Consultation | undefined, now: Consultation): Consultation {
  const { complaint, priorDiagnosis, summary, reason, status } = before ?? {}
  return {
    ...now,
    complaint: now.complaint || (complaint ?? ''),
    priorDiagnosis: now.priorDiagnosis ?? priorDiagnosis,
    summary: now.summary ?? summary,
    reason: now.reason ?? (status === now.status ? reason : undefined),
  }
}
