import { defineStore } from 'pinia'
import { reactive, ref, shallowRef } from 'vue'
import { type Ask, Connection, type Draft, type Link, openSocket, Outbox, outboxIn, type RoomEvent } from 'wenzhen-client'
import { api, tokens } from '@/api'
import { newId } from '@/api/id'
import type { Conversation, ConversationState } from '@/realtime/conversation'
import { Rooms } from '@/realtime/rooms'
import { forgetUnsentOnSignOut } from '@/realtime/unsent'

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

  /** How many drafts and unsent messages were removed when the last login ended. */
  const forgotten = ref(0)

  forgetUnsentOnSignOut(tokens, localStorage, (count) => {
    forgotten.value = count
    live.value?.outbox.clear()
  })

  function start(me: string, listener: RoomListener): void {
    stop()
    forgotten.value = 0
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
    if (!live.value) throw new Error('no user is logged in')
    return live.value
  }

  return {
    link,
    live,
    forgotten,
    start,
    stop,
    ask: ((name, input) => need().connection.ask(name, input)) as Ask,
    hold: (id: string): { conversation: Conversation; release: () => void } => need().rooms.hold(id),
    send: (draft: Draft) => need().outbox.add(draft),
    retry: (clientId: string) => need().outbox.retry(clientId),
    discard: (clientId: string) => need().outbox.discard(clientId),
  }
})
