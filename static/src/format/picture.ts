import type { Attachment } from '@/api/wire.gen'

/** The types of pictures that all browsers show. HEIC, which phones take, and TIFF are not among them. */
const displayed = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/bmp', 'image/avif'])

/** The largest original, in bytes and in pixels, that is fetched without being asked for. */
const mostBytes = 1_000_000
const mostPixels = 16_000_000

type File = Pick<Attachment, 'contentType' | 'size' | 'width' | 'height' | 'hasThumbnail'>

export const isDisplayable = (file: File) => displayed.has(file.contentType)

/** Whether a picture shows itself among the messages; otherwise it is a file that can be opened, or saved. */
export function showsItself(file: File): boolean {
  if (file.hasThumbnail) return true
  const pixels = (file.width ?? 0) * (file.height ?? 0)
  return isDisplayable(file) && file.size <= mostBytes && pixels > 0 && pixels <= mostPixels
}
