import { onScopeDispose, watch, type WatchSource } from 'vue'

const pauseMs = 300

/** Calls `changed` once who types pauses. */
export function useTyped(typed: WatchSource | WatchSource[], changed: () => void) {
  let pause: ReturnType<typeof setTimeout> | undefined
  watch(typed, () => {
    clearTimeout(pause)
    pause = setTimeout(changed, pauseMs)
  })
  onScopeDispose(() => clearTimeout(pause))
}
