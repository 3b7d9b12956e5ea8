import { type NamespaceSocket, ReconnectingSocket, type TokenSource } from 'wenzhen-client'
import type { NotificationArrived, NotificationMarked } from '@/api/wire.gen'

export interface InboxListener {
  /** Connected or reconnected: notifications that arrived before have to be requested. */
  online(): void
  arrived(notification: NotificationArrived): void
  marked(marked: NotificationMarked, at: string): void
}

/** The /notifications namespace of one login: passes on the events of the user's inbox. */
export class Notifications {
  private readonly connection: ReconnectingSocket<'/notifications'>

  constructor(
    private readonly socket: NamespaceSocket<'/notifications'>,
    tokens: TokenSource,
    listener: InboxListener,
  ) {
    socket.on('notification:created', (event) => listener.arrived(event.data))
    socket.on('notification:read', (event) => listener.marked(event.data, event.at))
    this.connection = new ReconnectingSocket(socket, tokens, { online: () => listener.online() })
  }

  close(): void {
    this.connection.close()
    this.socket.removeAllListeners()
  }
}
