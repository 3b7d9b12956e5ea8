import { type Connection, type Outbox, type RoomEvent, roomOf } from 'wenzhen-client'
import type { Entry } from '@/api/wire.gen'
import { Conversation, emptyState, type ConversationDeps, type ConversationState } from './conversation'

interface Held {
  conversation: Conversation
  holders: number
}

interface RoomsOptions extends Omit<ConversationDeps, 'ask'> {
  connection: Connection
  outbox: Outbox
  /** Makes a state that the view can watch. */
  watched: (state: ConversationState) => ConversationState
  /** An event of a consultation that this browser has not joined. */
  hint: (event: RoomEvent) => void
}

/** The rooms that this page is in: joins them, rejoins them, leaves them. */
export class Rooms {
  private readonly held = new Map<string, Held>()
  private readonly forget: (() => void)[]

  constructor(private readonly options: RoomsOptions) {
    const { connection } = options
    const of = (id: string) => this.held.get(id)?.conversation
    this.forget = [
      connection.onLink((link) => this.linked(link === 'online')),
      connection.onEntry((entry) => this.received(entry)),
      connection.onSignal('typing:started', (data) => of(data.consultationId)?.typingStarted(data)),
      connection.onSignal('typing:stopped', (data) => of(data.consultationId)?.typingStopped(data)),
      connection.onSignal('presence:updated', (data) => of(data.consultationId)?.presence(data)),
      connection.onSignal('queue:updated', (data) => of(data.consultationId)?.queue(data)),
    ]
    this.linked(connection.link === 'online')
  }

  /** Joins a consultation's room until release is called. */
  hold(id: string): { conversation: Conversation; release: () => void } {
    let held = this.held.get(id)
    if (!held) {
      const { connection, watched, ...deps } = this.options
      held = { conversation: new Conversation(watched(emptyState(id)), { ...deps, ask: connection.ask }), holders: 0 }
      this.held.set(id, held)
      if (connection.link === 'online') void held.conversation.log.catchUp()
    }
    held.holders++
    let released = false
    return {
      conversation: held.conversation,
      release: () => {
        if (released) return
        released = true
        this.release(id)
      },
    }
  }

  unsentChanged(id: string): void {
    this.held.get(id)?.conversation.unsentChanged()
  }

  close(): void {
    for (const forget of this.forget) forget()
    for (const { conversation } of this.held.values()) conversation.close()
    this.held.clear()
  }

  private release(id: string): void {
    const held = this.held.get(id)
    if (!held || --held.holders > 0) return
    this.held.delete(id)
    held.conversation.close()
    // A connection that is away has left already.
    this.options.connection.ask('consultation:leave', { consultationId: id }).catch(() => undefined)
  }

  private linked(online: boolean): void {
    if (!online) return this.options.outbox.pause()
    this.options.outbox.resume()
    for (const { conversation } of this.held.values()) void conversation.log.catchUp()
  }

  private received(entry: Entry): void {
    const id = entry.room.replace(/^consultation:/, '')
    const held = this.held.get(id)
    if (held && entry.room === roomOf(id)) held.conversation.log.receive(entry)
    else this.options.hint(entry as RoomEvent)
  }
}
