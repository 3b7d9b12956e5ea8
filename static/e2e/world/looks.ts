const all = [
  [390, 'en'],
  [1440, 'zh-CN'],
  [390, 'zh-CN'],
  [1440, 'en'],
] as const

/** Widths and languages that pictures are taken in: one of them, or all when SHOTS names a folder to keep them in. */
export const looks = process.env.SHOTS ? all : all.slice(0, 1)
