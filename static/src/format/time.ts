const dayMs = 86_400_000

/** Making an Intl formatter is slow, and a chat needs one for every message. */
const formats = new Map<string, Intl.DateTimeFormat>()
function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options)
  let found = formats.get(key)
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(locale, options)))
  return found
}

const startOfDay = (at: Date) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime()

/** Days between two instants as the calendar on the wall counts them. */
export function calendarDays(from: Date, to: Date): number {
  return Math.round((startOfDay(to) - startOfDay(from)) / dayMs)
}

export const sameDay = (a: string, b: string) => calendarDays(new Date(a), new Date(b)) === 0

export function clock(at: string, locale: string): string {
  return format(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(at))
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
  const year = date.getFullYear() === now.getFullYear() ? undefined : 'numeric'
  return format(locale, { year, month: 'long', day: 'numeric' }).format(date)
}

/** Short enough for a list: the time today, else the day. */
export function listTime(at: string, locale: string, now = new Date()): string {
  const days = calendarDays(new Date(at), now)
  if (days === 0) return clock(at, locale)
  if (days > 0 && days < 7) return dayName(at, locale, now)
  return format(locale, { year: '2-digit', month: 'numeric', day: 'numeric' }).format(new Date(at))
}

export function dateTime(at: string, locale: string): string {
  return format(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at))
}

/** What is left, by its largest two units: "1 day 3 hr", "12 min". */
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
    .map(([value, unit]) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: unit === 'day' ? 'long' : 'short' }).format(value))
    .join(' ')
}

/** A length of time as rules name one: in hours, or in minutes if it is no whole number of them. */
export function hours(minutes: number, locale: string): string {
  const whole = minutes > 0 && minutes % 60 === 0
  return new Intl.NumberFormat(locale, { style: 'unit', unit: whole ? 'hour' : 'minute', unitDisplay: 'long' }).format(whole ? minutes / 60 : minutes)
}
