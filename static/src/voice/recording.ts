import { watchLevel } from '@/call/media'
import { peaksOf } from './peaks'

/** A finished recording, to be played back and sent. */
export interface Recorded {
  file: File
  peaks: number[]
  seconds: number
  /** Whether it ended because it may not be longer or larger. */
  full: boolean
}

export interface RecordingOptions {
  mostSeconds: number
  mostBytes: number
  /** How loud it is now, from 0 to 1, some times a second. */
  onLevel: (level: number) => void
  /** It is over: stopped, as long as it may be, or the microphone went away. */
  done: (recorded: Recorded) => void
}

/** Containers that the server takes for recordings; browsers know one or the other. */
const types = [
  { type: 'audio/webm;codecs=opus', name: 'voice.webm' },
  { type: 'audio/ogg;codecs=opus', name: 'voice.ogg' },
  { type: 'audio/mp4', name: 'voice.m4a' },
]
const bitsPerSecond = 32_000
const pieceMs = 500

/** The container that this browser records into; none if it cannot record. */
export function recordable(): (typeof types)[number] | undefined {
  const recorder = (window as { MediaRecorder?: typeof MediaRecorder }).MediaRecorder
  return types.find(({ type }) => recorder?.isTypeSupported(type))
}

/** A recording in the making; it owns the track, and stops it at the end. */
export class Recording {
  private readonly recorder: MediaRecorder
  private readonly pieces: Blob[] = []
  private readonly levels: number[] = []
  private readonly deaf: () => void
  private readonly timer: ReturnType<typeof setTimeout>
  private readonly startedAt = performance.now()
  private full = false
  private cancelled = false

  constructor(
    private readonly track: MediaStreamTrack,
    private readonly container: NonNullable<ReturnType<typeof recordable>>,
    private readonly options: RecordingOptions,
  ) {
    const recorder = (this.recorder = new MediaRecorder(new MediaStream([track]), { mimeType: container.type, audioBitsPerSecond: bitsPerSecond }))
    recorder.ondataavailable = ({ data }) => this.took(data)
    recorder.onstop = () => this.ended()
    this.deaf = watchLevel(track, (level) => {
      this.levels.push(level)
      options.onLevel(level)
    })
    this.timer = setTimeout(() => this.enough(), options.mostSeconds * 1000)
    recorder.start(pieceMs)
  }

  get seconds(): number {
    return Math.min(this.options.mostSeconds, (performance.now() - this.startedAt) / 1000)
  }

  stop(): void {
    if (this.recorder.state !== 'inactive') this.recorder.stop()
  }

  /** Ends it, and nothing comes of it. */
  cancel(): void {
    if (this.recorder.state === 'inactive') return
    this.cancelled = true
    this.stop()
    this.release()
  }

  private took(piece: Blob): void {
    this.pieces.push(piece)
    const size = this.pieces.reduce((sum, { size }) => sum + size, 0)
    // One more piece of this length must still fit.
    if (size + 2 * piece.size > this.options.mostBytes) this.enough()
  }

  private enough(): void {
    if (this.recorder.state === 'inactive') return
    this.full = true
    this.stop()
  }

  private ended(): void {
    if (this.cancelled) return
    const { seconds } = this
    this.release()
    const { name, type } = this.container
    const file = new File(this.pieces, name, { type: type.split(';')[0] })
    this.options.done({ file, peaks: peaksOf(this.levels), seconds, full: this.full })
  }

  private release(): void {
    clearTimeout(this.timer)
    this.deaf()
    this.track.stop()
  }
}
