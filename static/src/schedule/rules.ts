import type { Medium, ScheduleRule } from '@/api/wire.gen'
import { addDays, minutesOf, weekdayOf } from './zone'

// A week on the screen and the rules that say it. A day is YYYY-MM-DD, a time
// is what the clock shows in the schedule's zone.

export interface RuleBlock {
  index: number
  rule: ScheduleRule
  /** "2026-11-23T09:00", by the clock of the schedule's zone. */
  start: string
  end: string
}

const validOn = (rule: ScheduleRule, day: string) => (!rule.validFrom || rule.validFrom <= day) && (!rule.validUntil || day <= rule.validUntil)

/** Where the rules lie on the given days. */
export function ruleBlocks(rules: ScheduleRule[], days: string[]): RuleBlock[] {
  return days.flatMap((day) =>
    rules.flatMap((rule, index) => {
      if (rule.weekday !== weekdayOf(day) || !validOn(rule, day)) return []
      const end = rule.end === '24:00' ? `${addDays(day, 1)}T00:00` : `${day}T${rule.end}`
      return [{ index, rule, start: `${day}T${rule.start}`, end }]
    }),
  )
}

export interface Span {
  weekdays: number[]
  start: string
  end: string
}

/**
 * The weekdays and hours of what was dragged over. Over several days it is
 * the same hours on each, as a rectangle on the screen.
 */
export function spanOf(startDay: string, startTime: string, endDay: string, endTime: string): Span {
  const midnight = endTime === '00:00' && endDay > startDay
  const lastDay = midnight ? addDays(endDay, -1) : endDay
  const end = midnight ? '24:00' : endTime
  const weekdays = new Set<number>()
  for (let day = startDay; day <= lastDay && weekdays.size < 7; day = addDays(day, 1)) weekdays.add(weekdayOf(day))
  const [from, to] = minutesOf(startTime) < minutesOf(end) ? [startTime, end] : [end, startTime]
  return { weekdays: [...weekdays].sort(), start: from, end: to }
}

export interface RuleTerms {
  slotMinutes: number
  capacity: number
  media: Medium[]
  validFrom?: string
  validUntil?: string
}

export const rulesOf = (span: Span, terms: RuleTerms): ScheduleRule[] => span.weekdays.map((weekday) => ({ weekday, start: span.start, end: span.end, ...terms }))

const meets = (a: ScheduleRule, b: ScheduleRule) =>
  a.weekday === b.weekday &&
  minutesOf(a.start) < minutesOf(b.end) &&
  minutesOf(b.start) < minutesOf(a.end) &&
  (!a.validUntil || (b.validFrom ?? '') <= a.validUntil) &&
  (!b.validUntil || (a.validFrom ?? '') <= b.validUntil)

/** The first of the rules that lies over one of the others, which the server would refuse. */
export const overlapping = (fresh: ScheduleRule[], others: ScheduleRule[]): ScheduleRule | undefined => others.find((other) => fresh.some((rule) => meets(rule, other)))

const same = (a: ScheduleRule, b: ScheduleRule) =>
  a.weekday === b.weekday &&
  a.start === b.start &&
  a.end === b.end &&
  a.slotMinutes === b.slotMinutes &&
  a.capacity === b.capacity &&
  (a.validFrom ?? '') === (b.validFrom ?? '') &&
  (a.validUntil ?? '') === (b.validUntil ?? '') &&
  [...a.media].sort().join() === [...b.media].sort().join()

/** What is to be done to the rules; it can be done again to newer ones. */
export interface RuleChange {
  remove?: ScheduleRule
  add: ScheduleRule[]
}

export function changed(rules: ScheduleRule[], change: RuleChange): ScheduleRule[] {
  const { remove } = change
  const index = remove ? rules.findIndex((rule) => same(rule, remove)) : -1
  return inOrder([...rules.filter((_, i) => i !== index), ...change.add])
}

export const inOrder = (rules: ScheduleRule[]) => [...rules].sort((a, b) => a.weekday - b.weekday || minutesOf(a.start) - minutesOf(b.start))

/** How many slots fit, on a day without a change of clocks. */
export const slotsIn = (span: Pick<ScheduleRule, 'start' | 'end' | 'slotMinutes'>) =>
  span.slotMinutes > 0 ? Math.max(0, Math.floor((minutesOf(span.end) - minutesOf(span.start)) / span.slotMinutes)) : 0
