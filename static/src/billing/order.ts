import type { IncomeInput, Order, OrderStatus } from '@/api/wire.gen'
import { decimals } from '@/format/money'
import { dayIn, instantIn } from '@/schedule/zone'

/** Waits for money: a first try, or another after one that failed. */
export const isPayable = (status: OrderStatus) => status === 'created' || status === 'failed'

/** The order as it was changed last: an event may come before an older answer. */
export const newest = (have: Order | undefined, got: Order) => (have && Date.parse(have.updatedAt) > Date.parse(got.updatedAt) ? have : got)

/** What is left until an instant as a clock shows it, "14:05"; "0:00" once it is past. */
export function countdown(until: string, now: number): string {
  const seconds = Math.max(0, Math.ceil((Date.parse(until) - now) / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** A month of the calendar in a time zone, `back` months before the present one. */
export function monthBack(back: number, zone: string, now = new Date()): Required<Pick<IncomeInput, 'from' | 'to'>> {
  const [year, month] = dayIn(zone, now.getTime()).split('-').map(Number) as [number, number]
  const start = (months: number) => instantIn(zone, new Date(Date.UTC(year, month - 1 - months, 1)).toISOString().slice(0, 10), '00:00').toISOString()
  return { from: start(back), to: start(back - 1) }
}

/** An amount as someone types it ("12.5") in minor units; undefined for what is none. */
export function minorUnits(text: string, currency: string): number | undefined {
  const digits = decimals(currency)
  const match = /^(\d{1,12})(?:[.,](\d+))?$/.exec(text.trim())
  if (!match || (match[2]?.length ?? 0) > digits) return undefined
  return Number(match[1]) * 10 ** digits + Number((match[2] ?? '').padEnd(digits, '0') || 0)
}
