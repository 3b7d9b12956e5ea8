import type { ICECandidate, SessionDescription } from '@/api/wire.gen'

/** What one device hands to another: a description or a candidate. */
export interface Step {
  description?: SessionDescription
  candidate?: ICECandidate
}

/** As much of an RTCPeerConnection as negotiating takes. */
export type Negotiable = Pick<
  RTCPeerConnection,
  | 'signalingState'
  | 'localDescription'
  | 'setLocalDescription'
  | 'setRemoteDescription'
  | 'addIceCandidate'
  | 'restartIce'
  | 'onnegotiationneeded'
  | 'onicecandidate'
>

/**
 * Perfect negotiation (W3C WebRTC 1.0, section 10.7): both sides may offer at
 * any time. When offers cross, the impolite side's stands and the polite side
 * takes its own back, so that nobody waits for anybody.
 *
 * Signalling may lose steps while a socket is away; resume() makes up for it.
 */
export class Negotiation {
  private offering = false
  private ignoring = false
  private work: Promise<void> = Promise.resolve()
  private closed = false

  constructor(
    private readonly pc: Negotiable,
    private readonly polite: boolean,
    private readonly send: (step: Step) => void,
    /** Called when an offer is set, before it is answered: the time to add local tracks. */
    private readonly offered: () => void = () => undefined,
    private readonly failed: (error: unknown) => void = () => undefined,
  ) {
    pc.onnegotiationneeded = () => void this.offer()
    pc.onicecandidate = ({ candidate }) => {
      if (candidate) this.send({ candidate: candidate.toJSON() as ICECandidate })
    }
  }

  /** Takes a step of the other side's; steps are taken one after the other. */
  receive(step: Step): Promise<void> {
    this.work = this.work.then(() => this.take(step)).catch((error: unknown) => this.failed(error))
    return this.work
  }

  /** Signalling works again: an offer that may be lost is sent again; otherwise a new path is sought. */
  resume(): void {
    const { pc } = this
    if (pc.signalingState === 'have-local-offer') this.sendLocal()
    else pc.restartIce()
  }

  /** Sends an offer again that has not been answered: it may be lost. */
  resend(): void {
    if (this.pc.signalingState === 'have-local-offer') this.sendLocal()
  }

  close(): void {
    this.closed = true
    this.pc.onnegotiationneeded = null
    this.pc.onicecandidate = null
  }

  private async offer(): Promise<void> {
    try {
      this.offering = true
      await this.pc.setLocalDescription()
      this.sendLocal()
    } catch (error) {
      this.failed(error)
    } finally {
      this.offering = false
    }
  }

  private async take({ description, candidate }: Step): Promise<void> {
    const { pc } = this
    if (this.closed) return
    if (description) {
      const crossing = description.type === 'offer' && (this.offering || pc.signalingState !== 'stable')
      this.ignoring = !this.polite && crossing
      if (this.ignoring) return
      // An answer to an offer that has been taken back, or that was sent twice.
      if (description.type === 'answer' && pc.signalingState !== 'have-local-offer') return
      await pc.setRemoteDescription(description as RTCSessionDescriptionInit)
      if (description.type !== 'offer') return
      this.offered()
      await pc.setLocalDescription()
      this.sendLocal()
    } else if (candidate) {
      try {
        await pc.addIceCandidate(candidate)
      } catch (error) {
        if (!this.ignoring) throw error
      }
    }
  }

  private sendLocal(): void {
    const local = this.pc.localDescription
    if (local && !this.closed) this.send({ description: { type: local.type, sdp: local.sdp } })
  }
}
