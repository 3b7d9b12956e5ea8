import { onScopeDispose, ref } from 'vue'

/** The present, renewed now and then, for clocks that run down. */
export function useNow(everyMs = 15_000) {
  const now = ref(Date.now())
  const timer = setInterval(() => (now.value = Date.now()), everyMs)
  onScopeDispose(() => clearInterval(timer))
  return now
}
