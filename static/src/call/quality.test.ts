import { expect, it } from 'vitest'
import { judge, reading, VoiceQuestion } from './quality'

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

it.each([
  ['2 % lost', report(198, 2), 'good'],
  ['just over 2 % lost', report(197, 2), 'fair'],
  ['8 % lost', report(192, 8), 'fair'],
  ['just over 8 % lost', report(191, 9), 'poor'],
  ['0.3 s there and back', report(200, 0, 0.3), 'good'],
  ['0.6 s there and back', report(200, 0, 0.6), 'fair'],
  ['more than 0.6 s', report(200, 0, 0.601), 'poor'],
])('at the threshold: %s', (_, now, want) => {
  expect(judge(reading(report(100, 0), 0), reading(now, 2000))).toBe(want)
})

it('suggests voice only after ten poor seconds, once', () => {
  const question = new VoiceQuestion()
  question.saw('poor', 0)
  question.saw('poor', 4000)
  expect(question.due(9999)).toBe(false)
  expect(question.due(10_000)).toBe(true)
  question.saw('fair', 10_500)
  expect(question.due(11_000)).toBe(false)
  question.saw('poor', 12_000)
  expect(question.due(21_999)).toBe(false)
  expect(question.due(22_000)).toBe(true)
  question.answer()
  expect(question.due(60_000)).toBe(false)
})

it('reads the path in use', () => {
  expect(reading(report(100, 3, 0.2), 7)).toEqual({ at: 7, received: 100, lost: 3, bytes: 100_000, roundTrip: 0.2 })
})
