import { ref } from 'vue'
import { Failure } from '@/api/failure'

/** Set while ReauthenticationDialog is open: resolves the request that opened it. */
const waiting = ref<(confirmed: boolean) => void>()

/**
 * For requests that the server accepts only shortly after the user has confirmed
 * their identity. withReauthentication runs a request; if the server refuses it
 * with the field "confirm", it opens ReauthenticationDialog and then runs the
 * request again. It rejects with the failure "aborted" if the user cancels.
 * ReauthenticationDialog itself uses waiting and settle.
 */
export function useReauthentication() {
  async function withReauthentication<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request()
    } catch (thrown) {
      if (Failure.from(thrown).field !== 'confirm') throw thrown
      if (!(await new Promise<boolean>((resolve) => (waiting.value = resolve)))) throw Failure.aborted()
      return request()
    }
  }
  function settle(confirmed: boolean): void {
    waiting.value?.(confirmed)
    waiting.value = undefined
  }
  return { withReauthentication, waiting, settle }
}
