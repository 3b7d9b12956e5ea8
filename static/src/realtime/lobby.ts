import { io, type Socket } from 'socket.io-client'
import { Failure, readFailure } from '@/api/failure'
import type { TokenKeeper } from '@/api/tokens'
import type { Greeting, Line, LobbyClientToServerEvents, LobbyServerToClientEvents } from '@/api/wire.gen'

type LobbySocket = Socket<LobbyServerToClientEvents, LobbyClientToServerEvents>

/** All that a page shows of the lobby. */
export interface LobbyState {
  online: boolean
  /** Set once one has entered. */
  nickname: string
  welcome: string
  count: number
  /** The oldest first, each once. */
  lines: Line[]
  failure: Failure | undefined
}

export const emptyLobby = (): LobbyState => ({ online: false, nickname: '', welcome: '', count: 0, lines: [], failure: undefined })

const answerWithinMs = 10_000
const linesMost = 500
const nicknameKey = 'wenzhen.lobby.nickname'

export function openLobbySocket(tokens: TokenKeeper): LobbySocket {
  return io('/lobby', {
    path: '/socket.io',
    autoConnect: false,
    forceNew: true,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    auth: (give) => {
      const nickname = localStorage.getItem(nicknameKey) ?? undefined
      tokens.access().then(
        (token) => give({ ...(token ? { token } : {}), nickname }),
        () => give({ nickname }),
      )
    },
  })
}

/** The chat hall: enters again after every interruption, and says each line once. */
export class Lobby {
  constructor(
    private readonly socket: LobbySocket,
    private readonly state: LobbyState,
  ) {
    socket.on('disconnect', (reason) => {
      state.online = false
      if (reason === 'io server disconnect') socket.connect()
    })
    socket.on('connect_error', (error: Error & { data?: unknown }) => {
      state.online = false
      state.failure = readFailure(error.data) ?? Failure.offline()
    })
    socket.on('lobby:welcome', (greeting) => this.welcomed(greeting))
    socket.on('lobby:said', (line) => this.heard(line))
    socket.on('lobby:presence', ({ count }) => (state.count = count))
    socket.connect()
  }

  async say(text: string): Promise<void> {
    await this.ask('lobby:say', { text })
  }

  async rename(nickname: string): Promise<void> {
    const entered = await this.ask('lobby:rename', { nickname })
    this.state.nickname = entered.nickname
    localStorage.setItem(nicknameKey, entered.nickname)
  }

  /** Tries again after a refusal, which the library does not. */
  retry(): void {
    this.socket.connect()
  }

  close(): void {
    this.socket.disconnect()
  }

  private welcomed(greeting: Greeting): void {
    Object.assign(this.state, { online: true, failure: undefined, nickname: greeting.nickname, welcome: greeting.text, count: greeting.count })
    for (const line of greeting.lines) this.heard(line)
  }

  private heard(line: Line): void {
    const { lines } = this.state
    if (lines.some((known) => known.id === line.id)) return // heard before an interruption
    lines.push(line)
    if (lines.length > linesMost) lines.splice(0, lines.length - linesMost)
  }

  private async ask<N extends 'lobby:say' | 'lobby:rename'>(name: N, input: Parameters<LobbyClientToServerEvents[N]>[0]) {
    if (!this.socket.connected) throw Failure.offline()
    type Asked = (name: N, input: unknown) => Promise<{ ok: true; data: { nickname: string } } | { ok: false; error: unknown }>
    const timed = this.socket.timeout(answerWithinMs)
    const answer = await (timed.emitWithAck as unknown as Asked).call(timed, name, input).catch(() => {
      throw this.socket.connected ? Failure.timeout() : Failure.offline()
    })
    if (answer.ok) return answer.data
    throw readFailure(answer.error) ?? Failure.from(answer.error)
  }
}
