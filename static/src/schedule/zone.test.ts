import { describe, expect, test } from 'vitest'
import type { Slot } from '@/api/wire.gen'
import { offering, slotClocks, slotDays } from './days'
import { addDays, clockIn, dayIn, dayLabel, dayNumber, instantIn, sameClock, spanIn, weekdayName, weekdayOf, zoneName } from './zone'

const hourly = (from: string, count: number): Slot[] =>
  Array.from({ length: count }, (_, i) => {
    const start = Date.parse(from) + i * 3_600_000
    return { start: new Date(start).toISOString(), end: new Date(start + 3_600_000).toISOString(), available: 1, media: i % 2 ? ['video'] : ['text', 'video'] }
  })

describe('zones and days', () => {
  test('an instant is another day elsewhere', () => {
    expect(dayIn('Asia/Shanghai', '2026-11-22T16:30:00Z')).toBe('2026-11-23')
    expect(dayIn('America/New_York', '2026-11-22T16:30:00Z')).toBe('2026-11-22')
    expect(clockIn('Asia/Kathmandu', '2026-11-22T18:15:00Z', 'zh-CN')).toBe('00:00')
  })

  test('days are counted over months and years', () => {
    expect([addDays('2026-12-31', 1), addDays('2026-03-01', -1), addDays('2028-02-28', 1)]).toEqual(['2027-01-01', '2026-02-28', '2028-02-29'])
  })

  test('Monday is 1 and Sunday 7', () => {
    expect(['2026-11-23', '2026-11-28', '2026-11-29'].map(weekdayOf)).toEqual([1, 6, 7])
    expect([1, 7].map((n) => weekdayName(n, 'en'))).toEqual(['Monday', 'Sunday'])
  })

  test('a day has one form in each language', () => {
    expect([dayLabel('2026-11-23', 'en'), dayLabel('2026-11-23', 'en', 'short'), dayNumber('2026-11-23', 'en')]).toEqual(['Monday 23 November', 'Mon 23 Nov', '23 Nov'])
    expect([dayLabel('2026-11-23', 'zh-CN'), dayLabel('2026-11-23', 'zh-CN', 'short'), dayNumber('2026-11-23', 'zh-CN')]).toEqual(['11月23日星期一', '11/23 周一', '11/23'])
    expect(spanIn('Asia/Shanghai', '2026-11-23T05:00:00Z', '2026-11-23T05:30:00Z', 'en')).toBe('Monday 23 November 13:00–13:30')
  })

  test('two zones with one clock are distinguished from others', () => {
    expect(sameClock('Asia/Shanghai', 'Asia/Singapore')).toBe(true)
    expect(sameClock('Europe/Berlin', 'Europe/London')).toBe(false)
    expect(zoneName('Asia/Shanghai', 'en')).toMatch(/China.*GMT\+8/)
    expect(zoneName('UTC', 'zh-CN')).toBe('UTC')
    expect(zoneName('Asia/Shanghai', 'zh-CN')).toBe('中国标准时间（GMT+8）')
  })
})

describe('instantIn', () => {
  test.each([
    ['Asia/Shanghai', '2026-11-23', '09:00', '2026-11-23T01:00:00.000Z'],
    ['America/New_York', '2026-11-23', '24:00', '2026-11-24T05:00:00.000Z'],
    ['Europe/Berlin', '2026-03-29', '02:30', '2026-03-29T01:30:00.000Z'], // skipped: 03:30 it is
    ['Europe/Berlin', '2026-10-25', '02:30', '2026-10-25T00:30:00.000Z'], // twice: the first
    ['Europe/Berlin', '2026-10-25', '03:00', '2026-10-25T02:00:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-05', '01:45', '2026-04-04T14:45:00.000Z'], // half an hour twice
    ['Asia/Kathmandu', '2026-11-23', '00:00', '2026-11-22T18:15:00.000Z'],
  ])('%s %s %s is %s', (zone, day, time, instant) => {
    expect(instantIn(zone, day, time).toISOString()).toBe(instant)
  })

  test('is what the clock shows, at every half hour of the days around a change', () => {
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Asia/Shanghai', 'Pacific/Chatham']) {
      for (const day of ['2026-03-08', '2026-03-29', '2026-10-25', '2026-11-01']) {
        for (let half = 6; half < 48; half++) {
          const time = `${String(half >> 1).padStart(2, '0')}:${half % 2 ? '30' : '00'}`
          const instant = instantIn(zone, day, time).getTime()
          if (time >= '04:00') expect([dayIn(zone, instant), clockIn(zone, instant, 'en-GB')]).toEqual([day, time])
        }
      }
    }
  })
})

describe('slots by day', () => {
  const autumn = hourly('2026-10-24T22:00:00Z', 26) // midnight in Berlin, until 23:00 of the next day

  test('a day of 25 hours holds 25 slots, one of 23 holds 23', () => {
    expect(slotDays(autumn, 'Europe/Berlin', '2026-10-25', 2).map((d) => d.slots.length)).toEqual([25, 1])
    const spring = hourly('2026-03-28T23:00:00Z', 24)
    expect(slotDays(spring, 'Europe/Berlin', '2026-03-29', 2).map((d) => d.slots.length)).toEqual([23, 1])
  })

  test('an hour that passes twice is distinguished by its offset', () => {
    const clocks = slotClocks(autumn.slice(0, 5), 'Europe/Berlin', 'en')
    expect(clocks).toEqual(['00:00', '01:00', '02:00 GMT+2', '02:00 GMT+1', '03:00'])
  })

  test('days without slots are there; slots of other days are not', () => {
    const days = slotDays(hourly('2026-11-23T01:00:00Z', 2), 'Asia/Shanghai', '2026-11-22', 2)
    expect(days.map((d) => [d.day, d.slots.length])).toEqual([
      ['2026-11-22', 0],
      ['2026-11-23', 2],
    ])
  })

  test('only what is offered in a medium', () => {
    expect(offering(autumn, 'text')).toHaveLength(13)
    expect(offering(autumn, undefined)).toHaveLength(26)
  })
})
