/** How well media comes through from one member. */
export type Quality = 'good' | 'fair' | 'poor'

/** What a report says so far, summed over media. */
export interface Reading {
  at: number
  received: number
  lost: number
  bytes: number
  /** Round trip in seconds. */
  roundTrip: number | undefined
}

type Report = Iterable<[string, Record<string, unknown>]>

const number = (value: unknown) => (typeof value === 'number' ? value : 0)

/** Reads an RTCStatsReport (W3C webrtc-stats): what came in, and the path in use. */
export function reading(report: Report, at: number): Reading {
  const sum: Reading = { at, received: 0, lost: 0, bytes: 0, roundTrip: undefined }
  for (const [, stat] of report) {
    if (stat.type === 'inbound-rtp') {
      sum.received += number(stat.packetsReceived)
      sum.lost += number(stat.packetsLost)
      sum.bytes += number(stat.bytesReceived)
    }
    if (stat.type === 'candidate-pair' && stat.nominated === true && stat.state === 'succeeded' && typeof stat.currentRoundTripTime === 'number') {
      sum.roundTrip = stat.currentRoundTripTime
    }
  }
  return sum
}

const poorLoss = 0.08
const fairLoss = 0.02
const poorRoundTrip = 0.6
const fairRoundTrip = 0.3

/** How long it is poor before someone is asked whether voice alone will do. */
const askAfterMs = 10_000

/** Decides when to ask; a user who has answered is not asked again. */
export class VoiceQuestion {
  private poorSince: number | undefined
  private answered = false

  /** What the quality is now. */
  saw(quality: Quality | undefined, at: number): void {
    if (quality !== 'poor') this.poorSince = undefined
    else this.poorSince ??= at
  }

  /** Whether to ask. */
  due(at: number): boolean {
    return !this.answered && this.poorSince !== undefined && at - this.poorSince >= askAfterMs
  }

  answer(): void {
    this.answered = true
  }
}

/** What the time between two readings was like; nothing coming in at all is poor. */
export function judge(before: Reading, now: Reading): Quality {
  const received = now.received - before.received
  const lost = Math.max(0, now.lost - before.lost)
  if (received <= 0) return 'poor'
  const loss = lost / (received + lost)
  const roundTrip = now.roundTrip ?? 0
  if (loss > poorLoss || roundTrip > poorRoundTrip) return 'poor'
  return loss > fairLoss || roundTrip > fairRoundTrip ? 'fair' : 'good'
}
