import { expect, test } from 'vitest'
import { isDisplayable, showsItself } from './picture'

const of = (contentType: string, size = 500_000, width = 800, height = 600, hasThumbnail = false) => ({ contentType, size, width, height, hasThumbnail })

test.each([
  ['a photo', of('image/jpeg', 5_000_000, 4000, 3000, true), true],
  ['HEIC', of('image/heic', 500_000, 0, 0), false],
  ['TIFF', of('image/tiff', 500_000, 0, 0), false],
  ['a photo of 64 megapixels', of('image/jpeg', 15_000_000, 9248, 6936), false],
  ['a small file of many pixels', of('image/png', 30_000, 16_384, 16_384), false],
  ['lossless WebP', of('image/webp'), true],
  ['AVIF, whose size is not known', of('image/avif', 500_000, 0, 0), false],
])('%s shows itself: %s', (_, file, shows) => expect(showsItself(file)).toBe(shows))

test('what browsers show can be opened', () => {
  expect(['image/jpeg', 'image/avif', 'image/heic', 'image/heif', 'image/tiff'].filter((type) => isDisplayable(of(type)))).toEqual(['image/jpeg', 'image/avif'])
})
