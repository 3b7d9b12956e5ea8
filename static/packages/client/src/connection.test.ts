import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Failure } from './failure.js'
import type { Ack, WireError } from './wire.gen.js'
import { Connection, type Link, type openSocket } from './connection.js'
import { setReconnectDelays, reconnectDelays } from './reconnectingSocket.js'
import type { TokenSource } from './tokens.js'

type Listener = (argument?: unknown) => void

/** The client's socket as the library has it, with the server's side in the test's hands. */
class FakeSocket {
  connected = false
  active = true
  auth: (give: (auth: { token?: string }) => void) => void = () => undefined
  connects = 0
  reconnectDelays: number[] = []
  io = { reconnectionDelay: (ms: number) => this.reconnectDelays.push(ms), reconnectionDelayMax: (ms: number) => this.reconnectDelays.push(ms) }
  sent: [string, unknown][] = []
  answer: (name: string, input: unknown) => Promise<Ack<unknown>> = () => new Promise(() => undefined)
  private readonly listeners = new Map<string, Listener[]>()

  on(event: string, listener: Listener) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener])
  }
  connect() {
    this.connects++
    return this
  }
  disconnect() {
    this.connected = false
    return this
  }
  timeout() {
    return this
  }
  emitWithAck(name: string, input: unknown) {
    this.sent.push([name, input])
    return this.answer(name, input)
  }
  happens(event: string, argument?: unknown) {
    if (event === 'connect') this.connected = true
    if (event === 'disconnect' || event === 'connect_error') this.connected = false
    for (const listener of this.listeners.get(event) ?? []) listener(argument)
  }
  handshake(): Promise<{ token?: string }> {
    return new Promise((give) => this.auth(give))
  }
}

class FakeTokens {
  token = 'a0'
  signedOut: string[] = []
  refreshed: string[] = []
  private listener: (token: string) => void = () => undefined

  access = async () => this.token
  refresh = async (stale: string) => {
    this.refreshed.push(stale)
    if (stale === this.token) this.renew()
    return this.token
  }
  renew() {
    this.token = `a${Number(this.token.slice(1)) + 1}`
    this.listener(this.token)
  }
  signOut = (why: string) => this.signedOut.push(why)
  onRenewed = (listener: (token: string) => void) => {
    this.listener = listener
    return () => undefined
  }
}

const refusal = (code: WireError['code'], more: Partial<WireError> = {}): WireError => ({ code, message: code, retryable: false, ...more })
const settle = () => vi.advanceTimersByTimeAsync(0)

let socket: FakeSocket
let tokens: FakeTokens
let connection: Connection
let links: Link[]

beforeEach(() => {
  vi.useFakeTimers()
  socket = new FakeSocket()
  tokens = new FakeTokens()
  connection = new Connection(socket as unknown as ReturnType<typeof openSocket>, tokens as unknown as TokenSource)
  links = []
  connection.onLink((link) => links.push(link))
})
afterEach(() => {
  connection.close()
  vi.useRealTimers()
})

describe('Connection', () => {
  test('shows the present token in each handshake', async () => {
    expect(await socket.handshake()).toEqual({ token: 'a0' })
    tokens.token = 'a7'
    expect(await socket.handshake()).toEqual({ token: 'a7' })
  })

  test('an answer is data, or a failure with all that the server said', async () => {
    socket.happens('connect')
    socket.answer = async () => ({ ok: true, data: { id: 'm' } })
    expect(await connection.ask('typing:start', { consultationId: 'c' })).toEqual({ id: 'm' })
    socket.answer = async () => ({ ok: false, error: refusal('rate_limited', { retryable: true, retryAfterMs: 700 }) })
    await expect(connection.ask('typing:start', { consultationId: 'c' })).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 700 })
  })

  test('without a connection a command fails at once instead of being queued', async () => {
    await expect(connection.ask('typing:start', { consultationId: 'c' })).rejects.toMatchObject({ code: 'offline', retryable: true })
    expect(socket.sent).toEqual([])
  })

  test('distinguishes a missing answer from a lost connection', async () => {
    socket.happens('connect')
    socket.answer = () => Promise.reject(new Error('timeout'))
    await expect(connection.ask('typing:start', { consultationId: 'c' })).rejects.toMatchObject({ code: 'timeout' })
    socket.answer = () => {
      socket.happens('disconnect', 'transport close')
      return Promise.reject(new Error('gone'))
    }
    await expect(connection.ask('typing:start', { consultationId: 'c' })).rejects.toMatchObject({ code: 'offline' })
  })

  test('renews its login in-band when the tokens are renewed', async () => {
    socket.happens('connect')
    tokens.renew()
    await settle()
    expect(socket.sent).toEqual([['auth:refresh', { token: 'a1' }]])
  })

  test('a command that meets an ended login is asked again with a new one', async () => {
    await socket.handshake()
    socket.happens('connect')
    let good = 'none'
    socket.answer = async (name, input) => {
      if (name === 'auth:refresh') good = (input as { token: string }).token
      return good === 'a1' ? { ok: true, data: name } : { ok: false, error: refusal('unauthenticated') }
    }
    expect(await connection.ask('typing:start', { consultationId: 'c' })).toBe('typing:start')
    expect(tokens.refreshed).toEqual(['a0'])
  })

  test('a handshake refused for its token is tried again with a new one', async () => {
    await socket.handshake()
    socket.active = false
    socket.happens('connect_error', Object.assign(new Error(), { data: refusal('unauthenticated') }))
    await vi.advanceTimersByTimeAsync(1000)
    expect(tokens.refreshed).toEqual(['a0'])
    expect(socket.connects).toBe(2)
    expect(await socket.handshake()).toEqual({ token: 'a1' })
  })

  test('a login that has ended is not tried again', async () => {
    await socket.handshake()
    tokens.refresh = () => Promise.reject(new Failure(refusal('unauthenticated')))
    socket.active = false
    socket.happens('connect_error', Object.assign(new Error(), { data: refusal('unauthenticated') }))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(socket.connects).toBe(1)
  })

  test('reconnects with growing delays when the server has closed the connection', async () => {
    socket.happens('connect')
    for (const most of [625, 1250, 2500, 5000, 6250]) {
      const before = socket.connects
      socket.active = false
      socket.happens('disconnect', 'io server disconnect')
      await vi.advanceTimersByTimeAsync(most)
      expect(socket.connects).toBe(before + 1)
    }
    expect(links).toEqual(['online', 'offline'])
  })

  test('after a transport error socket.io-client uses the delays that the server recommends', () => {
    const usual = reconnectDelays()
    setReconnectDelays({ reconnectDelayMs: 700, reconnectDelayMaxMs: 9_000 })
    socket.happens('connect')
    socket.happens('disconnect', 'transport close')
    setReconnectDelays({ reconnectDelayMs: usual.firstMs, reconnectDelayMaxMs: usual.lastMs })
    expect(usual).toEqual({ firstMs: 500, lastMs: 5_000 })
    expect(socket.reconnectDelays).toEqual([700, 9_000])
  })

  test('after a transport error socket.io-client reconnects, not this class', async () => {
    socket.happens('connect')
    socket.happens('disconnect', 'transport close')
    socket.happens('connect_error', new Error('xhr poll error'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(socket.connects).toBe(1)
  })

  test('connects immediately when the network is back', () => {
    socket.happens('disconnect', 'transport close')
    window.dispatchEvent(new Event('online'))
    expect(socket.connects).toBe(2)
  })

  test('a revoked session signs out', () => {
    socket.happens('session:revoked', { sessionId: 's' })
    expect(tokens.signedOut).toEqual(['revoked'])
  })
})
