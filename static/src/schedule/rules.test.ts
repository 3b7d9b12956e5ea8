import { describe, expect, test } from 'vitest'
import type { ScheduleRule } from '@/api/wire.gen'
import { changed, overlapping, ruleBlocks, rulesOf, slotsIn, spanOf } from './rules'

const rule = (weekday: number, start: string, end: string, more: Partial<ScheduleRule> = {}): ScheduleRule => ({ weekday, start, end, slotMinutes: 15, capacity: 1, media: ['text'], ...more })
const week = ['2026-11-23', '2026-11-24', '2026-11-25', '2026-11-26', '2026-11-27', '2026-11-28', '2026-11-29']
const places = (rules: ScheduleRule[], days = week) => ruleBlocks(rules, days).map((b) => `${b.start}/${b.end}`)

describe('rules on a week', () => {
  test('lie on their weekday', () => {
    expect(places([rule(1, '09:00', '12:00'), rule(7, '14:00', '15:30')])).toEqual(['2026-11-23T09:00/2026-11-23T12:00', '2026-11-29T14:00/2026-11-29T15:30'])
  })

  test('until midnight ends with the day', () => {
    expect(places([rule(2, '22:00', '24:00')])).toEqual(['2026-11-24T22:00/2026-11-25T00:00'])
  })

  test('only while they are valid, first and last day included', () => {
    const only = { validFrom: '2026-11-24', validUntil: '2026-11-24' }
    expect(places([rule(2, '09:00', '10:00', only), rule(3, '09:00', '10:00', only)])).toEqual(['2026-11-24T09:00/2026-11-24T10:00'])
    expect(places([rule(2, '09:00', '10:00', { validFrom: '2026-11-25' })])).toEqual([])
  })

  test('keep the clock over a change of clocks', () => {
    expect(places([rule(7, '01:00', '05:00')], ['2026-10-25'])).toEqual(['2026-10-25T01:00/2026-10-25T05:00'])
  })
})

describe('dragging', () => {
  test('within a day', () => {
    expect(spanOf('2026-11-23', '09:00', '2026-11-23', '11:30')).toEqual({ weekdays: [1], start: '09:00', end: '11:30' })
  })

  test('to midnight is to the end of that day', () => {
    expect(spanOf('2026-11-23', '20:00', '2026-11-24', '00:00')).toEqual({ weekdays: [1], start: '20:00', end: '24:00' })
  })

  test('over several days means the same hours on each, in either direction', () => {
    const rectangle = { weekdays: [1, 2, 3], start: '09:00', end: '12:00' }
    expect(spanOf('2026-11-23', '09:00', '2026-11-25', '12:00')).toEqual(rectangle)
    expect(spanOf('2026-11-23', '12:00', '2026-11-25', '09:00')).toEqual(rectangle)
  })

  test('becomes a rule for each weekday, which lies where it was dragged', () => {
    const rules = rulesOf(spanOf('2026-11-23', '09:00', '2026-11-25', '12:00'), { slotMinutes: 20, capacity: 2, media: ['voice'] })
    expect(rules.map((r) => r.weekday)).toEqual([1, 2, 3])
    expect(places(rules)).toEqual(['2026-11-23T09:00/2026-11-23T12:00', '2026-11-24T09:00/2026-11-24T12:00', '2026-11-25T09:00/2026-11-25T12:00'])
  })
})

describe('changing rules', () => {
  const morning = rule(1, '09:00', '12:00')
  const evening = rule(1, '18:00', '20:00')

  test('adds in order, replaces and removes', () => {
    const early = rule(1, '07:00', '08:00')
    expect(changed([morning, evening], { add: [early] })).toEqual([early, morning, evening])
    expect(changed([morning, evening], { remove: { ...evening }, add: [] })).toEqual([morning])
    const longer = { ...evening, end: '21:00' }
    expect(changed([morning, evening], { remove: { ...evening }, add: [longer] })).toEqual([morning, longer])
  })

  test('can be done again to newer rules, also when what it replaces is gone', () => {
    const longer = { ...evening, end: '21:00' }
    expect(changed([morning], { remove: evening, add: [longer] })).toEqual([morning, longer])
  })

  test('an overlap is found before the server refuses it', () => {
    expect(overlapping([rule(1, '11:00', '13:00')], [morning, evening])).toBe(morning)
    expect(overlapping([rule(1, '12:00', '18:00')], [morning, evening])).toBeUndefined()
    expect(overlapping([rule(2, '11:00', '13:00')], [morning])).toBeUndefined()
    expect(overlapping([{ ...morning, validFrom: '2027-01-01' }], [{ ...morning, validUntil: '2026-12-31' }])).toBeUndefined()
  })

  test('slots that fit', () => {
    expect(slotsIn({ start: '09:00', end: '10:10', slotMinutes: 20 })).toBe(3)
    expect(slotsIn({ start: '23:00', end: '24:00', slotMinutes: 15 })).toBe(4)
  })
})
