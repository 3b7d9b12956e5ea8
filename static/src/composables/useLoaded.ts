import { ref, shallowRef } from 'vue'
import { Failure } from '@/api/failure'

/**
 * Data of the server that a page shows: loaded at once, and again by `load`. The
 * answer of a `load` that a later one has overtaken is dropped; a failure keeps
 * the old value and is returned in `failure`. With `later` the caller starts the
 * first load.
 */
export function useLoaded<T>(read: () => Promise<T>, { later = false } = {}) {
  const value = shallowRef<T>()
  const failure = ref<Failure>()
  const busy = ref(false)
  let asked = 0

  async function load(): Promise<void> {
    const turn = ++asked
    busy.value = true
    failure.value = undefined
    try {
      const found = await read()
      if (turn === asked) value.value = found
    } catch (thrown) {
      if (turn === asked) failure.value = Failure.from(thrown)
    } finally {
      if (turn === asked) busy.value = false
    }
  }
  if (!later) void load()

  return { value, failure, busy, load }
}
