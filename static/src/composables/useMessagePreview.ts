import { useI18n } from 'vue-i18n'
import type { Attachment, Message } from '@/api/wire.gen'
import { length } from '@/call/length'

/** A message in one line, for lists and quotes. */
export function useMessagePreview() {
  const { t } = useI18n()
  return (message: Pick<Message, 'kind' | 'text' | 'recalledAt'> & { attachment?: Attachment }): string => {
    if (message.recalledAt) return t('chat.recalled')
    if (message.kind === 'text' || message.kind === 'system') return message.text ?? ''
    const { durationMs } = message.attachment ?? {}
    if (durationMs) return `[${t('voice.message')}] ${length(durationMs / 1000)}`
    const name = message.attachment?.name ?? ''
    return `[${t(`kind.${message.kind}`)}] ${message.kind === 'image' ? '' : name}`.trim()
  }
}
