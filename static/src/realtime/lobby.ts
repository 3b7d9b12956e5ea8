import { type NamespaceSocket, ReconnectingSocket, type TokenSource } from 'wenzhen-client'
import type { Failure } from '@/api/failure'
import type { Greeting, LobbyLine } from '@/api/wire.gen'

/** What a page shows of the lobby. */
export interface LobbyState {
  online: boolean
  /** Set after joining. */
  nickname: string
  welcome: string
  count: number
  /** The oldest first, each once. */
  lines: LobbyLine[]
  failure: Failure | undefined
}

export const emptyLobby = (): LobbyState => ({ online: false, nickname: '', welcome: '', count: 0, lines: [], failure: undefined })

const linesMost = 500
const nicknameKey = 'wenzhen.lobby.nickname'

/** The lobby: joins again after every interruption, and has each line once. */
export class Lobby {
  private readonly connection: ReconnectingSocket<'/lobby'>

  constructor(
    socket: NamespaceSocket<'/lobby'>,
    tokens: TokenSource,
    private readonly state: LobbyState,
  ) {
    socket.on('lobby:welcome', (greeting) => this.welcomed(greeting))
    socket.on('lobby:said', (line) => this.received(line))
    socket.on('lobby:presence', ({ count }) => (state.count = count))
    const offline = (why?: Failure) => {
      state.online = false
      if (why) state.failure = why
    }
    this.connection = new ReconnectingSocket(socket, tokens, { offline }, () => ({ nickname: localStorage.getItem(nicknameKey) ?? undefined }))
  }

  async say(text: string): Promise<void> {
    await this.connection.ask('lobby:say', { text })
  }

  async rename(nickname: string): Promise<void> {
    const entered = await this.connection.ask('lobby:rename', { nickname })
    this.state.nickname = entered.nickname
    localStorage.setItem(nicknameKey, entered.nickname)
  }

  /** Tries again after a refusal. */
  retry(): void {
    this.connection.again()
  }

  close(): void {
    this.connection.close()
  }

  private welcomed(greeting: Greeting): void {
    Object.assign(this.state, { online: true, failure: undefined, nickname: greeting.nickname, welcome: greeting.text, count: greeting.count })
    for (const line of greeting.lines) this.received(line)
  }

  private received(line: LobbyLine): void {
    const { lines } = this.state
    if (lines.some((known) => known.id === line.id)) return // received before an interruption
    lines.push(line)
    if (lines.length > linesMost) lines.splice(0, lines.length - linesMost)
  }
}
