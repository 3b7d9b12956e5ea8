import { describe, expect, it } from 'vitest'
import type { Order } from '@/api/wire.gen'
import { countdown, minorUnits, monthBack, newest } from './order'

describe('countdown', () => {
  it.each([
    [900_000, '15:00'],
    [65_000, '1:05'],
    [400, '0:01'],
    [0, '0:00'],
    [-5000, '0:00'],
  ])('shows %i ms as %s', (left, shown) => expect(countdown(new Date(1_000_000 + left).toISOString(), 1_000_000)).toBe(shown))
})

describe('minorUnits', () => {
  it.each([
    ['12', 'CNY', 1200],
    ['12.5', 'CNY', 1250],
    ['0,05', 'EUR', 5],
    ['12.345', 'CNY', undefined],
    ['500', 'JPY', 500],
    ['500.5', 'JPY', undefined],
    ['-1', 'CNY', undefined],
    ['', 'CNY', undefined],
  ])('reads %s %s', (text, currency, minor) => expect(minorUnits(text, currency)).toBe(minor))
})

describe('newest', () => {
  const at = (updatedAt: string) => ({ updatedAt }) as Order
  it('keeps what was changed last', () => {
    const [old, young] = [at('2026-11-01T00:00:00Z'), at('2026-11-01T00:00:01Z')]
    expect(newest(young, old)).toBe(young)
    expect(newest(old, young)).toBe(young)
    expect(newest(undefined, old)).toBe(old)
  })
})

describe('monthBack', () => {
  it('is a month in the zone of the account', () => {
    const now = new Date('2026-10-31T17:00:00Z') // 1 November in Shanghai
    expect(monthBack(0, 'Asia/Shanghai', now)).toEqual({ from: '2026-10-31T16:00:00.000Z', to: '2026-11-30T16:00:00.000Z' })
    expect(monthBack(0, 'America/New_York', now)).toEqual({ from: '2026-10-01T04:00:00.000Z', to: '2026-11-01T04:00:00.000Z' })
  })

  it('goes over the turn of the year', () => {
    const { from, to } = monthBack(1, 'UTC', new Date('2026-01-15T12:00:00Z'))
    expect([from, to]).toEqual(['2025-12-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'])
  })
})
