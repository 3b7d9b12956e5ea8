import { afterEach, describe, expect, test } from 'vitest'
import { deviceName } from './device'
import { decimals, money } from './money'
import { fileSize } from './size'
import { clock, dateTime, dayName, duration, hours, listTime, monthName, preciseClock, sameDay, seconds, showTimesIn } from './time'
import { departmentName, languageName } from './vocabulary'

const now = new Date(2026, 10, 21, 10, 0)
const at = (day: number, hour = 9, minute = 5) => new Date(2026, 10, day, hour, minute).toISOString()
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')

describe('time in the zone of the account', () => {
  afterEach(() => showTimesIn())
  const evening = '2026-12-31T18:30:00Z'

  test.each([
    ['Asia/Shanghai', '02:30', '2027年1月1日 02:30', '1月1日'],
    ['America/New_York', '13:30', '2026年12月31日 13:30', '2026年12月31日'],
  ])('%s', (zone, time, full, day) => {
    showTimesIn(zone)
    expect([clock(evening, 'zh-CN'), dateTime(evening, 'zh-CN')]).toEqual([time, full])
    expect(dayName(evening, 'zh-CN', new Date('2027-01-20T12:00:00Z'))).toBe(day)
  })

  test('a day begins at its midnight', () => {
    const [before, after] = ['2026-11-21T15:59:00Z', '2026-11-21T16:01:00Z']
    showTimesIn('Asia/Shanghai')
    expect(sameDay(before, after)).toBe(false)
    expect(listTime(before, 'zh-CN', new Date(after))).toBe('昨天')
    showTimesIn('UTC')
    expect(sameDay(before, after)).toBe(true)
  })
})

describe('time', () => {
  test.each([
    [at(21), 'en', 'Today'],
    [at(20, 23, 59), 'en', 'Yesterday'],
    [at(21), 'zh-CN', '今天'],
    [at(20), 'zh-CN', '昨天'],
    [at(18), 'en', 'Wednesday'],
    [at(2), 'en', '2 November'],
    [at(2), 'zh-CN', '11月2日'],
    [new Date(2025, 2, 3).toISOString(), 'en', '3 March 2025'],
  ])('the day of %s in %s is %s', (when, locale, name) => {
    expect(dayName(when, locale, now)).toBe(name)
  })

  test('a day begins at midnight, not 24 hours ago', () => {
    expect(sameDay(at(20, 23, 59), at(21, 0, 1))).toBe(false)
    expect(sameDay(at(21, 0, 0), at(21, 23, 59))).toBe(true)
  })

  test('a list shows the time today and the day before that', () => {
    expect(listTime(at(21), 'zh-CN', now)).toBe('09:05')
    expect(listTime(at(20), 'en', now)).toBe('Yesterday')
    expect([listTime(at(2), 'en', now), listTime(at(2), 'zh-CN', now)]).toEqual(['2 Nov', '11月2日'])
    expect(listTime(new Date(2025, 2, 3).toISOString(), 'en', now)).toBe('3 Mar 2025')
  })

  test('a clock has 24 hours in every form, and midnight is 00:00', () => {
    expect(clock(at(21, 0, 0), 'en')).toBe('00:00')
    expect([dateTime(at(21, 15, 13), 'en'), dateTime(at(21, 15, 13), 'zh-CN')]).toEqual(['21 Nov 2026, 15:13', '2026年11月21日 15:13'])
    expect(dateTime(at(21, 0, 5), 'en')).toBe('21 Nov 2026, 00:05')
    expect([preciseClock(at(21, 15, 13), 'en'), preciseClock(at(21, 15, 13), 'zh-CN')]).toEqual(['15:13:00', '15:13:00'])
    expect([monthName(at(21), 'en'), monthName(at(21), 'zh-CN')]).toEqual(['November 2026', '2026年11月'])
  })

  test.each([
    [0, 'en', '0 min'],
    [30_000, 'en', '1 min'],
    [90 * 60_000, 'en', '1 hr 30 min'],
    [48 * 3_600_000, 'en', '2 days'],
    [49 * 3_600_000, 'zh-CN', '2 天 1 小时'],
    [-5, 'en', '0 min'],
  ])('%d ms in %s is %s', (ms, locale, text) => {
    expect(duration(ms, locale)).toBe(text)
  })
})

test('a number and its unit are separated by a space', () => {
  expect([hours(1440, 'en'), hours(1440, 'zh-CN'), hours(90, 'zh-CN')]).toEqual(['24 hours', '24 小时', '90 分钟'])
  expect([seconds(25_000, 'en'), seconds(500, 'zh-CN')]).toEqual(['25 seconds', '0.5 秒'])
})

describe('money', () => {
  test.each([
    [1999, 'CNY', 'zh-CN', '¥19.99'],
    [500, 'JPY', 'en', '¥500'],
    [0, 'USD', 'en', '$0.00'],
    [100, 'nonsense', 'en', '100 nonsense'],
  ])('%d %s in %s is %s', (minor, currency, locale, text) => {
    expect(plain(money(minor, currency, locale))).toBe(text)
  })

  test('currencies have their own decimals', () => {
    expect([decimals('CNY'), decimals('JPY'), decimals('KWD')]).toEqual([2, 0, 3])
  })
})

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KB'],
  [20 << 20, '20 MB'],
])('%d bytes are %s', (bytes, text) => {
  expect(fileSize(bytes)).toBe(text)
})

test('usual departments are shown in the reader’s language, others as they are', () => {
  expect(departmentName('皮肤科', 'en')).toBe('Dermatology')
  expect(departmentName('Dermatology', 'zh-CN')).toBe('皮肤科')
  expect(departmentName('疼痛门诊', 'en')).toBe('疼痛门诊')
})

test('languages are named in the reader’s language', () => {
  expect(languageName('zh', 'en')).toBe('Chinese')
  expect(languageName('not a code', 'en')).toBe('not a code')
})

test('devices are named by browser and system', () => {
  expect(deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1')).toBe('Safari · iOS')
  expect(deviceName('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0')).toBe('Edge · Windows')
  expect(deviceName('wenzhen-cli/1.0')).toBe('wenzhen-cli/1.0')
})
