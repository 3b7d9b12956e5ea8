import { at, http } from '@/api'
import type { Case, CaseFilter, CasePage, BreakGlassView, LegalHold, LegalHoldList, LogFilter, LogPage, PharmacistList, BreakGlassRecord, UserFilter, UserList, AuditVerdict } from '@/api/wire.gen'

/** REST of what an admin may do with records, and of who did what with them. */
export const oversightApi = {
  pharmacists: () => http.json<PharmacistList>('GET', '/admin/pharmacists'),
  appoint: (userId: string) => http.json<undefined>('POST', at('/admin/pharmacists', userId)),
  dismiss: (userId: string) => http.json<undefined>('DELETE', at('/admin/pharmacists', userId)),
  users: (filter: UserFilter) => http.json<UserList>('GET', '/admin/users', { query: { ...filter } }),

  holds: () => http.json<LegalHoldList>('GET', '/admin/holds'),
  hold: (userId: string, reason: string) => http.json<LegalHold>('POST', `${at('/admin/users', userId)}/hold`, { body: { reason } }),
  release: (userId: string) => http.json<undefined>('DELETE', `${at('/admin/users', userId)}/hold`),

  cases: (filter: CaseFilter) => http.json<CasePage>('GET', '/admin/consultations', { query: { ...filter } }),
  closeConsultation: (id: string, reason: string) => http.json<Case>('POST', `${at('/admin/consultations', id)}/close`, { body: { reason } }),
  enterConsultation: (id: string, reason: string, after = 0) =>
    http.json<BreakGlassView>('POST', `${at('/admin/consultations', id)}/break-glass`, { body: { reason, after } }),
  enterRecord: (patientId: string, reason: string) => http.json<BreakGlassRecord>('POST', `${at('/admin/patients', patientId)}/break-glass`, { body: { reason } }),

  audit: (filter: LogFilter) => http.json<LogPage>('GET', '/admin/audit', { query: { ...filter } }),
  auditWhole: (filter: LogFilter, reason: string) => http.json<LogPage>('POST', '/admin/audit/break-glass', { body: { ...filter, reason } }),
  verifyAudit: () => http.json<AuditVerdict>('POST', '/admin/audit/verify'),
}
