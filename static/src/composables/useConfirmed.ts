import { ref } from 'vue'
import { Failure } from '@/api/failure'

const waiting = ref<(proved: boolean) => void>()

/**
 * Does what the server allows only to someone who proved lately who they are:
 * when it asks for that, ConfirmDialog does, and the work is done again.
 */
export function useConfirmed() {
  async function confirmed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (thrown) {
      if (Failure.from(thrown).field !== 'confirm') throw thrown
      if (!(await new Promise<boolean>((resolve) => (waiting.value = resolve)))) throw Failure.aborted()
      return work()
    }
  }
  function settle(proved: boolean): void {
    waiting.value?.(proved)
    waiting.value = undefined
  }
  return { confirmed, waiting, settle }
}
