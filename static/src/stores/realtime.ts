import { defineStore } from 'pinia'
import { reactive, ref, shallowRef } from 'vue'
import { type Ask, Connection, type Draft, type Link, openSocket, Outbox, outboxIn, type RoomEvent } from 'wenzhen-client'
import { api, tokens } from '@/api'
import { newId } from '@/api/id'
import type { Conversation, ConversationState } from '@/realtime/conversation'
import { Rooms } from '@/realtime/rooms'

interface Live {
  connection: Connection
  outbox: Outbox
  rooms: Rooms
}

export interface RoomListener {
  hint(event: RoomEvent): void
  changed(state: ConversationState, event?: RoomEvent): void
}

/** The connection of this login, what it is in, and what is left to send. */
export const useRealtime = defineStore('realtime', () => {
  const link = ref<Link>('connecting')
  const live = shallowRef<Live>()

  // What ends by itself is sent after the next login of the same account; who
  // signs out may leave the browser to somebody else.
  tokens.onSignedOut((why) => {
    if (why === 'asked') live.value?.outbox.clear()
  })

  function start(me: string, listener: RoomListener): void {
    stop()
    const connection = new Connection(openSocket(), tokens)
    const outbox: Outbox = new Outbox({
      senderId: me,
      store: outboxIn(localStorage),
      send: (input) => connection.ask('message:send', input),
      changed: (id) => live.value?.rooms.unsentChanged(id),
      newId,
    })
    link.value = 'connecting'
    connection.onLink((now) => (link.value = now))
    const rooms = new Rooms({
      connection,
      outbox,
      me,
      history: api.messages,
      watched: (state) => reactive(state) as ConversationState,
      hint: listener.hint,
      changed: listener.changed,
    })
    live.value = { connection, outbox, rooms }
  }

  function stop(): void {
    live.value?.outbox.pause()
    live.value?.rooms.close()
    live.value?.connection.close()
    live.value = undefined
  }

  function need(): Live {
    if (!live.value) throw new Error('nobody is logged in')
    return live.value
  }

  return {
    link,
    live,
    start,
    stop,
    ask: ((name, input) => need().connection.ask(name, input)) as Ask,
    hold: (id: string): { conversation: Conversation; release: () => void } => need().rooms.hold(id),
    send: (draft: Draft) => need().outbox.add(draft),
    retry: (clientId: string) => need().outbox.retry(clientId),
    discard: (clientId: string) => need().outbox.discard(clientId),
  }
})
