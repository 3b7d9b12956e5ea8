import type { Router } from 'vue-router'
import { useToast } from '@/composables/useToast'
import { i18n } from '@/i18n'
import { useCall } from '@/stores/call'

/** What recovering from a lost part of the program needs of a browser. */
export interface Surroundings {
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  /** Opens a page anew. */
  open: (path: string) => void
  /** Reports whether the server answers. */
  reachable: () => Promise<boolean>
  /** Reports whether opening anew would end something, such as a call. */
  busy: () => boolean
  say: (what: 'newVersion' | 'offline') => void
}

const key = 'wenzhen.opened-anew'

/** How browsers say that a part of the program did not come. */
const lost = /dynamically imported module|importing a module script failed|unable to preload css/i

/**
 * An upgrade of the server replaces the parts that pages are made of, so that a
 * tab that was open before cannot load them any more. The page that was wanted is
 * then opened anew, once: if that does not help, a message says what does. Without
 * a network nothing is opened anew, for then the tab would be lost; nor during a call.
 */
export function recovery({ storage, open, reachable, busy, say }: Surroundings) {
  let under = false
  return {
    async lost(path: string) {
      if (under) return
      under = true
      try {
        if (!(await reachable())) say('offline')
        else if (busy() || storage.getItem(key) === path) say('newVersion')
        else {
          storage.setItem(key, path)
          open(path)
        }
      } finally {
        under = false
      }
    },
    arrived: () => storage.removeItem(key),
  }
}

/** Recovers from upgrades in this tab. */
export function surviveUpgrades(router: Router): void {
  const { t } = i18n.global
  const recover = recovery({
    storage: sessionStorage,
    open: (path) => window.location.assign(path),
    reachable: () => fetch('/api/v1/config', { cache: 'no-store' }).then(({ ok }) => ok, () => false),
    busy: () => useCall().current !== undefined,
    say: (what) => useToast().warn(t(`upgrade.${what}`)),
  })
  let wanted: string | undefined
  router.beforeEach((to) => {
    wanted = to.fullPath
  })
  router.afterEach((_to, _from, failure) => {
    wanted = undefined
    if (!failure) recover.arrived()
  })
  router.onError((error: unknown, to) => {
    wanted = undefined
    if (error instanceof Error && lost.test(error.message)) void recover.lost(to.fullPath)
  })
  // Also of parts that are no pages, such as the sections of administration.
  window.addEventListener('vite:preloadError', () => void recover.lost(wanted ?? router.currentRoute.value.fullPath))
}
