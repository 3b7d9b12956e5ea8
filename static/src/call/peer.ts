import type { ICEServer } from '@/api/wire.gen'
import { Negotiation, type Step } from './negotiation'
import { judge, type Quality, reading, type Reading } from './quality'

/** The path to another member: being found, there, broken, or not to be found. */
export type Path = 'connecting' | 'connected' | 'broken' | 'blocked'

export interface LocalTracks {
  audio: MediaStreamTrack | null
  video: MediaStreamTrack | null
}

export interface PeerOptions {
  polite: boolean
  servers: ICEServer[]
  relayOnly: boolean
  tracks: () => LocalTracks
  send: (step: Step) => void
  path: (path: Path) => void
  quality: (quality: Quality) => void
  /** Requests current ICE servers: the credentials may have expired, or the relay may have changed. */
  renew: () => Promise<ICEServer[]>
}

const measureEveryMs = 2000
const patienceMs = 4000
/** How long the first offer may go unanswered before it is sent again. */
const resendMs = 5000
/** How long to look for a first path before saying that the network blocks it. */
const blockedAfterMs = 20_000

/**
 * The connection with one other member: one line for sound and one for
 * pictures, either way. What is sent over them (camera, screen, nothing) can
 * change without negotiating again.
 */
export class Peer {
  readonly stream = new MediaStream()
  private readonly pc: RTCPeerConnection
  private readonly negotiation: Negotiation
  private readonly timers = new Set<ReturnType<typeof setTimeout>>()
  private last: Reading | undefined
  private everConnected = false
  private pictures = true
  private closed = false

  constructor(private readonly options: PeerOptions) {
    const { polite, servers, relayOnly, send, tracks } = options
    const pc = (this.pc = new RTCPeerConnection({ iceServers: servers, iceTransportPolicy: relayOnly ? 'relay' : 'all' }))
    this.negotiation = new Negotiation(pc, polite, send, () => this.answerWithTracks(), (error) => console.warn('call: negotiation', error))
    pc.ontrack = ({ track }) => this.stream.addTrack(track)
    pc.oniceconnectionstatechange = () => this.moved()
    if (!polite) {
      // One side opens the lines, the other takes them: they are the same two for both.
      const { audio, video } = tracks()
      pc.addTransceiver(audio ?? 'audio', { direction: 'sendrecv' })
      pc.addTransceiver(video ?? 'video', { direction: 'sendrecv' })
      this.insist()
    }
    this.later(() => this.everConnected || this.options.path('blocked'), blockedAfterMs)
    this.measure()
  }

  receive(step: Step): void {
    void this.negotiation.receive(step)
  }

  /** Sends what is switched on now. */
  async useTracks(): Promise<void> {
    const { audio, video } = this.options.tracks()
    for (const line of this.pc.getTransceivers()) {
      const track = line.receiver.track.kind === 'audio' ? audio : video
      if (line.sender.track !== track) await line.sender.replaceTrack(track)
    }
  }

  /** Takes pictures of the other side, or does without them: none are then sent. */
  takePictures(yes: boolean): void {
    this.pictures = yes
    this.aim()
  }

  /** The network or the signalling has changed: find a path anew, with fresh servers. */
  async restart(): Promise<void> {
    try {
      const servers = await this.options.renew()
      if (this.closed) return
      this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers: servers })
    } catch {
      // The servers that are known may still do.
    }
    if (!this.closed) this.negotiation.resume()
  }

  close(): void {
    this.closed = true
    for (const timer of this.timers) clearTimeout(timer)
    this.negotiation.close()
    this.pc.oniceconnectionstatechange = null
    this.pc.ontrack = null
    this.pc.close()
  }

  private answerWithTracks(): void {
    this.aim()
    void this.useTracks()
  }

  /** Gives the lines their directions, which is negotiated where they change. */
  private aim(): void {
    for (const line of this.pc.getTransceivers()) {
      const direction = this.pictures || line.receiver.track.kind === 'audio' ? 'sendrecv' : 'sendonly'
      if (line.direction !== direction) line.direction = direction
    }
  }

  private moved(): void {
    switch (this.pc.iceConnectionState) {
      case 'connected':
      case 'completed':
        this.everConnected = true
        this.options.path('connected')
        break
      case 'disconnected':
        this.options.path('broken')
        this.later(() => {
          if (this.pc.iceConnectionState === 'disconnected') void this.restart()
        }, patienceMs)
        break
      case 'failed':
        this.options.path(this.everConnected ? 'broken' : 'blocked')
        this.later(() => {
          if (this.pc.iceConnectionState === 'failed') void this.restart()
        }, 1000)
        break
    }
  }

  private insist(): void {
    this.later(() => {
      if (this.everConnected) return
      this.negotiation.resend()
      this.insist()
    }, resendMs)
  }

  private measure(): void {
    this.later(async () => {
      try {
        const now = reading((await this.pc.getStats()) as unknown as Iterable<[string, Record<string, unknown>]>, Date.now())
        if (this.last && this.everConnected && !this.closed) this.options.quality(judge(this.last, now))
        this.last = now
      } finally {
        if (!this.closed) this.measure()
      }
    }, measureEveryMs)
  }

  private later(work: () => unknown, ms: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      if (!this.closed) void work()
    }, ms)
    this.timers.add(timer)
  }
}
