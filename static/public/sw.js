// Shows what Wenzhen pushes, also while none of its pages is open.

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

const pages = () => self.clients.matchAll({ type: 'window', includeUncontrolled: true })

async function show(parcel) {
  // No notification for the page that is open and visible: it shows the news itself.
  if ((await pages()).some((page) => page.visibilityState === 'visible' && page.focused)) return
  await self.registration.showNotification(parcel.title, {
    body: parcel.body,
    tag: parcel.tag,
    renotify: true,
    timestamp: Date.parse(parcel.at),
    icon: '/favicon.svg',
    data: { id: parcel.id, path: parcel.path },
  })
}

self.addEventListener('push', (event) => {
  let parcel
  try {
    parcel = event.data.json()
  } catch {
    return // not one of ours
  }
  event.waitUntil(show(parcel))
})

/** Goes to what the notification is about: in a page that is open, or in a new one. */
async function open({ id, path }) {
  const url = new URL(path, self.location.origin)
  if (url.origin !== self.location.origin) return
  const [page] = await pages()
  if (!page) return self.clients.openWindow(url.href)
  page.postMessage({ type: 'notification:open', id, path })
  return page.focus()
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(open(event.notification.data))
})
