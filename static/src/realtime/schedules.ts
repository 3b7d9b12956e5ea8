import { io, type Socket } from 'socket.io-client'
import { Failure, readFailure } from '@/api/failure'
import type { TokenKeeper } from '@/api/tokens'
import type { Ack, Appointment, SchedulesClientToServerEvents, SchedulesServerToClientEvents, SlotChange, SlotList, SlotsInput, Wait } from '@/api/wire.gen'

type SchedulesSocket = Socket<SchedulesServerToClientEvents, SchedulesClientToServerEvents>

export interface SlotListener {
  /** Asked just now; the answer follows. */
  asking(): void
  answered(list: SlotList): void
  failed(failure: Failure): void
  /** One slot has other seats than before. */
  changed(change: SlotChange): void
  /** Rules or exceptions have changed. */
  outdated(): void
}

export interface Watching {
  /** Asks again, perhaps for another stretch of time. */
  ask(range?: Omit<SlotsInput, 'doctorId'>): void
  stop(): void
}

const answerWithinMs = 10_000
const lastRetryMs = 5_000

/** A connection of its own: guests have none to /consultations, and it ends with the last page that needs it. */
export function openSchedulesSocket(tokens: TokenKeeper): SchedulesSocket {
  return io('/schedules', {
    path: '/socket.io',
    autoConnect: false,
    forceNew: true,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: lastRetryMs,
    auth: (give) => {
      tokens.access().then(
        (token) => give(token ? { token } : {}),
        () => give({}),
      )
    },
  })
}

/** The /schedules namespace: watches doctors, and watches them anew after every interruption. */
export class Schedules {
  private readonly watching = new Map<symbol, { input: SlotsInput; listener: SlotListener }>()
  private readonly forget: (() => void)[] = []
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private closed = false

  constructor(
    private readonly socket: SchedulesSocket,
    private readonly tokens: TokenKeeper,
    private readonly hear: { appointment?: (appointment: Appointment) => void; wait?: (wait: Wait) => void; online?: () => void } = {},
  ) {
    socket.on('connect', () => {
      for (const key of this.watching.keys()) this.ask(key)
      this.hear.online?.()
    })
    socket.on('disconnect', (reason) => {
      if (reason === 'io server disconnect') this.retry()
    })
    socket.on('connect_error', (error: Error & { data?: unknown }) => void this.refused(error))
    socket.on('slot:updated', (change) => this.each(change.doctorId, (listener) => listener.changed(change)))
    socket.on('schedule:updated', ({ doctorId }) => this.each(doctorId, (listener) => listener.outdated()))
    socket.on('appointment:updated', (event) => this.hear.appointment?.(event.data))
    socket.on('waitlist:updated', (event) => this.hear.wait?.(event.data))
    this.forget.push(tokens.onRenewed((token) => this.renewLogin(token)))
    const hurry = () => {
      if (!socket.connected) socket.disconnect().connect()
    }
    window.addEventListener('online', hurry)
    this.forget.push(() => window.removeEventListener('online', hurry))
    socket.connect()
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
    this.closed = true
    clearTimeout(this.retryTimer)
    for (const forget of this.forget) forget()
    this.socket.disconnect()
  }

  private ask(key: symbol): void {
    const watched = this.watching.get(key)
    if (!watched || !this.socket.connected) return // asked on connecting
    const { input, listener } = watched
    const current = () => this.watching.get(key) === watched && watched.input === input
    listener.asking()
    this.socket
      .timeout(answerWithinMs)
      .emitWithAck('schedule:watch', input)
      .then(
        (answer: Ack<SlotList>) => {
          if (!current()) return
          if (answer.ok) listener.answered(answer.data)
          else listener.failed(readFailure(answer.error) ?? Failure.from(answer.error))
        },
        () => current() && listener.failed(this.socket.connected ? Failure.timeout() : Failure.offline()),
      )
  }

  private each(doctorId: string, tell: (listener: SlotListener) => void): void {
    for (const { input, listener } of this.watching.values()) if (input.doctorId === doctorId) tell(listener)
  }

  private async refused(error: Error & { data?: unknown }): Promise<void> {
    for (const { listener } of this.watching.values()) listener.failed(Failure.offline())
    if (this.socket.active) return // the library tries again by itself
    const failure = readFailure(error.data)
    if (failure?.code === 'unauthenticated') {
      try {
        const token = await this.tokens.access()
        if (token) await this.tokens.refresh(token)
      } catch (thrown) {
        if (!Failure.from(thrown).retryable) return // the keeper has signed out
      }
    }
    this.retry(failure?.retryAfterMs)
  }

  private retry(afterMs = lastRetryMs / 5): void {
    clearTimeout(this.retryTimer)
    this.retryTimer = setTimeout(() => !this.closed && this.socket.connect(), afterMs * (0.75 + Math.random() / 2))
  }

  private renewLogin(token: string): void {
    if (!this.socket.connected) return
    this.socket
      .timeout(answerWithinMs)
      .emitWithAck('auth:refresh', { token })
      .then(
        (answer: Ack<unknown>) => !answer.ok && answer.error.code === 'unauthenticated' && this.socket.disconnect().connect(),
        () => undefined, // a new connection presents the new token anyway
      )
  }
}
