import { ref } from 'vue'

const dayMs = 86_400_000

const zone = ref<string>()

/** Sets the time zone of all dates and times: the account's. Without one it is the device's. */
export function showTimesIn(timeZone?: string) {
  zone.value = timeZone || undefined
}

/** Making an Intl formatter is slow, and a chat needs one for every message. */
const formats = new Map<string, Intl.DateTimeFormat>()
/** The locale for dates: English texts have British spelling, and so "2 November" and a clock of 24 hours. */
export const dateLocale = (locale: string) => (locale === 'en' ? 'en-GB' : locale)

function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const here = { timeZone: zone.value, ...options }
  const key = locale + JSON.stringify(here)
  let found = formats.get(key)
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(dateLocale(locale), here)))
  return found
}

/** The year, and the midnight in UTC of the same calendar day. */
function dayOf(at: Date): { year: number; midnight: number } {
  const parts = format('en', { year: 'numeric', month: 'numeric', day: 'numeric', calendar: 'iso8601', numberingSystem: 'latn' }).formatToParts(at)
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value)
  return { year: part('year'), midnight: Date.UTC(part('year'), part('month') - 1, part('day')) }
}

/** Days between two instants as the calendar on the wall counts them. */
export function calendarDays(from: Date, to: Date): number {
  return (dayOf(to).midnight - dayOf(from).midnight) / dayMs
}

export const sameDay = (a: string, b: string) => calendarDays(new Date(a), new Date(b)) === 0

export function clock(at: string, locale: string): string {
  return format(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(at))
}

/** The time with seconds, for measurements. */
export function preciseClock(at: string | number, locale: string): string {
  return format(locale, { timeStyle: 'medium', hourCycle: 'h23' }).format(new Date(at))
}

/** A day in full, with its year. */
export function longDate(at: string, locale: string): string {
  return format(locale, { dateStyle: 'long' }).format(new Date(at))
}

export function monthName(at: string | Date, locale: string): string {
  return format(locale, { year: 'numeric', month: 'long' }).format(new Date(at))
}

/** "Today", "Yesterday", a weekday or a date: the heading of a day's messages. */
export function dayName(at: string, locale: string, now = new Date()): string {
  const date = new Date(at)
  const days = calendarDays(date, now)
  if (days >= 0 && days < 2) {
    const word = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(-days, 'day')
    return word.charAt(0).toLocaleUpperCase(locale) + word.slice(1)
  }
  if (days > 0 && days < 7) return format(locale, { weekday: 'long' }).format(date)
  const year = dayOf(date).year === dayOf(now).year ? undefined : 'numeric'
  return format(locale, { year, month: 'long', day: 'numeric' }).format(date)
}

/** Short enough for a list: the time today, else the day. */
export function listTime(at: string, locale: string, now = new Date()): string {
  const days = calendarDays(new Date(at), now)
  if (days === 0) return clock(at, locale)
  if (days > 0 && days < 7) return dayName(at, locale, now)
  const year = dayOf(new Date(at)).year === dayOf(now).year ? undefined : 'numeric'
  return format(locale, { year, month: 'short', day: 'numeric' }).format(new Date(at))
}

export function dateTime(at: string, locale: string): string {
  return format(locale, { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' }).format(new Date(at))
}

/** A number with its unit: "3 hr", "3 小时". A space is between them in every language. */
function quantity(value: number, unit: 'day' | 'hour' | 'minute' | 'second', locale: string, unitDisplay: 'long' | 'short'): string {
  const parts = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay, maximumFractionDigits: 1 }).formatToParts(value)
  const text = (types: (type: string) => boolean) => parts.filter((p) => types(p.type)).map((p) => p.value).join('')
  return `${text((type) => type !== 'unit' && type !== 'literal')} ${text((type) => type === 'unit')}`
}

/** The largest two units of a duration, rounded up to minutes: "1 day 3 hr", "12 min". */
export function duration(ms: number, locale: string): string {
  const minutes = Math.max(0, Math.ceil(ms / 60_000))
  const parts: [number, 'day' | 'hour' | 'minute'][] = [
    [Math.floor(minutes / 1440), 'day'],
    [Math.floor((minutes % 1440) / 60), 'hour'],
    [minutes % 60, 'minute'],
  ]
  const first = parts.findIndex(([value]) => value > 0)
  const shown = first < 0 ? parts.slice(2) : parts.slice(first, first + 2).filter(([value]) => value > 0)
  return shown
    .map(([value, unit]) => quantity(value, unit, locale, unit === 'day' ? 'long' : 'short'))
    .join(' ')
}

/** A duration as rules state it: in hours, or in minutes if it is not a whole number of hours. */
export function hours(minutes: number, locale: string): string {
  const whole = minutes > 0 && minutes % 60 === 0
  return quantity(whole ? minutes / 60 : minutes, whole ? 'hour' : 'minute', locale, 'long')
}

/** Milliseconds as seconds, with at most one decimal: "0.5 seconds", "25 秒". */
export const seconds = (ms: number, locale: string) => quantity(ms / 1000, 'second', locale, locale.startsWith('zh') ? 'short' : 'long')
