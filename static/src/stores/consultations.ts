import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowReactive } from 'vue'
import type { RoomEvent } from 'wenzhen-client'
import { api } from '@/api'
import { Failure } from '@/api/failure'
import type { Consultation, Message, ConsultationStatus } from '@/api/wire.gen'
import type { Conversation, ConversationState } from '@/realtime/conversation'
import { kept } from '@/realtime/kept'
import { useOrders } from '@/billing/orders'
import { showNewLoginToast } from '@/composables/newLoginToast'
import { freshList } from './freshList'
import { useInvitations } from './invitations'
import { useRealtime } from './realtime'
import { useSession } from './session'

const openStates: ConsultationStatus[] = ['pending_payment', 'waiting', 'active', 'on_hold']
const pastStates: ConsultationStatus[] = ['ended', 'closed', 'cancelled', 'declined', 'expired', 'terminated']
export const isOpen = (c: Consultation) => openStates.includes(c.status)

/** Reports whether a consultation is booked for a time and not checked in yet: then it is in no queue. */
export const isBooked = (c: Consultation) => c.status === 'waiting' && c.scheduledAt !== undefined && c.queuedAt === undefined

const latestFirst = (a: Consultation, b: Consultation) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt)

/** The user's consultations; open ones are joined, so that they are live on every page. */
export const useConsultations = defineStore('consultations', () => {
  const realtime = useRealtime()
  const byId = reactive(new Map<string, Consultation>())
  const departures = freshList<string>()
  const joined = shallowReactive(new Map<string, { conversation: Conversation; release: () => void }>())
  const loaded = ref(false)
  const failure = ref<Failure>()
  const pastCursor = ref<string>()
  const pastLoading = ref(false)
  const pastFailure = ref<Failure>()
  const pastDone = ref(false)

  const open = computed(() => [...byId.values()].filter(isOpen).sort((a, b) => activity(b) - activity(a)))
  const past = computed(() => [...byId.values()].filter((c) => !isOpen(c)).sort(latestFirst))
  const queue = computed(() =>
    open.value.filter((c) => c.status === 'waiting' && !isBooked(c)).sort((a, b) => Date.parse(a.queuedAt ?? a.createdAt) - Date.parse(b.queuedAt ?? b.createdAt)),
  )
  const current = computed(() => open.value.filter((c) => c.status === 'active' || c.status === 'on_hold'))
  const unread = computed(() => [...byId.keys()].reduce((sum, id) => sum + unreadOf(id), 0))

  function stateOf(id: string): ConversationState | undefined {
    return joined.get(id)?.conversation.state
  }

  function unreadOf(id: string): number {
    const state = stateOf(id)
    return state?.joined ? state.unread : (byId.get(id)?.unread ?? 0)
  }

  function lastMessageOf(id: string): Message | undefined {
    return stateOf(id)?.messages.at(-1)
  }

  /** When something last happened: a message counts, not only a change of state. */
  function activity(c: Consultation): number {
    return Math.max(Date.parse(c.updatedAt), Date.parse(lastMessageOf(c.id)?.createdAt ?? c.updatedAt))
  }

  function put(c: Consultation): void {
    const before = byId.get(c.id)
    if (before && Date.parse(before.updatedAt) > Date.parse(c.updatedAt)) return
    byId.set(c.id, {
      ...kept(before, c),
      unread: c.unread ?? before?.unread,
      queue: c.status === 'waiting' ? (c.queue ?? before?.queue) : undefined,
    })
    if (isOpen(c)) join(c.id)
    else leave(c.id)
  }

  function join(id: string): void {
    if (!joined.has(id) && realtime.live) joined.set(id, realtime.hold(id))
  }

  function leave(id: string): void {
    joined.get(id)?.release()
    joined.delete(id)
  }

  /** A participant left; if it is the user, the consultation is removed. */
  function left(event: RoomEvent & { name: 'participant:left' }): void {
    if (event.data.userId !== useSession().user?.id) return
    const id = event.room.replace(/^consultation:/, '')
    departures.changed(id)
    leave(id)
    byId.delete(id)
  }

  /** A page of them without those that the user left during the request: its answer may be older. */
  async function pageOf(query: Parameters<typeof api.consultations>[0]) {
    const request = api.consultations(query)
    const gone = await departures.load(request.then(() => []))
    const page = await request
    return { ...page, items: page.items.filter((c) => !gone.includes(c.id)) }
  }

  async function loadOpen(): Promise<void> {
    try {
      let cursor: string | undefined
      do {
        const page = await pageOf({ status: openStates.join(','), cursor, limit: 100 })
        page.items.forEach(put)
        cursor = page.nextCursor
      } while (cursor)
      loaded.value = true
      failure.value = undefined
    } catch (thrown) {
      failure.value = Failure.from(thrown)
    }
  }

  async function loadPast(): Promise<void> {
    if (pastLoading.value || pastDone.value) return
    pastLoading.value = true
    try {
      const page = await pageOf({ status: pastStates.join(','), cursor: pastCursor.value, limit: 20 })
      page.items.forEach(put)
      pastCursor.value = page.nextCursor
      pastDone.value = !page.nextCursor
      pastFailure.value = undefined
    } catch (thrown) {
      pastFailure.value = Failure.from(thrown)
    } finally {
      pastLoading.value = false
    }
  }

  function start(me: string): void {
    realtime.start(me, {
      hint: (event: RoomEvent) => {
        if (event.name === 'consultation:updated') put(event.data)
        else if (event.name === 'order:updated') useOrders().put(event.data)
        else if (event.name === 'invitation:updated') useInvitations().put(event.data)
        else if (event.name === 'invitation:received') void loadOpen()
        else if (event.name === 'participant:left') left(event)
        else if (event.name === 'session:opened') showNewLoginToast(event.data)
      },
      changed: (state, event) => {
        if (event?.name === 'participant:left') left(event)
        if (state.consultation && !state.out) put({ ...state.consultation, unread: state.unread })
      },
    })
    // While offline, consultations may have begun whose rooms this browser has not joined.
    realtime.live?.connection.onLink((link) => {
      if (link === 'online') void loadOpen()
    })
    realtime.live?.connection.onSignal('queue:updated', (queue) => {
      const c = byId.get(queue.consultationId)
      if (c?.status === 'waiting') c.queue = queue
    })
    void loadOpen()
  }

  function stop(): void {
    joined.clear()
    byId.clear()
    realtime.stop()
    loaded.value = pastDone.value = false
    pastCursor.value = undefined
    failure.value = pastFailure.value = undefined
  }

  return {
    byId,
    open,
    past,
    queue,
    current,
    unread,
    loaded,
    failure,
    pastLoading,
    pastFailure,
    pastDone,
    unreadOf,
    lastMessageOf,
    put,
    loadOpen,
    loadPast,
    start,
    stop,
  }
})
