import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import { Failure } from '@/api/failure'
import type { Order } from '@/api/wire.gen'
import { useRealtime } from '@/stores/realtime'
import { useSession } from '@/stores/session'
import { billingApi } from './api'
import { isPayable, newest } from './order'

/** The user's orders that were loaded, updated by events. */
export const useOrders = defineStore('orders', () => {
  const session = useSession()
  const realtime = useRealtime()
  const byId = reactive(new Map<string, Order>())
  const list = reactive({ loaded: false, loading: false, cursor: '', failure: undefined as Failure | undefined })
  /** Changes when the connection is back: what was missed has to be read. */
  const rounds = ref(0)

  const all = computed(() => [...byId.values()].sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt)))
  const ofConsultation = (id: string) => all.value.find((o) => o.consultationId === id)

  const put = (o: Order) => byId.set(o.id, newest(byId.get(o.id), o))
  const read = async (id: string) => put(await billingApi.order(id))

  async function load(more = false): Promise<void> {
    if (list.loading) return
    list.loading = true
    try {
      const page = await billingApi.orders({ cursor: more ? list.cursor : undefined })
      page.items.forEach(put)
      list.cursor = page.nextCursor
      list.loaded = true
      list.failure = undefined
    } catch (thrown) {
      list.failure = Failure.from(thrown)
    } finally {
      list.loading = false
    }
  }

  /** Reads the orders that can still be paid, so that a page can offer it. */
  async function loadPayable(): Promise<void> {
    const page = await billingApi.orders({ status: 'created,failed' as Order['status'], limit: 100 })
    page.items.forEach(put)
  }

  watch(
    () => realtime.link,
    (link) => link === 'online' && rounds.value++,
  )
  watch(
    () => session.user?.id,
    () => {
      byId.clear()
      list.loaded = false
      list.cursor = ''
    },
  )

  return { byId, all, list, rounds, ofConsultation, isPayable, put, read, load, loadPayable }
})
