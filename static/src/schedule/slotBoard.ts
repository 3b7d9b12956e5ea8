import type { Slot, SlotChange, SlotList } from '@/api/wire.gen'

/**
 * The slots of one doctor as they stand: what watching answered, kept up to
 * date by what is told after. A full slot is kept, unseen, so that it is back
 * at once when someone cancels.
 */
export class SlotBoard {
  private slots = new Map<number, Slot>()
  /** What was told since the question that is under way was asked. */
  private told: SlotChange[] | undefined

  /** A question is on its way: its answer may be older than what is told meanwhile. */
  asking(): void {
    this.told = []
  }

  /** Everything known before is gone; nothing stale stays. */
  answered(list: Pick<SlotList, 'items'>): void {
    this.slots = new Map(list.items.map((slot) => [Date.parse(slot.start), { ...slot }]))
    const told = this.told ?? []
    this.told = undefined
    for (const change of told) this.change(change)
  }

  /** False when it is about a slot that is not known: ask again. */
  change(change: SlotChange): boolean {
    this.told?.push(change)
    const slot = this.slots.get(Date.parse(change.start))
    if (slot) slot.available = change.available
    return slot !== undefined || change.available === 0
  }

  /** What can be booked, in order. */
  free(now: number): Slot[] {
    return [...this.slots.entries()]
      .filter(([start, slot]) => start > now && slot.available > 0)
      .sort(([a], [b]) => a - b)
      .map(([, slot]) => slot)
  }
}
