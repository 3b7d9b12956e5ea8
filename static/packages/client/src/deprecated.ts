import { reconnectDelays, ReconnectingSocket, setReconnectDelays, type NamespaceName, type ReconnectingListener } from './reconnectingSocket.js'

/** @deprecated Use ReconnectingSocket. */
export const SteadySocket = ReconnectingSocket
/** @deprecated Use ReconnectingSocket. */
export type SteadySocket<N extends NamespaceName> = ReconnectingSocket<N>
/** @deprecated Use ReconnectingListener. */
export type SteadyListener = ReconnectingListener
/** @deprecated Use setReconnectDelays. */
export const advised = setReconnectDelays
/** @deprecated Use reconnectDelays. */
export const pauses = reconnectDelays
