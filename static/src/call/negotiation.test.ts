import { describe, expect, it } from 'vitest'
import { type Negotiable, Negotiation, type Step } from './negotiation'

/** Just enough of a connection: the signalling states of JSEP (RFC 8829, section 3.2). */
class Connection implements Negotiable {
  signalingState: RTCSignalingState = 'stable'
  localDescription: RTCSessionDescription | null = null
  remote: RTCSessionDescriptionInit | undefined
  candidates: unknown[] = []
  onnegotiationneeded: Negotiable['onnegotiationneeded'] = null
  onicecandidate: Negotiable['onicecandidate'] = null
  restarts = 0
  private offers = 0

  constructor(readonly name: string) {}

  need() {
    this.onnegotiationneeded?.call(this as never, new Event('negotiationneeded'))
  }
  restartIce() {
    this.restarts++
    this.need()
  }
  async setLocalDescription() {
    const answer = this.signalingState === 'have-remote-offer'
    await Promise.resolve()
    const sdp = answer ? `${this.name} answers ${this.remote?.sdp}` : `${this.name} offers ${++this.offers}`
    this.localDescription = { type: answer ? 'answer' : 'offer', sdp } as RTCSessionDescription
    this.signalingState = answer ? 'stable' : 'have-local-offer'
  }
  async setRemoteDescription(description: RTCSessionDescriptionInit) {
    await Promise.resolve()
    if (description.type === 'answer' && this.signalingState !== 'have-local-offer') throw new Error('an answer to nothing')
    this.remote = description
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable'
  }
  async addIceCandidate(candidate: unknown) {
    await Promise.resolve()
    if (!this.remote) throw new Error('too early')
    this.candidates.push(candidate)
  }
}

/** Two who negotiate; what they send is delivered when the test says so. */
function pair() {
  const failures: unknown[] = []
  const wire: { to: 'doctor' | 'patient'; step: Step }[] = []
  const doctor = new Connection('doctor')
  const patient = new Connection('patient')
  const sides = {
    doctor: new Negotiation(doctor, false, (step) => wire.push({ to: 'patient', step }), undefined, (e) => failures.push(e)),
    patient: new Negotiation(patient, true, (step) => wire.push({ to: 'doctor', step }), undefined, (e) => failures.push(e)),
  }
  const settle = () => new Promise((resolve) => setTimeout(resolve))
  async function deliver(lose: (step: Step) => boolean = () => false) {
    await settle()
    for (let next = wire.shift(); next; next = wire.shift()) {
      const { to, step } = next
      if (!lose(step)) await sides[to].receive(step)
      await settle()
    }
  }
  return { doctor, patient, sides, wire, deliver, settle, failures }
}

describe('negotiation', () => {
  it('answers an offer', async () => {
    const { doctor, patient, deliver, failures } = pair()
    doctor.need()
    await deliver()
    expect(doctor.remote?.sdp).toBe('patient answers doctor offers 1')
    expect([doctor.signalingState, patient.signalingState]).toEqual(['stable', 'stable'])
    expect(failures).toEqual([])
  })

  it('lets the impolite offer stand when offers cross', async () => {
    const { doctor, patient, deliver, failures } = pair()
    doctor.need()
    patient.need()
    await deliver()
    expect(doctor.remote?.sdp).toBe('patient answers doctor offers 1')
    expect([doctor.signalingState, patient.signalingState]).toEqual(['stable', 'stable'])
    expect(failures).toEqual([])
  })

  it('forgives candidates of an offer that it ignored, and no others', async () => {
    const { doctor, sides, settle, failures } = pair()
    doctor.need()
    await settle()
    await sides.doctor.receive({ description: { type: 'offer', sdp: 'patient offers' } })
    await sides.doctor.receive({ candidate: { candidate: 'of the ignored offer' } })
    expect(failures).toEqual([])
    await sides.doctor.receive({ description: { type: 'answer', sdp: 'patient answers' } })
    await sides.doctor.receive({ candidate: { candidate: 'good' } })
    expect(doctor.candidates).toHaveLength(1)
    await sides.patient.receive({ candidate: { candidate: 'of nothing' } })
    expect(failures).toHaveLength(1)
  })

  it('sends an offer again that got lost', async () => {
    const { doctor, patient, sides, deliver } = pair()
    doctor.need()
    await deliver((step) => step.description?.type === 'offer')
    expect(patient.remote).toBeUndefined()
    sides.doctor.resume()
    await deliver()
    expect(doctor.signalingState).toBe('stable')
    expect(doctor.restarts).toBe(0)
  })

  it('sends an offer again as long as it is not answered', async () => {
    const { doctor, sides, wire, deliver } = pair()
    doctor.need()
    await deliver((step) => step.description?.type === 'offer')
    sides.doctor.resend()
    await deliver()
    expect(doctor.remote?.sdp).toBe('patient answers doctor offers 1')
    sides.doctor.resend()
    expect(wire).toEqual([])
  })

  it('makes up for an answer that got lost', async () => {
    const { doctor, patient, sides, deliver, failures } = pair()
    doctor.need()
    await deliver((step) => step.description?.type === 'answer')
    expect([doctor.signalingState, patient.signalingState]).toEqual(['have-local-offer', 'stable'])
    sides.doctor.resume()
    sides.patient.resume() // both come back at once
    await deliver()
    expect([doctor.signalingState, patient.signalingState]).toEqual(['stable', 'stable'])
    expect(failures).toEqual([])
  })

  it('takes no notice of an answer that comes twice', async () => {
    const { doctor, sides, deliver, failures } = pair()
    doctor.need()
    await deliver()
    await sides.doctor.receive({ description: { type: 'answer', sdp: 'again' } })
    expect(doctor.remote?.sdp).toBe('patient answers doctor offers 1')
    expect(failures).toEqual([])
  })

  it('says nothing once closed', async () => {
    const { doctor, sides, wire, settle } = pair()
    sides.doctor.close()
    doctor.need()
    await sides.doctor.receive({ description: { type: 'offer', sdp: 'late' } })
    await settle()
    expect(wire).toEqual([])
  })
})
