import type { Consultation, Entry } from '@/api/wire.gen'

export type NoteKind = 'opened' | 'accepted' | 'held' | 'resumed' | 'reopened' | 'ended' | 'closed' | 'cancelled' | 'declined' | 'expired' | 'terminated' | 'clinic'

/** A change of status that is shown between messages: "the doctor accepted". */
export interface Note {
  id: string
  kind: NoteKind
  at: string
  reason?: string
}

const note = (kind: NoteKind, at: string, reason?: string): Note => ({ id: `${kind}:${at}`, kind, at, reason })

/** The notes that a consultation's own fields give, without its log. */
export function notesOf(c: Consultation): Note[] {
  const notes = [note('opened', c.createdAt)]
  if (c.acceptedAt) notes.push(note('accepted', c.acceptedAt))
  switch (c.status) {
    case 'ended':
    case 'cancelled':
    case 'declined':
    case 'expired':
    case 'terminated':
      notes.push(note(c.endedBy === 'clinic' ? 'clinic' : c.status, c.endedAt ?? c.updatedAt, c.reason))
      break
    case 'closed':
      if (c.endedAt) notes.push(note('ended', c.endedAt, c.reason))
      break
  }
  return notes
}

/**
 * The notes of an update, also of changes that the consultation does not store.
 * before is the state in the previous event of the log, not the newest one.
 */
export function noteOf(before: Consultation | undefined, event: Pick<Entry, 'at'> & { data: Consultation }): Note[] {
  const c = event.data
  if (c.status === 'on_hold' && before?.status === 'on_hold' && !c.reason) return [] // something else of it changed
  if (c.status === 'on_hold') return [note('held', event.at, c.reason)]
  if (c.status === 'active' && before?.status === 'on_hold') return [note('resumed', event.at)]
  if (c.status === 'active' && before?.status === 'ended') return [note('reopened', event.at)]
  return notesOf(c)
}
