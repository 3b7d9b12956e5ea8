import { expect, it } from 'vitest'
import { peaksOf } from './peaks'

it('takes the loudest of each stretch', () => {
  expect(peaksOf([0.1, 0.5, 0.2, 0.9], 2)).toEqual([50, 90])
})

it('spreads a short recording', () => {
  expect(peaksOf([0.2, 1], 4)).toEqual([20, 20, 100, 100])
})

it('stays within what the server takes', () => {
  const peaks = peaksOf(Array.from({ length: 1501 }, (_, i) => (i % 7) - 2))
  expect(peaks).toHaveLength(40)
  expect(Math.min(...peaks)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...peaks)).toBe(100)
  expect(peaksOf([])).toEqual(Array.from({ length: 40 }, () => 0))
})
