/** How many bars a voice message is shown with. */
export const barCount = 40

/**
 * How loud a recording is from its beginning to its end, in so many values of
 * 0 to 100: each is the loudest of its stretch of levels (0 to 1).
 */
export function peaksOf(levels: readonly number[], count = barCount): number[] {
  if (levels.length === 0) return Array.from({ length: count }, () => 0)
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * levels.length) / count)
    const to = Math.max(from + 1, Math.floor(((i + 1) * levels.length) / count))
    return Math.round(100 * Math.min(1, Math.max(0, ...levels.slice(from, to))))
  })
}
