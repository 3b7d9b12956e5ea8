import { io, type Socket } from 'socket.io-client'
import { pauses } from 'wenzhen-client'

export type Way = 'automatic' | 'polling' | 'websocket'

export interface Moment {
  at: number
  what: 'connecting' | 'connected' | 'upgraded' | 'lost' | 'failed' | 'retry'
  detail: string
}

/** How this browser is connected, as the connection page shows it. */
export interface ProbeState {
  way: Way
  connected: boolean
  transport: string
  id: string
  /** Milliseconds; the newest last. */
  roundTrips: number[]
  reconnects: number
  /** What the server said of its heartbeat when the connection opened. */
  heartbeat: { pingInterval: number; pingTimeout: number; maxPayload: number } | undefined
  history: Moment[]
}

export const emptyProbe = (): ProbeState => ({ way: 'automatic', connected: false, transport: '', id: '', roundTrips: [], reconnects: 0, heartbeat: undefined, history: [] })

const transports: Record<Way, ('polling' | 'websocket')[]> = { automatic: ['polling', 'websocket'], polling: ['polling'], websocket: ['websocket'] }
const everyMs = 2_000
const kept = 40

/**
 * A connection of its own to /schedules, watched while it lives. It is a guest's, without a token, so that what it asks
 * is no use of a login.
 */
export class Probe {
  private socket: Socket | undefined
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(private readonly state: ProbeState) {}

  /** Connects anew, in one of the ways. */
  start(way: Way): void {
    this.stop()
    const { state } = this
    Object.assign(state, { ...emptyProbe(), way, history: state.history })
    this.note('connecting', transports[way].join(', '))
    const { firstMs, lastMs } = pauses()
    const socket = io('/schedules', { path: '/socket.io', forceNew: true, transports: transports[way], reconnectionDelay: firstMs, reconnectionDelayMax: lastMs })
    this.socket = socket
    socket.on('connect', () => {
      Object.assign(state, { connected: true, id: socket.id ?? '', transport: socket.io.engine.transport.name })
      this.note('connected', state.transport)
      void this.measure()
    })
    socket.on('disconnect', (reason) => {
      state.connected = false
      this.note('lost', reason)
    })
    socket.on('connect_error', (error) => this.note('failed', error.message))
    socket.io.on('reconnect_attempt', (attempt) => this.note('retry', String(attempt)))
    socket.io.on('reconnect', () => state.reconnects++)
    socket.io.on('open', () => {
      // Before the namespace is joined: on a slow machine the upgrade comes first.
      socket.io.engine.once('upgrade', () => {
        state.transport = socket.io.engine.transport.name
        this.note('upgraded', state.transport)
      })
      // The engine's handshake is complete, and has the server's intervals.
      const engine = socket.io.engine as unknown as { _pingInterval: number; _pingTimeout: number; _maxPayload: number }
      state.heartbeat = { pingInterval: engine._pingInterval, pingTimeout: engine._pingTimeout, maxPayload: engine._maxPayload }
    })
    this.timer = setInterval(() => void this.measure(), everyMs)
  }

  /** Breaks the connection as a lost network would; it comes back by itself. */
  breakOff(): void {
    this.socket?.io.engine.close()
  }

  stop(): void {
    clearInterval(this.timer)
    this.socket?.disconnect()
    this.socket = undefined
  }

  /** A command that changes nothing, there and back. */
  private async measure(): Promise<void> {
    const { socket } = this
    if (!socket?.connected) return
    const start = performance.now()
    try {
      await socket.timeout(5_000).emitWithAck('schedule:unwatch', { doctorId: 'nobody' })
    } catch {
      return // the connection broke meanwhile
    }
    this.state.roundTrips = [...this.state.roundTrips, performance.now() - start].slice(-kept)
  }

  private note(what: Moment['what'], detail: string): void {
    this.state.history = [{ at: Date.now(), what, detail }, ...this.state.history].slice(0, kept)
  }
}
