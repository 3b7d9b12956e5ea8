import type { AnswerOf, InputOf } from './steady.js'
import type { AnyLogEvent, ClientToServerEvents, ServerToClientEvents } from './wire.gen.js'

// The generated maps, taken apart: what a command takes and answers, and which
// events are in the durable log and which are told once.

export type CommandName = keyof ClientToServerEvents
export type CommandInput<N extends CommandName> = InputOf<'/consultations', N>
export type CommandAnswer<N extends CommandName> = AnswerOf<'/consultations', N>

type EventArgument<N extends keyof ServerToClientEvents> = Parameters<ServerToClientEvents[N]>[0]
export type DurableName = AnyLogEvent['name']
export type SignalName = Exclude<keyof ServerToClientEvents, DurableName>
export type SignalData<N extends SignalName> = EventArgument<N>

/** An entry of the log whose name tells the type of its data. */
export type RoomEvent = AnyLogEvent

/** Every durable event; the type makes leaving one out an error. */
const durable: Record<DurableName, true> = {
  'message:created': true,
  'message:recalled': true,
  'message:read': true,
  'message:delivered': true,
  'consultation:updated': true,
  'participant:joined': true,
  'participant:left': true,
  'invitation:updated': true,
  'invitation:received': true,
  'record:updated': true,
  'record:entered': true,
  'appointment:updated': true,
  'waitlist:updated': true,
  'call:updated': true,
  'board:committed': true,
  'board:undone': true,
  'board:cleared': true,
  'board:background-changed': true,
  'order:updated': true,
  'notification:created': true,
  'notification:read': true,
  'diagnosis:signed': true,
  'prescription:updated': true,
  'session:opened': true,
  'doctor:review-due': true,
  'doctor:reviewed': true,
}
export const durableNames = Object.keys(durable) as DurableName[]

/** Asks the server; rejects with a Failure. */
export type Ask = <N extends CommandName>(name: N, input: CommandInput<N>) => Promise<CommandAnswer<N>>

export const roomOf = (consultationId: string) => `consultation:${consultationId}`
