import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { TokenSource } from 'wenzhen-client'
import { emptyLobby, Lobby, type LobbyState } from './lobby'

type Listener = (argument?: unknown) => void

class FakeSocket {
  connected = true
  active = false
  connects = 0
  answer: unknown = { ok: true, data: { nickname: 'bo' } }
  private readonly listeners = new Map<string, Listener>()
  on(event: string, listener: Listener) {
    this.listeners.set(event, listener)
  }
  connect() {
    this.connects++
  }
  disconnect() {
    this.connected = false
  }
  timeout() {
    return this
  }
  emitWithAck = async () => this.answer
  happens(event: string, argument?: unknown) {
    this.listeners.get(event)?.(argument)
  }
}

let socket: FakeSocket
let state: LobbyState
let lobby: Lobby
const line = (id: string) => ({ id, nickname: 'li', text: `text ${id}`, at: '2026-01-01T00:00:00Z' })

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
  socket = new FakeSocket()
  state = emptyLobby()
  const tokens: TokenSource = { access: async () => undefined, refresh: () => Promise.reject(new Error()), onRenewed: () => () => undefined }
  lobby = new Lobby(socket as unknown as ConstructorParameters<typeof Lobby>[0], tokens, state)
})
afterEach(() => {
  lobby.close()
  vi.useRealTimers()
})

test('shows each line once, over interruptions', () => {
  socket.happens('lobby:welcome', { text: 'Welcome', nickname: 'bo', count: 2, lines: [line('1'), line('2')] })
  socket.happens('lobby:said', line('3'))
  socket.happens('disconnect', 'transport close')
  expect(state.online).toBe(false)
  socket.happens('lobby:welcome', { text: 'Welcome', nickname: 'bo', count: 3, lines: [line('2'), line('3'), line('4')] })
  expect(state.lines.map((l) => l.id)).toEqual(['1', '2', '3', '4'])
  expect(state).toMatchObject({ online: true, count: 3, nickname: 'bo', welcome: 'Welcome' })
})

test('keeps a bounded number of lines', () => {
  for (let i = 0; i < 600; i++) socket.happens('lobby:said', line(String(i)))
  expect(state.lines).toHaveLength(500)
  expect(state.lines[0]?.id).toBe('100')
})

test('a new name is kept for the next visit', async () => {
  await lobby.rename('bo')
  expect(localStorage.getItem('wenzhen.lobby.nickname')).toBe('bo')
})

test('a refusal carries the words of the server', async () => {
  socket.answer = { ok: false, error: { code: 'rate_limited', message: 'too much', retryable: true } }
  await expect(lobby.say('x')).rejects.toMatchObject({ code: 'rate_limited', message: 'too much' })
  socket.happens('connect_error', Object.assign(new Error(), { data: { code: 'unauthenticated', message: 'log in', retryable: false } }))
  expect(state.failure?.code).toBe('unauthenticated')
})

test('comes back when the server closed the connection', async () => {
  socket.happens('disconnect', 'io server disconnect')
  await vi.advanceTimersByTimeAsync(1000)
  expect(socket.connects).toBe(2)
})

test('a guest who is asked to log in is not tried again by itself', async () => {
  socket.happens('connect_error', Object.assign(new Error(), { data: { code: 'unauthenticated', message: 'log in', retryable: false } }))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(socket.connects).toBe(1)
  lobby.retry()
  expect(socket.connects).toBe(2)
})
