import { useI18n } from 'vue-i18n'
import { Failure } from '@/api/failure'

/** Says in the reader's language what went wrong. */
export function useFailureText() {
  const { t, te } = useI18n()
  return (thrown: unknown): string => {
    const failure = Failure.from(thrown)
    if (failure.status && te(`failureFor.${failure.status}`)) return t(`failureFor.${failure.status}`)
    if (failure.code === 'conflict' && failure.status && te(`status.${failure.status}`)) {
      return t('failure.conflictStatus', { status: t(`status.${failure.status}`) })
    }
    if (failure.field && te(`failureAt.${failure.field}`)) return t(`failureAt.${failure.field}`)
    if (failure.code === 'internal' && failure.traceId) return t('failure.internalTrace', { trace: failure.traceId })
    return te(`failure.${failure.code}`) ? t(`failure.${failure.code}`) : failure.message
  }
}
