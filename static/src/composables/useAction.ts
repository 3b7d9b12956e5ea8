import { ref } from 'vue'
import { Failure } from '@/api/failure'
import { useToast } from './useToast'
import { useFailureText } from './useFailureText'

/**
 * Runs one operation at a time and shows a toast if it fails. The failure is
 * kept, so that a form can show the text beside the field that the server names.
 */
export function useAction() {
  const busy = ref(false)
  const failure = ref<Failure>()
  const toast = useToast()
  const failureText = useFailureText()

  async function run(work: () => Promise<void>, options: { quiet?: boolean } = {}): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    failure.value = undefined
    try {
      await work()
      return true
    } catch (thrown) {
      failure.value = Failure.from(thrown)
      if (!options.quiet) toast.error(failureText(thrown))
      return false
    } finally {
      busy.value = false
    }
  }

  const fieldError = (...fields: string[]) => (failure.value?.field && fields.includes(failure.value.field) ? failureText(failure.value) : undefined)

  return { busy, failure, run, fieldError }
}
