import { io, type Socket } from 'socket.io-client'
import { Failure, readFailure } from 'wenzhen-client'
import type { TokenKeeper } from '@/api/tokens'
import type { Ack, Arrived, Marked, NotificationsClientToServerEvents, NotificationsServerToClientEvents } from '@/api/wire.gen'

type NotificationsSocket = Socket<NotificationsServerToClientEvents, NotificationsClientToServerEvents>

export interface InboxListener {
  /** Connected, perhaps again: what came meanwhile has to be asked for. */
  online(): void
  arrived(notification: Arrived): void
  marked(marked: Marked, at: string): void
}

const answerWithinMs = 10_000
const retryMs = 2_000

/** Shares its connection with the other namespaces. */
export function openNotificationsSocket(tokens: TokenKeeper): NotificationsSocket {
  return io('/notifications', {
    path: '/socket.io',
    autoConnect: false,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    auth: (give) => {
      tokens.access().then(
        (token) => give(token ? { token } : {}),
        () => give({}),
      )
    },
  })
}

/** The /notifications namespace of one login: tells of one's inbox while it can. */
export class Notifications {
  private readonly forget: (() => void)[] = []
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private closed = false

  constructor(
    private readonly socket: NotificationsSocket,
    private readonly tokens: TokenKeeper,
    listener: InboxListener,
  ) {
    socket.on('connect', () => listener.online())
    socket.on('disconnect', (reason) => reason === 'io server disconnect' && this.retry())
    socket.on('connect_error', (error: Error & { data?: unknown }) => void this.refused(error))
    socket.on('notification:created', (event) => listener.arrived(event.data))
    socket.on('notification:read', (event) => listener.marked(event.data, event.at))
    this.forget.push(tokens.onRenewed((token) => this.renewLogin(token)))
    socket.connect()
  }

  close(): void {
    this.closed = true
    clearTimeout(this.retryTimer)
    for (const forget of this.forget) forget()
    this.socket.removeAllListeners()
    this.socket.disconnect()
  }

  private async refused(error: Error & { data?: unknown }): Promise<void> {
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

  private retry(afterMs = retryMs): void {
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
