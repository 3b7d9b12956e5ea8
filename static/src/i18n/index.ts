import { createI18n } from 'vue-i18n'
import { billingEn } from './billing.en'
import { billingZhCN } from './billing.zh-CN'
import { boardEn } from './board.en'
import { boardZhCN } from './board.zh-CN'
import { callEn } from './call.en'
import { callZhCN } from './call.zh-CN'
import { developersEn } from './developers.en'
import { developersZhCN } from './developers.zh-CN'
import { en } from './en'
import { failuresEn } from './failures.en'
import { failuresZhCN } from './failures.zh-CN'
import { holdEn } from './hold.en'
import { holdZhCN } from './hold.zh-CN'
import { identityEn } from './identity.en'
import { identityZhCN } from './identity.zh-CN'
import { invitationEn } from './invitation.en'
import { invitationZhCN } from './invitation.zh-CN'
import { notificationsEn } from './notifications.en'
import { notificationsZhCN } from './notifications.zh-CN'
import { operationsEn } from './operations.en'
import { operationsZhCN } from './operations.zh-CN'
import { privacyEn } from './privacy.en'
import { privacyZhCN } from './privacy.zh-CN'
import { oversightEn } from './oversight.en'
import { oversightZhCN } from './oversight.zh-CN'
import { recordEn } from './record.en'
import { recordZhCN } from './record.zh-CN'
import { scheduleEn } from './schedule.en'
import { scheduleZhCN } from './schedule.zh-CN'
import { voiceEn } from './voice.en'
import { voiceZhCN } from './voice.zh-CN'
import { zhCN } from './zh-CN'

export type Locale = 'zh-CN' | 'en'
export const locales: { code: Locale; name: string }[] = [
  { code: 'zh-CN', name: '简体中文' },
  { code: 'en', name: 'English' },
]

const storageKey = 'wenzhen.locale'

export const isLocale = (code: unknown): code is Locale => code === 'zh-CN' || code === 'en'

/** The language chosen on this device, if one was. */
export function chosenLocale(): Locale | undefined {
  const stored = localStorage.getItem(storageKey)
  return isLocale(stored) ? stored : undefined
}

const preferred = (): Locale => chosenLocale() ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en')

export const i18n = createI18n({
  legacy: false,
  locale: preferred(),
  fallbackLocale: 'en',
  messages: {
    'zh-CN': {
      ...zhCN,
      ...billingZhCN,
      ...boardZhCN,
      ...callZhCN,
      ...developersZhCN,
      ...failuresZhCN,
      ...holdZhCN,
      ...identityZhCN,
      ...invitationZhCN,
      ...notificationsZhCN,
      ...operationsZhCN,
      ...privacyZhCN,
      ...oversightZhCN,
      ...recordZhCN,
      ...scheduleZhCN,
      ...voiceZhCN,
    },
    en: {
      ...en,
      ...billingEn,
      ...boardEn,
      ...callEn,
      ...developersEn,
      ...failuresEn,
      ...holdEn,
      ...identityEn,
      ...invitationEn,
      ...notificationsEn,
      ...operationsEn,
      ...privacyEn,
      ...oversightEn,
      ...recordEn,
      ...scheduleEn,
      ...voiceEn,
    },
  },
})

export function setLocale(locale: Locale): void {
  i18n.global.locale.value = locale
  localStorage.setItem(storageKey, locale)
  document.documentElement.lang = locale
}

document.documentElement.lang = i18n.global.locale.value
