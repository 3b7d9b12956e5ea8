import type { Page } from '@playwright/test'

/** Widths and languages in which pictures of screens are taken. */
export const looks = [
  [1440, 'zh-CN'],
  [390, 'zh-CN'],
  [1440, 'en'],
  [390, 'en'],
] as const

/** Sets the language of a page, which takes precedence over the account's language. */
export const speak = (page: Page, locale: string) => page.addInitScript((code) => localStorage.setItem('wenzhen.locale', code), locale)
