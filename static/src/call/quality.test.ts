import { expect, it } from 'vitest'
import { judge, reading } from './quality'

const report = (received: number, lost: number, roundTrip = 0.05): [string, Record<string, unknown>][] => [
  ['audio', { type: 'inbound-rtp', kind: 'audio', packetsReceived: received / 2, packetsLost: lost, bytesReceived: received * 100 }],
  ['video', { type: 'inbound-rtp', kind: 'video', packetsReceived: received / 2, packetsLost: 0, bytesReceived: received * 900 }],
  ['unused', { type: 'candidate-pair', nominated: false, state: 'succeeded', currentRoundTripTime: 9 }],
  ['path', { type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: roundTrip }],
]

it.each([
  ['all is well', report(200, 0), 'good'],
  ['a little is lost', report(200, 4), 'fair'],
  ['much is lost', report(200, 20), 'poor'],
  ['the way is long', report(200, 0, 0.4), 'fair'],
  ['the way is very long', report(200, 0, 0.9), 'poor'],
  ['nothing comes', report(100, 0), 'poor'],
])('%s', (_, now, want) => {
  expect(judge(reading(report(100, 0), 0), reading(now, 2000))).toBe(want)
})

it('reads the path in use', () => {
  expect(reading(report(100, 3, 0.2), 7)).toEqual({ at: 7, received: 100, lost: 3, bytes: 100_000, roundTrip: 0.2 })
})
