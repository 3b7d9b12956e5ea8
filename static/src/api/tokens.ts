import type { Exclusive } from './exclusive'
import { Failure } from './failure'
import type { Login, Tokens, User } from './wire.gen'

/** Why someone who was logged in is not any more. */
export type SignedOut = 'asked' | 'revoked' | 'expired' | 'elsewhere'

export interface Grant {
  user: User
  accessToken: string
  refreshToken: string
  /** When to renew: milliseconds since 1970, by this device's clock. */
  renewAt: number
}

const storageKey = 'wenzhen.login'
/** An access token is renewed a minute before its end, or in the last fifth of a short life. */
const marginMs = 60_000
const shortLife = 0.8
/** Tabs do not all renew in the same instant. */
const spread = 0.05
/**
 * Storage reaches other tabs a moment after it is written, sometimes later
 * than a released lock does. Holding the lock for longer keeps a tab that
 * waits for it from reading the old token and using it a second time.
 */
const propagationMs = 2_000

/**
 * Keeps the tokens of this browser, shared by its tabs. A refresh token works
 * once – using it twice ends the session – so refreshing is exclusive across
 * tabs, and the tab that gets the lock second finds the new tokens in storage.
 */
export class TokenKeeper {
  private grant: Grant | undefined
  private running: Promise<string> | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly renewed = new Set<(accessToken: string) => void>()
  private readonly ended = new Set<(why: SignedOut, user: User) => void>()

  constructor(
    private readonly storage: Storage,
    private readonly exclusive: Exclusive,
    private readonly renew: (refreshToken: string) => Promise<Tokens>,
  ) {
    this.grant = this.read()
    this.plan()
  }

  get user(): User | undefined {
    return this.grant?.user
  }

  get refreshToken(): string | undefined {
    return this.grant?.refreshToken
  }

  onRenewed(listener: (accessToken: string) => void): () => void {
    this.renewed.add(listener)
    return () => this.renewed.delete(listener)
  }

  /** Calls back after a login has ended, with the user whose login it was. */
  onSignedOut(listener: (why: SignedOut, user: User) => void): () => void {
    this.ended.add(listener)
    return () => this.ended.delete(listener)
  }

  signIn(login: Login): void {
    this.write({ user: login.user, ...this.dated(login) })
    this.announce()
  }

  setUser(user: User): void {
    if (this.grant) this.write({ ...this.grant, user })
  }

  signOut(why: SignedOut): void {
    if (!this.grant) return
    const { user } = this.grant
    this.grant = undefined
    clearTimeout(this.timer)
    if (why !== 'elsewhere') this.storage.removeItem(storageKey)
    for (const listener of this.ended) listener(why, user)
  }

  /** An access token with some life left; undefined for a guest. */
  async access(): Promise<string | undefined> {
    if (!this.grant) return undefined
    if (this.grant.renewAt > Date.now()) return this.grant.accessToken
    return this.refresh(this.grant.accessToken)
  }

  /** Replaces `stale`, unless that has already happened here or in another tab. */
  refresh(stale: string): Promise<string> {
    this.running ??= this.replaced(stale).finally(() => {
      this.running = undefined
    })
    return this.running
  }

  /** Another tab logged in, refreshed or logged out. */
  syncFromStorage(): void {
    const before = this.grant
    const now = this.read()
    if (!now) {
      this.signOut('elsewhere')
      return
    }
    this.grant = now
    this.plan()
    if (before?.accessToken !== now.accessToken) this.announce()
  }

  /** Settles when this tab replaces the token, or another tab does, which a storage event reports. */
  private replaced(stale: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const forget = [
        this.onRenewed((token) => token !== stale && resolve(token)),
        this.onSignedOut(() => reject(signedOut())),
      ]
      this.exclusive('wenzhen.refresh', async () => {
        const before = this.grant?.refreshToken
        resolve(await this.replace(stale))
        if (this.grant && this.grant.refreshToken !== before) await pause(propagationMs)
      })
        .catch(reject)
        .finally(() => forget.forEach((stop) => stop()))
    })
  }

  private async replace(stale: string): Promise<string> {
    const grant = this.read()
    if (!grant) {
      this.signOut('elsewhere')
      throw signedOut()
    }
    if (grant.accessToken !== stale) {
      this.grant = grant
      this.plan()
      return grant.accessToken
    }
    try {
      const tokens = await this.renew(grant.refreshToken)
      this.write({ user: this.grant?.user ?? grant.user, ...this.dated(tokens) })
    } catch (thrown) {
      const failure = Failure.from(thrown)
      if (failure.code === 'unauthenticated' || failure.code === 'forbidden' || failure.code === 'invalid') this.signOut('expired')
      throw failure
    }
    this.announce()
    return this.grant?.accessToken ?? ''
  }

  private dated(tokens: Tokens): Omit<Grant, 'user'> {
    const { accessToken, refreshToken, expiresIn } = tokens
    const life = expiresIn * 1000
    return { accessToken, refreshToken, renewAt: Date.now() + Math.max(life - marginMs, life * shortLife) }
  }

  private read(): Grant | undefined {
    const text = this.storage.getItem(storageKey)
    if (!text) return undefined
    try {
      const grant = JSON.parse(text) as Grant
      return grant.user && grant.accessToken && grant.refreshToken ? grant : undefined
    } catch {
      return undefined
    }
  }

  private write(grant: Grant): void {
    this.grant = grant
    this.storage.setItem(storageKey, JSON.stringify(grant))
    this.plan()
  }

  private announce(): void {
    const token = this.grant?.accessToken
    if (token) for (const listener of this.renewed) listener(token)
  }

  /** Renews before the end, so that a quiet page with an open socket stays in. */
  private plan(): void {
    clearTimeout(this.timer)
    if (!this.grant) return
    const { accessToken, renewAt } = this.grant
    const left = renewAt - Date.now()
    const wait = Math.max(1_000, left + Math.random() * Math.min(marginMs / 2, left * spread))
    this.timer = setTimeout(() => {
      this.refresh(accessToken).catch((thrown: unknown) => {
        if (Failure.from(thrown).retryable) this.plan()
      })
    }, wait)
  }
}

const signedOut = () => new Failure({ code: 'unauthenticated', message: 'logged out', retryable: false })
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

export const isTokenKey = (key: string | null) => key === storageKey || key === null
