import { type NamespaceSocket, ReconnectingSocket, type TokenSource } from 'wenzhen-client'
import { Failure } from '@/api/failure'
import type { Appointment, SlotChange, SlotList, SlotsInput, Wait } from '@/api/wire.gen'

export interface SlotListener {
  /** A request was sent; its answer follows. */
  asking(): void
  answered(list: SlotList): void
  failed(failure: Failure): void
  /** One slot has other seats than before. */
  changed(change: SlotChange): void
  /** Rules or exceptions have changed. */
  outdated(): void
}

export interface Watching {
  /** Requests the slots again, optionally for another range. */
  ask(range?: Omit<SlotsInput, 'doctorId'>): void
  stop(): void
}

/** The /schedules namespace: watches schedules of doctors, and watches them again after reconnecting. */
export class Schedules {
  private readonly watching = new Map<symbol, { input: SlotsInput; listener: SlotListener }>()
  private readonly connection: ReconnectingSocket<'/schedules'>

  constructor(
    private readonly socket: NamespaceSocket<'/schedules'>,
    tokens: TokenSource,
    listeners: { appointment?: (appointment: Appointment) => void; wait?: (wait: Wait) => void; online?: () => void } = {},
  ) {
    socket.on('slot:updated', (change) => this.each(change.doctorId, (listener) => listener.changed(change)))
    socket.on('schedule:updated', ({ doctorId }) => this.each(doctorId, (listener) => listener.outdated()))
    socket.on('appointment:updated', (event) => listeners.appointment?.(event.data))
    socket.on('waitlist:updated', (event) => listeners.wait?.(event.data))
    this.connection = new ReconnectingSocket(socket, tokens, {
      online: () => {
        for (const key of this.watching.keys()) this.ask(key)
        listeners.online?.()
      },
      offline: (why) => {
        if (why) for (const { listener } of this.watching.values()) listener.failed(Failure.offline())
      },
    })
  }

  watch(input: SlotsInput, listener: SlotListener): Watching {
    const key = Symbol(input.doctorId)
    const watched = { input, listener }
    this.watching.set(key, watched)
    this.ask(key)
    return {
      ask: (range) => {
        if (range) watched.input = { doctorId: input.doctorId, ...range }
        this.ask(key)
      },
      stop: () => {
        this.watching.delete(key)
        const others = [...this.watching.values()].some((other) => other.input.doctorId === input.doctorId)
        if (!others && this.socket.connected) this.socket.emit('schedule:unwatch', { doctorId: input.doctorId }, () => undefined)
      },
    }
  }

  close(): void {
    this.connection.close()
  }

  private ask(key: symbol): void {
    const watched = this.watching.get(key)
    if (!watched || !this.socket.connected) return // asked on connecting
    const { input, listener } = watched
    const current = () => this.watching.get(key) === watched && watched.input === input
    listener.asking()
    this.connection.ask('schedule:watch', input).then(
      (list) => current() && listener.answered(list),
      (thrown: unknown) => current() && listener.failed(Failure.from(thrown)),
    )
  }

  private each(doctorId: string, notify: (listener: SlotListener) => void): void {
    for (const { input, listener } of this.watching.values()) if (input.doctorId === doctorId) notify(listener)
  }
}
