import { ref, shallowRef } from 'vue'
import { Failure } from '@/api/failure'

/**
 * Data from the server: loaded immediately, and again by load. If load is called
 * again before an answer arrives, the earlier answer is dropped. After a failure
 * value keeps the old data and failure is set. With lazy the caller makes the
 * first call of load.
 */
export function useAsyncData<T>(fetch: () => Promise<T>, { lazy = false } = {}) {
  const value = shallowRef<T>()
  const failure = ref<Failure>()
  const busy = ref(false)
  let latest = 0

  async function load(): Promise<void> {
    const request = ++latest
    busy.value = true
    failure.value = undefined
    try {
      const answer = await fetch()
      if (request === latest) value.value = answer
    } catch (thrown) {
      if (request === latest) failure.value = Failure.from(thrown)
    } finally {
      if (request === latest) busy.value = false
    }
  }
  if (!lazy) void load()

  return { value, failure, busy, load }
}
