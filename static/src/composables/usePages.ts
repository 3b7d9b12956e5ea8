import { computed, ref, shallowRef } from 'vue'
import { Failure } from '@/api/failure'

/** A page of a list as the server sends it. */
interface PageOf<T> {
  items: T[]
  nextCursor: string
}

/**
 * A list that is read page by page: load reads the first page, more the next.
 * If load is called again before an answer arrives, the earlier answer is dropped.
 */
export function usePages<T>(read: (cursor?: string) => Promise<PageOf<T>>) {
  const items = shallowRef<T[]>()
  const failure = ref<Failure>()
  const cursor = ref('')
  const busy = ref(false)
  let asked = 0

  async function fetch(on: boolean) {
    const turn = ++asked
    busy.value = true
    failure.value = undefined
    try {
      const page = await read(on ? cursor.value : undefined)
      if (turn !== asked) return
      items.value = on ? [...(items.value ?? []), ...page.items] : page.items
      cursor.value = page.nextCursor
    } catch (thrown) {
      if (turn === asked) failure.value = Failure.from(thrown)
    } finally {
      if (turn === asked) busy.value = false
    }
  }

  return { items, failure, busy, hasMore: computed(() => cursor.value !== ''), load: () => fetch(false), more: () => fetch(true) }
}

/** A list that is read page by page, as usePages returns it. */
export type Pages<T> = ReturnType<typeof usePages<T>>
