import { useI18n } from 'vue-i18n'
import { Failure } from '@/api/failure'
import { duration } from '@/format/time'

interface Composer {
  t: (key: string, values?: Record<string, string>) => string
  te: (key: string) => boolean
  locale: { readonly value: string }
}

/** Says in the reader's language what went wrong. The message of the server is English and is not shown. */
export function useFailureText() {
  const composer = useI18n()
  return (thrown: unknown): string => failureText(composer, Failure.from(thrown))
}

export function failureText({ t, te, locale }: Composer, failure: Failure): string {
  if (failure.status && te(`failureFor.${failure.status}`)) return t(`failureFor.${failure.status}`)
  if (failure.code === 'conflict' && failure.status && te(`status.${failure.status}`)) {
    return t('failure.conflictStatus', { status: t(`status.${failure.status}`) })
  }
  const field = fieldKey(failure.field)
  if (failure.code === 'invalid' && field && te(`failureAt.${field}`)) return t(`failureAt.${field}`)
  if (field && te(`failureField.${field}`)) {
    if (failure.code === 'invalid') return t('failure.invalidField', { field: t(`failureField.${field}`) })
    if (failure.code === 'too_large') return t('failure.tooLargeField', { field: t(`failureField.${field}`) })
  }
  if (failure.code === 'internal' && failure.traceId) return t('failure.internalTrace', { trace: failure.traceId })
  if (failure.code === 'rate_limited' && (failure.retryAfterMs ?? 0) >= 60_000) {
    return t('failure.rateLimitedFor', { time: duration(failure.retryAfterMs ?? 0, locale.value) })
  }
  return te(`failure.${failure.code}`) ? t(`failure.${failure.code}`) : t('failure.internal')
}

/** The last name in the path of a field, without indexes: "items[0].dose" is "dose". */
export const fieldKey = (path = '') => (path.split('.').pop() ?? '').replace(/\[\d+\]|\W/g, '')
