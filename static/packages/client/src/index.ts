export { Connection, openSocket, type Link } from './connection.js'
export { Failure, readFailure } from './failure.js'
export { newId } from './id.js'
export { Account, logIn, register, type Request } from './login.js'
export { inMemory, Outbox, outboxIn, type Draft, type OutboxStore, type Unsent } from './outbox.js'
export * from './protocol.js'
export { Room, type JoinOptions } from './room.js'
export { RoomLog, type RoomLogListener } from './roomLog.js'
export {
  openNamespace,
  reconnectDelays,
  ReconnectingSocket,
  setReconnectDelays,
  type NamespaceName,
  type NamespaceSocket,
  type ReconnectingListener,
} from './reconnectingSocket.js'
export { advised, pauses, SteadySocket, type SteadyListener } from './deprecated.js'
export { MemoryTokens, type Grant, type TokenSource } from './tokens.js'
export { connect, Wenzhen, type ConnectOptions } from './wenzhen.js'
