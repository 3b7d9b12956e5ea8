/** The actions of the audit log, most of them names of commands; the log may have others. */
export const actions = [
  'record:read',
  'record:update',
  'record:break-glass',
  'consultation:break-glass',
  'diagnosis:sign',
  'diagnosis:read',
  'diagnosis:list',
  'diagnosis:print',
  'prescription:sign',
  'prescription:read',
  'prescription:list',
  'prescription:queue',
  'prescription:approve',
  'prescription:reject',
  'prescription:void',
  'prescription:print',
  'summary:sign',
  'summary:print',
  'pharmacist:appoint',
  'pharmacist:dismiss',
  'account:export',
  'account:erase',
  'hold:place',
  'hold:release',
  'socket:disconnect',
  'user:disconnect',
  'auth:login',
  'auth:failed',
  'message:read',
  'attachment:read',
  'order:refund',
  'order:search',
  'order:inspect',
  'user:list',
  'room:list',
  'socket:list',
  'consultation:invite',
  'consultation:close',
  'user:suspend',
  'user:unsuspend',
  'user:reset-second-factor',
  'doctor:verify',
  'doctor:unverify',
] as const

/** The parts of a subject: `patient:<id>`, or `users` for all of a kind. */
export function subjectOf(subject: string): { kind: string; id: string } {
  const colon = subject.indexOf(':')
  if (colon < 0) return { kind: subject, id: '' }
  return { kind: subject.slice(0, colon), id: subject.slice(colon + 1) }
}
