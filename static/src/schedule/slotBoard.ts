import type { Slot, SlotChange, SlotList } from '@/api/wire.gen'

/**
 * The current slots of one doctor: the answer of the subscription, updated by
 * events. A full slot is kept but not shown, so that it returns at once when
 * someone cancels.
 */
export class SlotBoard {
  private slots = new Map<number, Slot>()
  /** The events since the request that is under way was sent. */
  private pending: SlotChange[] | undefined

  /** A request is under way: its answer may be older than the events during it. */
  asking(): void {
    this.pending = []
  }

  /** Everything known before is gone; nothing stale stays. */
  answered(list: Pick<SlotList, 'items'>): void {
    this.slots = new Map(list.items.map((slot) => [Date.parse(slot.start), { ...slot }]))
    const pending = this.pending ?? []
    this.pending = undefined
    for (const change of pending) this.change(change)
  }

  /** False when it is about a slot that is not known: ask again. */
  change(change: SlotChange): boolean {
    this.pending?.push(change)
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
