import type { RoomEvent } from 'wenzhen-client'
import type { Board, Stroke } from '@/api/wire.gen'

/**
 * What is on the board. Events may come twice, or be in the board that was
 * read already: what they do is the same done again.
 */
export class Strokes {
  private list: Stroke[] = []
  private readonly ids = new Set<string>()
  private readonly undone = new Set<string>()
  private clearedAt = 0
  /** What happened while the board was being read: it may be newer than what was read. */
  private meanwhile: RoomEvent[] | undefined
  attachmentId = ''

  /** In the order in which they are drawn. */
  get all(): readonly Stroke[] {
    return this.list
  }

  has(id: string): boolean {
    return this.ids.has(id)
  }

  /** The board is being asked for; read() follows. */
  asked(): void {
    this.meanwhile ??= []
  }

  /** Starts over with a board as it was read. */
  read(board: Board): void {
    this.list = board.strokes
    this.ids.clear()
    for (const stroke of board.strokes) this.ids.add(stroke.id)
    this.attachmentId = board.attachmentId
    const meanwhile = this.meanwhile ?? []
    this.meanwhile = undefined
    for (const event of meanwhile) this.apply(event)
  }

  /** Reports what changed: one stroke on top, everything, the background, or nothing. */
  apply(event: RoomEvent): 'added' | 'changed' | 'background' | undefined {
    this.meanwhile?.push(event)
    switch (event.name) {
      case 'board:committed':
        return this.add(event.data)
      case 'board:undone':
        this.undone.add(event.data.strokeId)
        return this.keep((stroke) => stroke.id !== event.data.strokeId)
      case 'board:cleared':
        this.clearedAt = Math.max(this.clearedAt, event.data.seq)
        return this.keep((stroke) => stroke.seq > event.data.seq)
      case 'board:background-changed':
        this.attachmentId = event.data.attachmentId
        return 'background'
    }
    return undefined
  }

  private add(stroke: Stroke): 'added' | 'changed' | undefined {
    if (this.ids.has(stroke.id) || this.undone.has(stroke.id) || stroke.seq < this.clearedAt) return undefined
    this.ids.add(stroke.id)
    const last = this.list.at(-1)
    if (!last || last.seq < stroke.seq) {
      this.list.push(stroke)
      return 'added'
    }
    this.list.splice(this.list.findIndex((other) => other.seq > stroke.seq), 0, stroke)
    return 'changed'
  }

  private keep(stays: (stroke: Stroke) => boolean): 'changed' | undefined {
    const left = this.list.filter(stays)
    if (left.length === this.list.length) return undefined
    this.list = left
    this.ids.clear()
    for (const stroke of left) this.ids.add(stroke.id)
    return 'changed'
  }
}
