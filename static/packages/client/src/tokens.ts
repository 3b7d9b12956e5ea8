import { Failure } from './failure.js'

/** Where a connection gets its access tokens from. */
export interface TokenSource {
  /** An access token with some life left; undefined for a guest. */
  access(): Promise<string | undefined>
  /** Replaces `stale`, unless that has happened already. Rejects with a Failure when the login is over. */
  refresh(stale: string): Promise<string>
  /** Calls the listener with every new access token, so that an open socket can send it. */
  onRenewed(listener: (accessToken: string) => void): () => void
  /** The server has ended this session. */
  signOut?(why: 'revoked'): void
}

/** The part of a login that is replaced from time to time. */
export interface Grant {
  accessToken: string
  refreshToken: string
  /** Seconds. */
  expiresIn: number
}

/** An access token is renewed a minute before its end, or in the last fifth of a short life. */
const marginMs = 60_000
const shortLife = 0.8

/**
 * The tokens of one login, in memory. They are renewed before they end for as
 * long as someone listens, and when they are asked for. A refresh token works
 * once, so refreshing happens once at a time; two processes must not share one.
 */
export class MemoryTokens implements TokenSource {
  private renewAt = 0
  private running: Promise<string> | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private over: Failure | undefined
  private readonly listeners = new Set<(accessToken: string) => void>()

  constructor(
    private grant: Grant,
    private readonly renew: (refreshToken: string) => Promise<Grant>,
  ) {
    this.take(grant)
  }

  /** For logging out. */
  get refreshToken(): string {
    return this.grant.refreshToken
  }

  async access(): Promise<string> {
    if (this.over) throw this.over
    return this.renewAt > Date.now() ? this.grant.accessToken : this.refresh(this.grant.accessToken)
  }

  refresh(stale: string): Promise<string> {
    if (this.over) return Promise.reject(this.over)
    if (stale !== this.grant.accessToken) return Promise.resolve(this.grant.accessToken)
    this.running ??= this.replace().finally(() => (this.running = undefined))
    return this.running
  }

  onRenewed(listener: (accessToken: string) => void): () => void {
    this.listeners.add(listener)
    this.plan()
    return () => {
      this.listeners.delete(listener)
      this.plan()
    }
  }

  signOut(why: 'revoked' | 'asked' | 'expired'): void {
    this.over ??= new Failure({ code: 'unauthenticated', message: `this login is over: ${why}`, retryable: false })
    this.plan()
  }

  private async replace(): Promise<string> {
    try {
      this.take(await this.renew(this.grant.refreshToken))
    } catch (thrown) {
      const failure = Failure.from(thrown)
      if (!failure.retryable) this.signOut('expired')
      throw failure
    }
    for (const listener of this.listeners) listener(this.grant.accessToken)
    return this.grant.accessToken
  }

  private take(grant: Grant): void {
    const life = grant.expiresIn * 1000
    this.grant = grant
    this.renewAt = Date.now() + Math.max(life - marginMs, life * shortLife)
    this.plan()
  }

  private plan(): void {
    clearTimeout(this.timer)
    if (this.listeners.size === 0 || this.over) return
    const { accessToken } = this.grant
    const again = () => this.refresh(accessToken).catch(() => this.plan())
    this.timer = setTimeout(() => void again(), Math.max(1_000, this.renewAt - Date.now()))
  }
}
