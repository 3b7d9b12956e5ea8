import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { storageLock, type Exclusive } from './exclusive'
import { Failure } from './failure'
import { TokenKeeper } from './tokens'
import type { Login, Tokens, User } from './wire.gen'

const user = { id: 'u', name: 'Bo', role: 'patient' } as User
const life = 900

/** The server's rotation: a refresh token works once; the second use ends the session. */
class Sessions {
  valid = 'r0'
  revoked = false
  count = 0

  readonly renew = async (refreshToken: string): Promise<Tokens> => {
    await new Promise((done) => setTimeout(done, 100))
    if (this.revoked || refreshToken !== this.valid) {
      this.revoked = true
      throw new Failure({ code: 'unauthenticated', message: 'used twice', retryable: false })
    }
    this.count++
    this.valid = `r${this.count}`
    return { accessToken: `a${this.count}`, refreshToken: this.valid, expiresIn: life }
  }
}

const storageExclusive: Exclusive = (name, work) => storageLock(localStorage, name, work)
const login: Login = { user, accessToken: 'a0', refreshToken: 'r0', expiresIn: life, device: 'd' }
let sessions: Sessions

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-01T00:00:00Z') })
  localStorage.clear()
  sessions = new Sessions()
})
afterEach(() => vi.useRealTimers())

const tab = () => new TokenKeeper(localStorage, storageExclusive, sessions.renew)

describe('TokenKeeper', () => {
  test('a guest has no token', async () => {
    expect(await tab().access()).toBeUndefined()
  })

  test('a fresh token is used as it is, also after a reload', async () => {
    tab().signIn(login)
    expect(await tab().access()).toBe('a0')
    expect(sessions.count).toBe(0)
  })

  test('many askers in one tab refresh once', async () => {
    const keeper = tab()
    keeper.signIn(login)
    const asked = Promise.all([keeper.refresh('a0'), keeper.refresh('a0'), keeper.refresh('a0')])
    await vi.advanceTimersByTimeAsync(1000)
    expect(await asked).toEqual(['a1', 'a1', 'a1'])
    expect(sessions.count).toBe(1)
  })

  test('two tabs never use the same refresh token', async () => {
    const one = tab()
    one.signIn(login)
    const two = tab()
    const both = Promise.all([one.refresh('a0'), two.refresh('a0')])
    await vi.advanceTimersByTimeAsync(5000)
    expect(await both).toEqual(['a1', 'a1'])
    expect(sessions).toMatchObject({ count: 1, revoked: false })
  })

  test('tokens are renewed before they expire, and listeners are called', async () => {
    const keeper = tab()
    const renewed: string[] = []
    keeper.onRenewed((token) => renewed.push(token))
    keeper.signIn(login)
    await vi.advanceTimersByTimeAsync((life - 20) * 1000)
    expect(renewed).toEqual(['a0', 'a1'])
  })

  test('a refresh that the server refuses signs out', async () => {
    const keeper = tab()
    keeper.signIn(login)
    const why: string[] = []
    keeper.onSignedOut((reason) => why.push(reason))
    sessions.revoked = true
    const refreshed = expect(keeper.refresh('a0')).rejects.toMatchObject({ code: 'unauthenticated' })
    await vi.advanceTimersByTimeAsync(1000)
    await refreshed
    expect(why).toEqual(['expired'])
    expect(tab().user).toBeUndefined()
  })

  test('a refresh that cannot reach the server keeps the login', async () => {
    const keeper = new TokenKeeper(localStorage, storageExclusive, () => Promise.reject(Failure.offline()))
    keeper.signIn(login)
    const refreshed = expect(keeper.refresh('a0')).rejects.toMatchObject({ code: 'offline' })
    await vi.advanceTimersByTimeAsync(1000)
    await refreshed
    expect(keeper.user).toEqual(user)
    expect(tab().refreshToken).toBe('r0')
  })

  test('logging out in one tab logs out the other', () => {
    const one = tab()
    one.signIn(login)
    const two = tab()
    const why: string[] = []
    two.onSignedOut((reason) => why.push(reason))
    one.signOut('asked')
    two.syncFromStorage()
    expect(why).toEqual(['elsewhere'])
  })
})

/** A tab's view of storage: its own writes at once, those of other tabs later. */
class SlowStorage {
  static tabs: SlowStorage[] = []
  private readonly items = new Map<string, string>()
  changed: () => void = () => undefined

  constructor(private readonly delayMs: number) {
    SlowStorage.tabs.push(this)
  }
  getItem = (key: string) => this.items.get(key) ?? null
  removeItem = (key: string) => void this.items.delete(key)
  setItem(key: string, value: string) {
    this.items.set(key, value)
    for (const tab of SlowStorage.tabs) {
      if (tab === this) continue
      setTimeout(() => {
        tab.items.set(key, value)
        tab.changed()
      }, this.delayMs)
    }
  }
}

describe('TokenKeeper in tabs whose storage lags behind their locks', () => {
  /** As Web Locks: the next holder goes ahead the moment the lock is free. */
  function webLocks(): Exclusive {
    let last: Promise<unknown> = Promise.resolve()
    return (_, work) => {
      const mine = last.then(work)
      last = mine.catch(() => undefined)
      return mine
    }
  }

  test.each([0, 5, 300, 1500])('by %d ms a refresh token is still used once', async (delayMs) => {
    SlowStorage.tabs = []
    const exclusive = webLocks()
    const [one, two, three] = [1, 2, 3].map(() => {
      const storage = new SlowStorage(delayMs)
      const keeper = new TokenKeeper(storage as unknown as Storage, exclusive, sessions.renew)
      storage.changed = () => keeper.syncFromStorage()
      return keeper
    }) as [TokenKeeper, TokenKeeper, TokenKeeper]
    one.signIn(login)
    await vi.advanceTimersByTimeAsync(2000)
    const all = Promise.all([one.refresh('a0'), two.refresh('a0')])
    await vi.advanceTimersByTimeAsync(101) // the first has its answer now
    const late = three.refresh('a0')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(await all).toEqual(['a1', 'a1'])
    expect(await late).toBe('a1')
    expect(sessions).toMatchObject({ count: 1, revoked: false })
  })

  test('the tab that refreshed does not wait for the other tabs', async () => {
    const keeper = new TokenKeeper(localStorage, webLocks(), sessions.renew)
    keeper.signIn(login)
    const done = vi.fn()
    void keeper.refresh('a0').then(done)
    await vi.advanceTimersByTimeAsync(101)
    expect(done).toHaveBeenCalledWith('a1')
  })
})

describe('storageLock', () => {
  test('lets one in at a time', async () => {
    let inside = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++inside)
      await new Promise((done) => setTimeout(done, 50))
      inside--
    }
    const all = Promise.all(Array.from({ length: 5 }, () => storageLock(localStorage, 'x', work)))
    await vi.advanceTimersByTimeAsync(20_000)
    await all
    expect(most).toBe(1)
  })

  test('passes over a tab that closed while it held the lock', async () => {
    localStorage.setItem('wenzhen.lock.x', `gone|${Date.now() + 15_000}`)
    const done = vi.fn()
    void storageLock(localStorage, 'x', () => Promise.resolve()).then(done)
    await vi.advanceTimersByTimeAsync(14_000)
    expect(done).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(done).toHaveBeenCalled()
  })
})
