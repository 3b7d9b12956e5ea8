import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { hours } from '@/format/time'
import { usualTerms } from '@/schedule/appointment'
import { useServerConfig } from '@/stores/serverConfig'

/** The refund for a patient who cancels an appointment, as numbers and as text. */
export function useCancelTerms() {
  const { t, locale } = useI18n()
  const server = useServerConfig()
  const terms = computed(() => server.config.cancellation ?? usualTerms)
  /** Reports whether there is a time with a partial refund. */
  const parted = computed(() => terms.value.partPercent > 0 && terms.value.partMinutes < terms.value.fullMinutes)
  const words = computed(() => ({
    full: hours(terms.value.fullMinutes, locale.value),
    part: hours(terms.value.partMinutes, locale.value),
    percent: terms.value.partPercent,
  }))

  const inWords = computed(() => {
    if (terms.value.fullMinutes === 0) return t('terms.always')
    if (!parted.value) return t('terms.whole', words.value)
    return t(terms.value.partMinutes === 0 ? 'terms.partToStart' : 'terms.part', words.value)
  })

  /** The text for cancelling now: percent of the price is refunded, which is the amount `back`. */
  function nowInWords(percent: number, back: string): string {
    if (percent === 100) return t('terms.nowFull', { price: back })
    if (percent > 0) return t('terms.nowPart', { ...words.value, price: back })
    return t('terms.nowNone', { last: parted.value ? words.value.part : words.value.full })
  }
  return { terms, inWords, nowInWords }
}
