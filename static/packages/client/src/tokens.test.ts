import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Failure } from './failure.js'
import { MemoryTokens, type Grant } from './tokens.js'

let renewals: string[]
const grant = (n: number): Grant => ({ accessToken: `a${n}`, refreshToken: `r${n}`, expiresIn: 900 })
const renew = async (refreshToken: string) => {
  renewals.push(refreshToken)
  await Promise.resolve()
  return grant(renewals.length)
}

beforeEach(() => {
  vi.useFakeTimers()
  renewals = []
})
afterEach(() => vi.useRealTimers())

test('gives the token that it has until shortly before its end', async () => {
  const tokens = new MemoryTokens(grant(0), renew)
  expect(await tokens.access()).toBe('a0')
  vi.setSystemTime(Date.now() + 850_000)
  expect(await tokens.access()).toBe('a1')
})

test('uses a refresh token once, however many ask', async () => {
  const tokens = new MemoryTokens(grant(0), renew)
  expect(await Promise.all([tokens.refresh('a0'), tokens.refresh('a0')])).toEqual(['a1', 'a1'])
  expect(await tokens.refresh('a0')).toBe('a1')
  expect(renewals).toEqual(['r0'])
})

test('renews by itself while someone listens, and only then', async () => {
  const tokens = new MemoryTokens(grant(0), renew)
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(renewals).toEqual([])
  const received: string[] = []
  const stop = tokens.onRenewed((token) => received.push(token))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(received).toEqual(['a1'])
  await vi.advanceTimersByTimeAsync(840_000)
  expect(received).toEqual(['a1', 'a2'])
  stop()
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(received).toHaveLength(2)
})

test('a login that was refused is over; one that could not be asked for is not', async () => {
  const failures = [Failure.offline(), new Failure({ code: 'unauthenticated', message: 'used twice', retryable: false })]
  const tokens = new MemoryTokens(grant(0), () => Promise.reject(failures.shift()))
  await expect(tokens.refresh('a0')).rejects.toMatchObject({ code: 'offline' })
  expect(await tokens.access()).toBe('a0')
  await expect(tokens.refresh('a0')).rejects.toMatchObject({ code: 'unauthenticated' })
  await expect(tokens.access()).rejects.toMatchObject({ code: 'unauthenticated' })
})
