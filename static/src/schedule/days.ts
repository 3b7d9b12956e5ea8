import type { Medium, Slot } from '@/api/wire.gen'
import { addDays, clockIn, dayIn, offsetIn } from './zone'

export interface SlotDay {
  day: string
  slots: Slot[]
}

/** Every day from first on, with the slots that begin on it in the zone. */
export function slotDays(slots: Slot[], zone: string, first: string, count: number): SlotDay[] {
  const byDay = new Map<string, Slot[]>()
  for (let i = 0; i < count; i++) byDay.set(addDays(first, i), [])
  for (const slot of slots) byDay.get(dayIn(zone, slot.start))?.push(slot)
  return [...byDay].map(([day, found]) => ({ day, slots: found }))
}

export const offering = (slots: Slot[], medium: Medium | undefined) => (medium ? slots.filter((slot) => slot.media.includes(medium)) : slots)

/**
 * What the clock shows at each slot of a day. When clocks go back an hour
 * passes twice: then the offset says which one is meant.
 */
export function slotClocks(slots: Slot[], zone: string, locale: string): string[] {
  const clocks = slots.map((slot) => clockIn(zone, slot.start, locale))
  return clocks.map((clock, i) => (clocks.filter((other) => other === clock).length > 1 ? `${clock} ${offsetIn(zone, slots[i]?.start ?? 0, locale)}` : clock))
}
