import { dateLocale } from '@/format/time'

// Days and times of day in a time zone, which is an IANA name.

/** The zone of this device. */
export const deviceZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone

const formats = new Map<string, Intl.DateTimeFormat>()

/** Formats are dear to make, and a page of slots needs the same one many times. */
function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`
  let found = formats.get(key)
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(dateLocale(locale), options)))
  return found
}

/** The day of an instant, as YYYY-MM-DD. */
export function dayIn(zone: string, at: string | number): string {
  const parts = format('en', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', calendar: 'iso8601', numberingSystem: 'latn' }).formatToParts(new Date(at))
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')}`
}

/** Calendar days have no zone: noon UTC of one is never another day in UTC. */
const noonOf = (day: string) => new Date(`${day}T12:00:00Z`)

export function addDays(day: string, count: number): string {
  const noon = noonOf(day)
  noon.setUTCDate(noon.getUTCDate() + count)
  return noon.toISOString().slice(0, 10)
}

/** ISO 8601: 1 is Monday, 7 is Sunday. */
export const weekdayOf = (day: string) => noonOf(day).getUTCDay() || 7

export function clockIn(zone: string, at: string | number, locale: string): string {
  return format(locale, { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(at))
}

/** In English the order of day and month differs between countries: the short month has letters. */
const shortMonth = (locale: string) => (locale.startsWith('zh') ? 'numeric' : 'short')

/** "Monday 23 November" or "Mon 23 Nov"; in Chinese "11月23日星期一" or "11/23 周一". */
export function dayLabel(day: string, locale: string, style: 'long' | 'short' = 'long'): string {
  const label = format(locale, { timeZone: 'UTC', month: style === 'long' ? 'long' : shortMonth(locale), day: 'numeric', weekday: style }).format(noonOf(day))
  return style === 'short' ? label.replace(/(\d)(?=\p{Script=Han})/u, '$1 ') : label
}

export function weekdayName(weekday: number, locale: string, style: 'long' | 'short' = 'long'): string {
  return format(locale, { timeZone: 'UTC', weekday: style }).format(new Date(Date.UTC(2024, 0, weekday))) // the 1st was a Monday
}

export const dayNumber = (day: string, locale: string) => format(locale, { timeZone: 'UTC', month: shortMonth(locale), day: 'numeric' }).format(noonOf(day))

/** "Monday 23 November 09:00–09:30". */
export function spanIn(zone: string, start: string, end: string, locale: string): string {
  return `${dayLabel(dayIn(zone, start), locale)} ${clockIn(zone, start, locale)}–${clockIn(zone, end, locale)}`
}

function zonePart(zone: string, at: number, locale: string, timeZoneName: 'longGeneric' | 'shortOffset'): string {
  return format(locale, { timeZone: zone, timeZoneName }).formatToParts(new Date(at)).find((p) => p.type === 'timeZoneName')?.value ?? zone
}

export const offsetIn = (zone: string, at: string | number, locale: string) => zonePart(zone, new Date(at).getTime(), locale, 'shortOffset')

/** "China Standard Time (GMT+8)". */
export function zoneName(zone: string, locale: string, at = Date.now()): string {
  const name = zonePart(zone, at, locale, 'longGeneric')
  if (name === 'GMT+00:00') return 'UTC' // which has no name of its own in CLDR
  const offset = zonePart(zone, at, locale, 'shortOffset')
  if (name === offset) return name
  return locale.startsWith('zh') ? `${name}（${offset}）` : `${name} (${offset})`
}

/** Whether two zones show the same clock around an instant. */
export const sameClock = (a: string, b: string, at: string | number = Date.now()) => a === b || offsetIn(a, at, 'en') === offsetIn(b, at, 'en')

/**
 * The instant at which a clock in the zone shows day and time. A time that the
 * clock skips is moved on by what is skipped; of one shown twice it is the first.
 */
export function instantIn(zone: string, day: string, time: string): Date {
  const wall = Date.parse(`${day}T00:00:00Z`) + minutesOf(time) * 60_000
  const shown = (at: number) => Date.parse(`${dayIn(zone, at)}T${clockIn(zone, at, 'en-GB')}:00Z`) - at
  const before = wall - shown(wall - 86_400_000)
  const after = wall - shown(wall + 86_400_000)
  const fits = [before, after].filter((at) => at + shown(at) === wall)
  return new Date(fits.length > 0 ? Math.min(...fits) : before)
}

/** "09:30" as minutes of the day; "24:00" is the end of it. */
export function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}
