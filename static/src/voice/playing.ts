import { ref } from 'vue'

/** What is playing: when one starts, the one before pauses. */
let current: HTMLMediaElement | undefined

export function playAlone(element: HTMLMediaElement): Promise<void> {
  if (current !== element) current?.pause()
  current = element
  return element.play()
}

const speeds = [1, 1.5, 2]
const speedKey = 'wenzhen.voice.speed'
const stored = Number(localStorage.getItem(speedKey))

/** How fast voice messages play, on this device. */
export const speed = ref(speeds.includes(stored) ? stored : 1)

export function nextSpeed(): void {
  speed.value = speeds[(speeds.indexOf(speed.value) + 1) % speeds.length] ?? 1
  localStorage.setItem(speedKey, String(speed.value))
}

/**
 * Waits until an element can be moved about in. Recordings are written without
 * their length; browsers find it when they are sent past the end.
 */
export async function settle(element: HTMLMediaElement): Promise<void> {
  const event = (name: string) => new Promise((resolve) => element.addEventListener(name, resolve, { once: true }))
  if (element.readyState < HTMLMediaElement.HAVE_METADATA) await event('loadedmetadata')
  if (Number.isFinite(element.duration)) return
  const found = event('seeked')
  element.currentTime = 1e8
  await found
  const back = event('seeked')
  element.currentTime = 0
  await back
}
