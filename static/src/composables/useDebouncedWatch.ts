import { onScopeDispose, watch, type WatchSource } from 'vue'

const delayMs = 300

/** Watches source and calls callback once it has not changed for 300 ms, for searches while the user types. */
export function useDebouncedWatch(source: WatchSource | WatchSource[], callback: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(source, () => {
    clearTimeout(timer)
    timer = setTimeout(callback, delayMs)
  })
  onScopeDispose(() => clearTimeout(timer))
}
