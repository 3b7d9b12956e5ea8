import type { Call, ICEServer, Member, Signalling } from '@/api/wire.gen'
import type { Step } from './negotiation'
import { type LocalTracks, type Path, Peer, type PeerOptions } from './peer'
import type { Quality } from './quality'

/** Another member, as a page shows them. */
export interface Remote {
  userId: string
  name: string
  stream: MediaStream
  path: Path
  quality: Quality | undefined
}

export interface MeshOptions {
  me: string
  device: string
  servers: ICEServer[]
  relayOnly: boolean
  tracks: () => LocalTracks
  signal: (to: string, step: Step) => void
  renew: () => Promise<ICEServer[]>
  changed: (remotes: Remote[]) => void
  /** Makes a connection; tests make others. */
  connect?: (options: PeerOptions) => Pick<Peer, 'stream' | 'receive' | 'useTracks' | 'takePictures' | 'restart' | 'close'>
}

interface Link {
  device: string
  peer: ReturnType<NonNullable<MeshOptions['connect']>>
  remote: Remote
}

const earlyMost = 200

/** Every member of a call is connected with every other one. */
export class Mesh {
  private readonly links = new Map<string, Link>()
  /** Signals from members that are not known yet. */
  private early: Signalling[] = []
  private pictures = true

  constructor(private readonly options: MeshOptions) {}

  /** Connects with who has joined, and lets go of who has left or has moved to another device. */
  update(call: Call): void {
    const mine = call.members.find((m) => m.userId === this.options.me)
    const there = call.status === 'active' && mine?.status === 'joined' ? call.members.filter((m) => m.status === 'joined' && m.userId !== this.options.me) : []
    for (const [userId, link] of this.links) {
      if (!there.some((m) => m.userId === userId && (m.deviceId ?? '') === link.device)) this.drop(userId)
    }
    for (const member of there) {
      if (mine && !this.links.has(member.userId)) this.open(mine, member)
    }
    this.tell()
  }

  receive(signal: Signalling): void {
    if (signal.toDevice && signal.toDevice !== this.options.device) return
    const link = this.links.get(signal.from)
    if (link && link.device === signal.fromDevice) link.peer.receive(signal)
    else if (this.early.length < earlyMost) this.early.push(signal)
  }

  useTracks(): void {
    for (const { peer } of this.links.values()) void peer.useTracks()
  }

  /** Takes pictures of the others, or does without them. */
  takePictures(yes: boolean): void {
    this.pictures = yes
    for (const { peer } of this.links.values()) peer.takePictures(yes)
  }

  restart(): void {
    for (const { peer } of this.links.values()) void peer.restart()
  }

  close(): void {
    for (const userId of [...this.links.keys()]) this.drop(userId)
    this.early = []
  }

  private open(mine: Member, member: Member): void {
    const { options } = this
    const connect = options.connect ?? ((peer: PeerOptions) => new Peer(peer))
    const remote: Remote = { userId: member.userId, name: member.name, stream: undefined as unknown as MediaStream, path: 'connecting', quality: undefined }
    const peer = connect({
      polite: polite(mine, member),
      servers: options.servers,
      relayOnly: options.relayOnly,
      tracks: options.tracks,
      send: (step) => options.signal(member.userId, step),
      path: (path) => {
        remote.path = path
        this.tell()
      },
      quality: (quality) => {
        remote.quality = quality
        this.tell()
      },
      renew: options.renew,
    })
    remote.stream = peer.stream
    if (!this.pictures) peer.takePictures(false)
    const device = member.deviceId ?? ''
    this.links.set(member.userId, { device, peer, remote })
    const waiting = this.early.filter((s) => s.from === member.userId)
    this.early = this.early.filter((s) => s.from !== member.userId)
    for (const signal of waiting) if (signal.fromDevice === device) peer.receive(signal)
  }

  private drop(userId: string): void {
    this.links.get(userId)?.peer.close()
    this.links.delete(userId)
  }

  private tell(): void {
    this.options.changed([...this.links.values()].map(({ remote }) => ({ ...remote })))
  }
}

/** Of two members one is polite: the patient before the doctor, and else by their ids. */
export function polite(mine: Pick<Member, 'userId' | 'role'>, other: Pick<Member, 'userId' | 'role'>): boolean {
  if (mine.role === 'doctor' || other.role === 'doctor') return mine.role !== 'doctor'
  return mine.userId < other.userId
}
