import { onMounted, ref } from 'vue'
import { notificationsApi } from '@/api/notifications'
import { Failure } from '@/api/failure'
import { useServerConfig } from '@/stores/serverConfig'

/** What pushes to this browser are: not possible, refused by its owner, off or on. */
export type PushState = 'unsupported' | 'denied' | 'off' | 'on'

const kept = 'wenzhen.push'

const supported = () => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window

/** The service worker, which shows pushes; registered when someone is logged in. */
export async function registerWorker(): Promise<ServiceWorkerRegistration | undefined> {
  return supported() ? navigator.serviceWorker.register('/sw.js') : undefined
}

async function register(subscription: PushSubscription): Promise<void> {
  const { endpoint, keys } = subscription.toJSON()
  const { id } = await notificationsApi.subscribe({ endpoint: endpoint ?? '', keys: { p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' } })
  localStorage.setItem(kept, id)
}

/** A browser that was subscribed before belongs to this login from now on. */
export async function renewPush(): Promise<void> {
  const registration = await registerWorker()
  const subscription = await registration?.pushManager.getSubscription()
  if (subscription && Notification.permission === 'granted') await register(subscription)
}

/** Turns pushes to this browser on and off, asking its owner. */
export function usePush() {
  const state = ref<PushState>('unsupported')
  const config = useServerConfig()

  async function look(): Promise<void> {
    if (!supported()) return
    if (Notification.permission === 'denied') {
      state.value = 'denied'
      return
    }
    const registration = await navigator.serviceWorker.getRegistration('/')
    const subscription = await registration?.pushManager.getSubscription()
    state.value = subscription && localStorage.getItem(kept) ? 'on' : 'off'
  }

  async function turnOn(): Promise<void> {
    if ((await Notification.requestPermission()) !== 'granted') return look()
    const registration = await registerWorker()
    try {
      const subscription = await registration?.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: config.config.pushKey })
      if (subscription) await register(subscription)
    } catch (thrown) {
      // The browser's own push service may be out of reach.
      throw thrown instanceof DOMException ? new Failure({ code: 'unavailable', message: thrown.message, retryable: true }) : thrown
    } finally {
      await look()
    }
  }

  async function turnOff(): Promise<void> {
    const registration = await navigator.serviceWorker.getRegistration('/')
    const subscription = await registration?.pushManager.getSubscription()
    const id = localStorage.getItem(kept)
    await subscription?.unsubscribe()
    localStorage.removeItem(kept)
    // The server finds out by itself that the subscription has ended.
    if (id) await notificationsApi.unsubscribe(id).catch(() => undefined)
    await look()
  }

  onMounted(() => void look())
  return { state, turnOn, turnOff }
}
