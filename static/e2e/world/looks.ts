/** Widths and languages in which pictures of screens are taken. */
export const looks = [
  [1440, 'zh-CN'],
  [390, 'zh-CN'],
  [1440, 'en'],
  [390, 'en'],
] as const
