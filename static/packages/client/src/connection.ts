import { durableNames, type Ask, type SignalData, type SignalName } from './protocol.js'
import { openNamespace, ReconnectingSocket, type NamespaceSocket } from './reconnectingSocket.js'
import type { TokenSource } from './tokens.js'
import type { Entry } from './wire.gen.js'

export type Link = 'connecting' | 'online' | 'offline'

type WenzhenSocket = NamespaceSocket<'/consultations'>

/** Returns a socket of /consultations, not yet connected. Without server it connects to the server of the page. */
export const openSocket = (server = ''): WenzhenSocket => openNamespace('/consultations', { server })

/** The socket of /consultations of one login: reconnects, and passes on the events of the rooms that were joined. */
export class Connection {
  private state: Link = 'connecting'
  private readonly reconnecting: ReconnectingSocket<'/consultations'>
  private readonly links = new Set<(link: Link) => void>()
  private readonly entries = new Set<(entry: Entry) => void>()

  constructor(
    private readonly socket: WenzhenSocket,
    tokens: TokenSource,
  ) {
    socket.on('session:revoked', () => tokens.signOut?.('revoked'))
    for (const name of durableNames) socket.on(name, (entry: Entry) => this.entries.forEach((listener) => listener(entry)))
    this.reconnecting = new ReconnectingSocket(socket, tokens, { online: () => this.become('online'), offline: () => this.become('offline') })
  }

  get link(): Link {
    return this.state
  }

  readonly ask: Ask = (name, input) => this.reconnecting.ask(name, input)

  onLink(listener: (link: Link) => void): () => void {
    this.links.add(listener)
    return () => this.links.delete(listener)
  }

  /** Calls listener with each stored event as it arrives. Events can arrive twice or with gaps; RoomLog orders them. */
  onEntry(listener: (entry: Entry) => void): () => void {
    this.entries.add(listener)
    return () => this.entries.delete(listener)
  }

  onSignal<N extends SignalName>(name: N, listener: (data: SignalData<N>) => void): () => void {
    type Untyped = (event: SignalName, listener: (data: SignalData<N>) => void) => void
    ;(this.socket.on as Untyped).call(this.socket, name, listener)
    return () => (this.socket.off as Untyped).call(this.socket, name, listener)
  }

  close(): void {
    this.reconnecting.close()
  }

  private become(link: Link): void {
    if (this.state === link) return
    this.state = link
    for (const listener of this.links) listener(link)
  }
}
