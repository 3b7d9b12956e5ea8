import type { Page } from '@playwright/test'

/** Widths and languages in which pictures of screens are taken. */
export const looks = [
  [1440, 'zh-CN'],
  [390, 'zh-CN'],
  [1440, 'en'],
  [390, 'en'],
] as const

/** Shows a page in a language, whatever who logs in has chosen elsewhere. */
export const speak = (page: Page, locale: string) => page.addInitScript((code) => localStorage.setItem('wenzhen.locale', code), locale)
