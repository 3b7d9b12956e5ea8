import { durableNames, type Ask, type SignalData, type SignalName } from './protocol.js'
import { openNamespace, SteadySocket, type NamespaceSocket } from './steady.js'
import type { TokenSource } from './tokens.js'
import type { Entry } from './wire.gen.js'

export type Link = 'connecting' | 'online' | 'offline'

type WenzhenSocket = NamespaceSocket<'/consultations'>

/** A socket of /consultations that is not connected yet; server is the page's own when not given. */
export const openSocket = (server = ''): WenzhenSocket => openNamespace('/consultations', { server })

/** One socket of /consultations of one login: stays connected while it can, and hears the log. */
export class Connection {
  private state: Link = 'connecting'
  private readonly steady: SteadySocket<'/consultations'>
  private readonly links = new Set<(link: Link) => void>()
  private readonly entries = new Set<(entry: Entry) => void>()

  constructor(
    private readonly socket: WenzhenSocket,
    tokens: TokenSource,
  ) {
    socket.on('session:revoked', () => tokens.signOut?.('revoked'))
    for (const name of durableNames) socket.on(name, (entry: Entry) => this.entries.forEach((listener) => listener(entry)))
    this.steady = new SteadySocket(socket, tokens, { online: () => this.become('online'), offline: () => this.become('offline') })
  }

  get link(): Link {
    return this.state
  }

  readonly ask: Ask = (name, input) => this.steady.ask(name, input)

  onLink(listener: (link: Link) => void): () => void {
    this.links.add(listener)
    return () => this.links.delete(listener)
  }

  /** Events of the log as they come in: perhaps twice, perhaps with gaps. */
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
    this.steady.close()
  }

  private become(link: Link): void {
    if (this.state === link) return
    this.state = link
    for (const listener of this.links) listener(link)
  }
}
