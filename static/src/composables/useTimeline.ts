import { computed, type ComputedRef } from 'vue'
import type { Unsent } from 'wenzhen-client'
import type { Attachment, ChatKind, Message } from '@/api/wire.gen'
import { sameDay } from '@/format/time'
import type { ConversationState } from '@/realtime/conversation'
import type { Note } from '@/realtime/notes'

/** A message as it is shown, whether the server has it or not. */
export interface Bubble {
  key: string
  mine: boolean
  senderId: string
  kind: ChatKind
  text?: string
  attachment?: Attachment
  peaks?: number[]
  replyTo?: string
  createdAt: string
  recalledAt?: string
  message?: Message
  unsent?: Unsent
}

export type TimelineItem =
  | { type: 'day'; key: string; at: string }
  | { type: 'note'; key: string; note: Note }
  | { type: 'bubble'; key: string; bubble: Bubble; first: boolean }

const togetherMs = 5 * 60_000

/** Days, turns of events and messages in the order in which they are shown. */
export function useTimeline(state: ConversationState, me: string): ComputedRef<TimelineItem[]> {
  // The same message gives the same bubble, so that only new ones are rendered.
  const bubbles = new WeakMap<object, Bubble>()
  const bubbleOf = (source: Message | Unsent, make: () => Bubble) => {
    let bubble = bubbles.get(source)
    if (!bubble) bubbles.set(source, (bubble = make()))
    return bubble
  }

  return computed(() => {
    const items: TimelineItem[] = []
    let day: string | undefined
    let previous: Bubble | undefined

    const at = (when: string) => {
      if (day !== undefined && sameDay(day, when)) return
      day = when
      previous = undefined
      items.push({ type: 'day', key: `day:${when}`, at: when })
    }
    const say = (bubble: Bubble) => {
      at(bubble.createdAt)
      const gap = previous ? Date.parse(bubble.createdAt) - Date.parse(previous.createdAt) : 0
      items.push({ type: 'bubble', key: bubble.key, bubble, first: previous?.senderId !== bubble.senderId || gap > togetherMs })
      previous = bubble
    }

    // Notes older than what is loaded wait until their messages are.
    const oldest = state.hasOlder ? Date.parse(state.messages[0]?.createdAt ?? '') : -Infinity
    const notes = state.notes.filter((note) => !(Date.parse(note.at) < oldest))
    const noteUpTo = (limit: number) => {
      for (let note = notes[0]; note && Date.parse(note.at) <= limit; note = notes[0]) {
        notes.shift()
        at(note.at)
        previous = undefined
        items.push({ type: 'note', key: `note:${note.id}`, note })
      }
    }

    for (const message of state.messages) {
      noteUpTo(Date.parse(message.createdAt))
      say(bubbleOf(message, () => ({ ...message, key: keyOf(message.senderId, message.clientId, message.id), mine: message.senderId === me, message })))
    }
    noteUpTo(Infinity)
    for (const unsent of state.unsent) {
      say({ ...unsent, key: keyOf(unsent.senderId, unsent.clientId, ''), mine: true, message: unsent.message, unsent })
    }
    return items
  })
}

/** The same before and after the server has it, so that a bubble does not blink. */
const keyOf = (senderId: string, clientId: string, id: string) => (clientId ? `${senderId}:${clientId}` : id)
