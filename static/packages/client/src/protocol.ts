import type { AnswerOf, InputOf } from './reconnectingSocket.js'
import type { AnyLogEvent, ClientToServerEvents, ServerToClientEvents } from './wire.gen.js'

export { durableNames } from './wire.gen.js'

// The generated maps, taken apart: what a command takes and answers, and which
// events are in the durable log and which are sent once.

export type CommandName = keyof ClientToServerEvents
export type CommandInput<N extends CommandName> = InputOf<'/consultations', N>
export type CommandAnswer<N extends CommandName> = AnswerOf<'/consultations', N>

type EventArgument<N extends keyof ServerToClientEvents> = Parameters<ServerToClientEvents[N]>[0]
export type DurableName = AnyLogEvent['name']
export type SignalName = Exclude<keyof ServerToClientEvents, DurableName>
export type SignalData<N extends SignalName> = EventArgument<N>

/** An event of the log; its name determines the type of its data. */
export type RoomEvent = AnyLogEvent

/** Sends a command and returns its answer; rejects with a Failure. */
export type Ask = <N extends CommandName>(name: N, input: CommandInput<N>) => Promise<CommandAnswer<N>>

export const roomOf = (consultationId: string) => `consultation:${consultationId}`
