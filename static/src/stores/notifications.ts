import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import { openNamespace } from 'wenzhen-client'
import { tokens } from '@/api'
import { Failure } from '@/api/failure'
import { notificationsApi } from '@/api/notifications'
import type { Notification } from '@/api/wire.gen'
import { i18n } from '@/i18n'
import { Inbox } from '@/realtime/inbox'
import { Notifications } from '@/realtime/notifications'

/** The inbox of this login, live on every page. */
export const useNotifications = defineStore('notifications', () => {
  const inbox = reactive(new Inbox()) as Inbox
  const cursor = ref<string>()
  const loaded = ref(false)
  const loading = ref(false)
  const failure = ref<Failure>()
  /** What came while one of the pages was being looked at: shown for a moment. */
  const news = ref<Notification>()
  let connection: Notifications | undefined
  let generation = 0

  async function load(more = false): Promise<void> {
    const mine = generation
    loading.value = true
    try {
      const page = await notificationsApi.list({ cursor: more ? cursor.value : undefined, limit: 30 })
      if (mine !== generation) return
      inbox.listed(page)
      if (more || !loaded.value) cursor.value = page.nextCursor
      loaded.value = true
      failure.value = undefined
    } catch (thrown) {
      if (mine === generation) failure.value = Failure.from(thrown)
    } finally {
      if (mine === generation) loading.value = false
    }
  }

  function start(): void {
    stop()
    connection = new Notifications(openNamespace('/notifications'), tokens, {
      online: () => void load(),
      arrived: (arrived) => {
        if (!inbox.arrived(arrived) || arrived.readAt || document.visibilityState !== 'visible') return
        news.value = arrived
        // Lost, it is pushed as well: no harm.
        notificationsApi.see({ ids: [arrived.id] }).catch(() => undefined)
      },
      marked: (marked, at) => inbox.marked(marked, at),
    })
    void load()
  }

  function stop(): void {
    generation++
    connection?.close()
    connection = undefined
    inbox.clear()
    cursor.value = news.value = failure.value = undefined
    loaded.value = loading.value = false
  }

  async function read(ids: string[]): Promise<void> {
    const left = ids.filter((id) => !inbox.byId.get(id)?.readAt)
    if (left.length > 0) inbox.marked(await notificationsApi.read({ ids: left }), new Date().toISOString())
  }

  async function readAll(): Promise<void> {
    const latest = inbox.items[0]
    if (latest) inbox.marked(await notificationsApi.read({ upToId: latest.id }), new Date().toISOString())
  }

  // The server words notifications in the language of the account.
  watch(i18n.global.locale, () => connection && setTimeout(() => void load(), 500))

  return {
    items: computed(() => inbox.items),
    unread: computed(() => inbox.unread),
    more: computed(() => Boolean(cursor.value)),
    loaded,
    loading,
    failure,
    news,
    load,
    start,
    stop,
    read,
    readAll,
  }
})
