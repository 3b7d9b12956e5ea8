/** What the audit log notes, as commands are called; it may know others. */
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
] as const

/** The parts of a subject: `patient:<id>`. */
export function subjectOf(subject: string): { kind: string; id: string } {
  const colon = subject.indexOf(':')
  return { kind: subject.slice(0, colon), id: subject.slice(colon + 1) }
}
