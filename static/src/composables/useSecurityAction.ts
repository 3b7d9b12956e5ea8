import { useI18n } from 'vue-i18n'
import { Failure } from '@/api/failure'
import { useReauthentication } from './useReauthentication'
import { useFailureText } from './useFailureText'
import { useToast } from './useToast'
import { ref } from 'vue'

/**
 * Runs one change to the ways to log in at a time: asks for a confirmation of
 * identity when the server requires it, and shows failures, but not a
 * confirmation that the user cancelled.
 */
export function useSecurityAction() {
  const busy = ref(false)
  const { t } = useI18n()
  const { withReauthentication } = useReauthentication()
  const toast = useToast()
  const failureText = useFailureText()

  async function change(work: () => Promise<unknown>, aborted?: string): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    try {
      await withReauthentication(work)
      return true
    } catch (thrown) {
      const failure = Failure.from(thrown)
      if (failure.status === 'last') toast.error(t('security.lastWay'))
      else if (failure.code !== 'aborted') toast.error(failureText(failure))
      else if (aborted) toast.error(aborted)
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, change }
}
