import type { ExceptionInput, ExceptionKind, Medium, ScheduleRule } from '@/api/wire.gen'
import { overlapping, slotsIn, type Span } from './rules'
import { instantIn, minutesOf } from './zone'

export type HoursKind = 'weekly' | ExceptionKind

/** What the form of hours holds; times as the clock of the schedule's zone shows them. */
export interface HoursDraft extends Span {
  kind: HoursKind
  startDay: string
  endDay: string
  slotMinutes: number
  capacity: number
  media: Medium[]
  validFrom: string
  validUntil: string
  note: string
  substituteId: string
  /** The rule that is edited; a new one when left out. */
  editing?: ScheduleRule
}

const allMedia: Medium[] = ['text', 'voice', 'video']

export function newDraft(kind: HoursKind, day: string, more: Partial<HoursDraft> = {}): HoursDraft {
  const terms = { slotMinutes: 15, capacity: 1, media: allMedia, validFrom: '', validUntil: '', note: '', substituteId: '' }
  return { kind, weekdays: [], start: '09:00', end: '12:00', startDay: day, endDay: day, ...terms, ...more }
}

export const draftOf = (rule: ScheduleRule, day: string): HoursDraft =>
  newDraft('weekly', day, {
    weekdays: [rule.weekday],
    start: rule.start,
    end: fieldTime(rule.end),
    slotMinutes: rule.slotMinutes,
    capacity: rule.capacity,
    media: [...rule.media],
    validFrom: rule.validFrom ?? '',
    validUntil: rule.validUntil ?? '',
    editing: rule,
  })

/** A time field has no 24:00: midnight at the end of a day is 00:00 there. */
export const fieldTime = (time: string) => (time === '24:00' ? '00:00' : time)
const ruleEnd = (draft: HoursDraft) => (draft.end === '00:00' ? '24:00' : draft.end)

export function rulesOfDraft(draft: HoursDraft): ScheduleRule[] {
  const { start, slotMinutes, capacity, media } = draft
  return [...draft.weekdays].sort().map((weekday) => ({
    weekday,
    start,
    end: ruleEnd(draft),
    slotMinutes,
    capacity,
    media: [...media],
    validFrom: draft.validFrom || undefined,
    validUntil: draft.validUntil || undefined,
  }))
}

export function exceptionOfDraft(draft: HoursDraft, zone: string): ExceptionInput {
  const common = {
    start: instantIn(zone, draft.startDay, draft.start).toISOString(),
    end: instantIn(zone, draft.endDay, draft.end).toISOString(),
    note: draft.note.trim() || undefined,
  }
  if (draft.kind === 'time_off') return { kind: 'time_off', ...common, substituteId: draft.substituteId || undefined }
  return { kind: 'extra', ...common, slotMinutes: draft.slotMinutes, capacity: draft.capacity, media: [...draft.media] }
}

export type DraftProblem =
  | { field: 'weekdays' | 'media' | 'end' | 'slotMinutes' | 'validUntil'; text: string }
  | { field: 'start'; text: 'hours.overlaps'; rule: ScheduleRule }

/** What is wrong with a draft, before the server says it; others are the rules beside it. */
export function problemOf(draft: HoursDraft, zone: string, others: ScheduleRule[]): DraftProblem | undefined {
  const weekly = draft.kind === 'weekly'
  if (weekly && draft.weekdays.length === 0) return { field: 'weekdays', text: 'hours.weekdaysMissing' }
  if (draft.kind !== 'time_off' && draft.media.length === 0) return { field: 'media', text: 'hours.mediaMissing' }
  if (!weekly) {
    const { start, end } = exceptionOfDraft(draft, zone)
    if (end <= start) return { field: 'end', text: 'hours.endBeforeStart' }
    const minutes = (Date.parse(end) - Date.parse(start)) / 60_000
    if (draft.kind === 'extra' && minutes < draft.slotMinutes) return { field: 'slotMinutes', text: 'hours.noSlotFits' }
    return undefined
  }
  if (minutesOf(ruleEnd(draft)) <= minutesOf(draft.start)) return { field: 'end', text: 'hours.endBeforeStart' }
  if (slotsIn({ start: draft.start, end: ruleEnd(draft), slotMinutes: draft.slotMinutes }) === 0) return { field: 'slotMinutes', text: 'hours.noSlotFits' }
  if (draft.validFrom && draft.validUntil && draft.validUntil < draft.validFrom) return { field: 'validUntil', text: 'hours.untilBeforeFrom' }
  const rule = overlapping(rulesOfDraft(draft), others)
  return rule && { field: 'start', text: 'hours.overlaps', rule }
}
