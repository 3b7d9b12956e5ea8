import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import { Failure } from '@/api/failure'
import { scheduleApi } from '@/api/schedule'
import type { Appointment, Booking, Wait } from '@/api/wire.gen'
import { isAhead, newest } from '@/schedule/appointment'
import { useConsultations } from './consultations'
import { freshList } from './freshList'
import { useSchedules } from './schedules'
import { useSession } from './session'

const byStart = (a: Appointment, b: Appointment) => Date.parse(a.start) - Date.parse(b.start)
const dayMs = 86_400_000
/** Far enough back for what is late and still open. */
const openSinceMs = 2 * dayMs

/** The user's appointments and places on waitlists, live while a page shows them. */
export const useAppointments = defineStore('appointments', () => {
  const session = useSession()
  const schedules = useSchedules()
  const byId = reactive(new Map<string, Appointment>())
  const waitById = reactive(new Map<string, Wait>())
  const loaded = ref(false)
  const failure = ref<Failure>()
  const past = reactive({ loading: false, done: false, before: Date.now() - openSinceMs, failure: undefined as Failure | undefined })
  let holders = 0
  let release: (() => void) | undefined

  const all = computed(() => [...byId.values()].sort(byStart))
  const upcoming = computed(() => all.value.filter(isAhead))
  const history = computed(() => all.value.filter((a) => !isAhead(a)).reverse())
  const waits = computed(() => [...waitById.values()].filter((w) => w.status === 'waiting' || w.status === 'offered'))

  const put = (a: Appointment) => byId.set(a.id, newest(byId.get(a.id), a))
  const places = freshList<Wait>()
  function putWait(w: Wait): void {
    places.changed(w)
    waitById.set(w.id, w)
  }
  function putBooking(booking: Booking): void {
    put(booking.appointment)
    useConsultations().put(booking.consultation)
  }

  async function loadBetween(from: number, to?: number): Promise<void> {
    let cursor: string | undefined
    do {
      const page = await scheduleApi.appointments({ from: new Date(from).toISOString(), to: to === undefined ? undefined : new Date(to).toISOString(), cursor, limit: 100 })
      page.items.forEach(put)
      cursor = page.nextCursor
    } while (cursor)
  }

  async function load(): Promise<void> {
    try {
      const waiting = session.role === 'patient' ? scheduleApi.waits().then((answer) => answer.items) : []
      const found = await places.load(Promise.all([waiting, loadBetween(Date.now() - openSinceMs)]).then(([items]) => items))
      waitById.clear()
      found.forEach((w) => waitById.set(w.id, w))
      loaded.value = true
      failure.value = undefined
    } catch (thrown) {
      failure.value = Failure.from(thrown)
    }
  }

  /** Loads three more months of the past, until the account was created. */
  async function loadPast(): Promise<void> {
    if (past.loading || past.done) return
    past.loading = true
    try {
      const from = past.before - 90 * dayMs
      await loadBetween(from, past.before)
      past.before = from
      past.done = from < Date.parse(session.user?.createdAt ?? '')
      past.failure = undefined
    } catch (thrown) {
      past.failure = Failure.from(thrown)
    } finally {
      past.loading = false
    }
  }

  /** Keeps them live until the answer is called. */
  function hold(): () => void {
    if (holders++ === 0) release = schedules.listen({ appointment: put, wait: putWait, online: () => void load() })
    return () => {
      if (--holders > 0) return
      release?.()
      release = undefined
    }
  }

  watch(
    () => session.user?.id,
    () => {
      byId.clear()
      waitById.clear()
      loaded.value = past.done = false
      past.before = Date.now() - openSinceMs
      failure.value = past.failure = undefined
    },
  )

  return { byId, all, upcoming, history, waits, loaded, failure, past, put, putWait, putBooking, load, loadBetween, loadPast, hold }
})
