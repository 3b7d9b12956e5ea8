import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { recordable, type Recorded, Recording } from './recording'

const level = vi.hoisted(() => ({ emit: undefined as ((level: number) => void) | undefined, stopped: vi.fn() }))
vi.mock('@/call/media', () => ({
  watchLevel: (_: unknown, onLevel: (level: number) => void) => {
    level.emit = onLevel
    return level.stopped
  },
}))

/** As much of the browser's as a recording takes. */
class Recorder {
  static made: Recorder
  static isTypeSupported = (type: string) => type.startsWith('audio/ogg')
  state = 'inactive'
  ondataavailable: (event: { data: Blob }) => void = () => undefined
  onstop: () => void = () => undefined
  constructor() {
    Recorder.made = this
  }
  start() {
    this.state = 'recording'
  }
  stop() {
    this.state = 'inactive'
    this.onstop()
  }
  writes(bytes: number) {
    this.ondataavailable({ data: new Blob([new Uint8Array(bytes)]) })
  }
}

const track = { stop: vi.fn() }
const done = vi.fn<(recorded: Recorded) => void>()

function record(mostBytes = 1000) {
  const container = recordable()
  if (!container) throw new Error('it can record')
  return new Recording(track as never, container, { mostSeconds: 60, mostBytes, onLevel: () => undefined, done })
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('MediaRecorder', Recorder)
  vi.stubGlobal('MediaStream', vi.fn())
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.clearAllMocks()
})

it('gives what was recorded, and the microphone back', () => {
  const recording = record()
  level.emit?.(0.2)
  level.emit?.(0.9)
  Recorder.made.writes(10)
  vi.advanceTimersByTime(3000)
  recording.stop()
  const [recorded] = done.mock.calls[0] ?? []
  expect(recorded).toMatchObject({ seconds: 3, full: false, file: { name: 'voice.ogg', type: 'audio/ogg', size: 10 } })
  expect(Math.max(...(recorded?.peaks ?? []))).toBe(90)
  expect(track.stop).toHaveBeenCalled()
  expect(level.stopped).toHaveBeenCalled()
})

it('ends at the limits of length and size', () => {
  record()
  vi.advanceTimersByTime(60_000)
  expect(done).toHaveBeenLastCalledWith(expect.objectContaining({ full: true, seconds: 60 }))
  record(1000)
  Recorder.made.writes(300)
  expect(done).toHaveBeenCalledTimes(1)
  Recorder.made.writes(300)
  expect(done).toHaveBeenLastCalledWith(expect.objectContaining({ full: true }))
  expect(done).toHaveBeenCalledTimes(2)
})

it('ends with its microphone, and gives what there is', () => {
  record()
  Recorder.made.writes(10)
  Recorder.made.stop() // as browsers do when the track ends
  expect(done).toHaveBeenCalledWith(expect.objectContaining({ full: false }))
})

it('gives nothing once it is cancelled', () => {
  const recording = record()
  Recorder.made.writes(10)
  recording.cancel()
  vi.advanceTimersByTime(60_000)
  expect(done).not.toHaveBeenCalled()
  expect(track.stop).toHaveBeenCalled()
})
