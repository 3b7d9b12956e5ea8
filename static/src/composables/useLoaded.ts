import { ref, shallowRef } from 'vue'
import { Failure } from '@/api/failure'

/**
 * What a page shows of the server: read at once, and again by `load`. An answer
 * that another `load` has overtaken is dropped; one that fails leaves what was
 * there, with why. `later` leaves the first reading to whoever asks, too.
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
