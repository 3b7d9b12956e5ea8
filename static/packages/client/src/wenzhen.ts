import { Connection, openSocket, type Link } from './connection.js'
import { newId } from './id.js'
import type { Account } from './login.js'
import { inMemory, Outbox, type OutboxStore } from './outbox.js'
import { roomOf, type Ask, type SignalData, type SignalName } from './protocol.js'
import { Room, type JoinOptions } from './room.js'

export interface ConnectOptions {
  /** Keeps what is not sent yet: in memory by default; outboxIn(localStorage) survives a reload. */
  outbox?: OutboxStore
}

/** Connects a login to its server; it stays connected until close is called. */
export function connect(account: Account, options: ConnectOptions = {}): Wenzhen {
  const wenzhen = new Wenzhen(new Connection(openSocket(account.server), account.tokens), account.user.id, options)
  account.onLogOut(() => wenzhen.forget())
  return wenzhen
}

/** One connection and the rooms that it is in. */
export class Wenzhen {
  private readonly rooms = new Map<string, Room>()
  private readonly outbox: Outbox

  constructor(
    private readonly connection: Connection,
    private readonly me: string,
    { outbox = inMemory() }: ConnectOptions = {},
  ) {
    this.outbox = new Outbox({
      senderId: me,
      store: outbox,
      send: (input) => connection.ask('message:send', input),
      changed: (id) => this.rooms.get(id)?.unsentChanged(),
      newId,
    })
    connection.onEntry((entry) => {
      for (const room of this.rooms.values()) if (entry.room === roomOf(room.consultationId)) room.log.receive(entry)
    })
    connection.onLink((link) => this.linked(link))
  }

  get link(): Link {
    return this.connection.link
  }

  /** Calls the listener when the connection is established or lost. */
  onLink(listener: (link: Link) => void): () => void {
    return this.connection.onLink(listener)
  }

  /** Any command of /consultations; rejects with a Failure. */
  get ask(): Ask {
    return this.connection.ask
  }

  /** Subscribes to signals, which are sent once and not stored: typing, presence, place in the queue. */
  onSignal<N extends SignalName>(name: N, listener: (data: SignalData<N>) => void): () => void {
    return this.connection.onSignal(name, listener)
  }

  /** Enters the room of a consultation, and again after every interruption. */
  join(consultationId: string, options?: JoinOptions): Room {
    if (this.rooms.has(consultationId)) throw new Error(`${consultationId} has been joined already`)
    const join = (after: number | undefined) => this.connection.ask('consultation:join', { consultationId, after })
    const room = new Room(consultationId, this.me, this.outbox, join, options)
    this.rooms.set(consultationId, room)
    if (this.link === 'online') void room.log.catchUp()
    return room
  }

  leave(room: Room): void {
    if (this.rooms.get(room.consultationId) !== room) return
    this.rooms.delete(room.consultationId)
    room.close()
    // A connection that is away has left already.
    this.connection.ask('consultation:leave', { consultationId: room.consultationId }).catch(() => undefined)
  }

  close(): void {
    this.outbox.pause()
    for (const room of this.rooms.values()) room.close()
    this.rooms.clear()
    this.connection.close()
  }

  /** Closes it and forgets what was not sent, as logging out does. */
  forget(): void {
    this.outbox.clear()
    this.close()
  }

  private linked(link: Link): void {
    if (link !== 'online') return this.outbox.pause()
    this.outbox.resume()
    for (const room of this.rooms.values()) void room.log.catchUp()
  }
}
