import { computed, onScopeDispose, ref, watch } from 'vue'
import { identityApi } from '@/api/identity'
import { useServerConfig } from '@/stores/serverConfig'
import { useSession } from '@/stores/session'

const storageKey = 'wenzhen.touched'
const warnMs = 60_000
const signs = ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const

/**
 * Logs out the browser of a doctor or admin that is not used, after a
 * warning. All tabs count together; a machine that slept, or a browser that was
 * closed, is logged off before anyone sees a page.
 */
export function useIdleLogOff() {
  const server = useServerConfig()
  const session = useSession()
  const now = ref(Date.now())
  const touched = ref(Number(localStorage.getItem(storageKey)) || Date.now())
  const limit = computed(() => (session.role === 'doctor' || session.role === 'admin' ? (server.config.idleMinutes ?? 0) * 60_000 : 0))
  const leftMs = computed(() => (limit.value ? touched.value + limit.value - now.value : Infinity))

  function touch(): void {
    const at = Date.now()
    if (leftMs.value <= warnMs && leftMs.value !== Infinity) return // only the dialog's button counts then
    if (at - touched.value < 1_000) return
    keep(at)
  }
  function keep(at = Date.now()): void {
    touched.value = at
    localStorage.setItem(storageKey, String(at))
    shareActivity(at)
  }
  // The server has a clock of its own, which reading a page does not move.
  let sharedAt = 0
  function shareActivity(at: number): void {
    if (!limit.value || !session.user || at - sharedAt < limit.value / 8) return
    sharedAt = at
    identityApi.keep().catch(() => undefined) // a session that has ended is noticed elsewhere
  }
  const onStorage = (e: StorageEvent) => {
    if (e.key === storageKey && e.newValue) touched.value = Number(e.newValue)
  }
  const tick = () => (now.value = Date.now())
  const timer = setInterval(tick, 1_000)
  for (const sign of signs) window.addEventListener(sign, touch, { passive: true })
  window.addEventListener('storage', onStorage)
  document.addEventListener('visibilitychange', tick)
  onScopeDispose(() => {
    clearInterval(timer)
    for (const sign of signs) window.removeEventListener(sign, touch)
    window.removeEventListener('storage', onStorage)
    document.removeEventListener('visibilitychange', tick)
  })

  // A login is a sign of life.
  watch(() => session.user?.id, (id, before) => id && before === undefined && keep())
  watch(
    () => leftMs.value <= 0 && session.user !== undefined,
    (over) => over && void session.logOut(),
    { immediate: true },
  )
  return {
    /** Seconds until the log-off, when it is near. */
    secondsLeft: computed(() => (leftMs.value <= warnMs ? Math.max(0, Math.ceil(leftMs.value / 1_000)) : undefined)),
    stay: () => keep(),
  }
}
