import { newId } from './id'

/** Runs work while no other tab of this browser runs work of the same name. */
export type Exclusive = <T>(name: string, work: () => Promise<T>) => Promise<T>

export function exclusiveAcrossTabs(): Exclusive {
  // Web Locks exist in secure contexts only; a clinic may serve plain HTTP.
  return 'locks' in navigator ? webLock : (name, work) => storageLock(localStorage, name, work)
}

async function webLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  return navigator.locks.request(name, work) as Promise<T>
}

const leaseMs = 15_000
const settleMs = 150

/**
 * A lease in storage: written, then read again after a moment, so that of two
 * tabs that wrote at the same time only the last one goes ahead.
 */
export async function storageLock<T>(storage: Storage, name: string, work: () => Promise<T>): Promise<T> {
  const key = `wenzhen.lock.${name}`
  const owner = newId()
  const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))
  for (;;) {
    const [holder, until] = (storage.getItem(key) ?? '').split('|')
    if (!holder || Number(until) < Date.now()) {
      storage.setItem(key, `${owner}|${Date.now() + leaseMs}`)
      await pause(settleMs)
      if (storage.getItem(key)?.startsWith(`${owner}|`)) break
    }
    await pause(settleMs + Math.random() * settleMs)
  }
  try {
    return await work()
  } finally {
    if (storage.getItem(key)?.startsWith(`${owner}|`)) storage.removeItem(key)
  }
}
