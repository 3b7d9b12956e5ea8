import { Failure, readFailure } from './failure.js'
import { MemoryTokens } from './tokens.js'
import type { ConsultationPage, Login, LoginInput, RegisterInput, Registration, Tokens, User } from './wire.gen.js'

export interface Request {
  body?: unknown
  query?: Record<string, string | number | boolean | undefined>
  headers?: Record<string, string>
  signal?: AbortSignal
}

/**
 * Logs in at a server, such as https://clinic.example. Rejects with a Failure:
 * `unauthenticated` for a wrong password, `rate_limited` after too many.
 */
export async function logIn(server: string, input: LoginInput): Promise<Account> {
  return new Account(server, await ask<Login>(server, 'POST', '/auth/login', { body: input }))
}

/**
 * Makes an account and logs in with it. Where the server confirms addresses
 * first it rejects with `unauthenticated` and field `email`: the link of a mail
 * makes the account, which can then be logged in to.
 */
export async function register(server: string, input: RegisterInput): Promise<Account> {
  const made = await ask<Registration>(server, 'POST', '/auth/register', { body: input })
  if (made.confirm) {
    throw new Failure({ code: 'unauthenticated', field: 'email', message: 'follow the link of the mail, then log in', retryable: false })
  }
  return new Account(server, made as Login)
}

/** A login at a server: who one is, the tokens, and REST with them. */
export class Account {
  readonly user: User
  readonly tokens: MemoryTokens
  private readonly leaving = new Set<() => void>()

  constructor(
    /** Origin of the server, without a slash at its end. */
    readonly server: string,
    login: Login,
  ) {
    this.user = login.user
    this.tokens = new MemoryTokens(login, (refreshToken) => ask<Tokens>(server, 'POST', '/auth/refresh', { body: { refreshToken } }))
  }

  /**
   * Sends a request to a route below /api/v1, such as GET /consultations, and returns its JSON.
   * Rejects with a Failure. A token that has run out is renewed on the way. The user's
   * consultations have their type; for other routes, give that of the answer.
   */
  request(method: 'GET', path: '/consultations', request?: Request): Promise<ConsultationPage>
  request<T>(method: string, path: string, request?: Request): Promise<T>
  async request<T>(method: string, path: string, request: Request = {}): Promise<T> {
    const token = await this.tokens.access()
    try {
      return await ask<T>(this.server, method, path, request, token)
    } catch (thrown) {
      if (Failure.from(thrown).code !== 'unauthenticated') throw thrown
      return ask<T>(this.server, method, path, request, await this.tokens.refresh(token))
    }
  }

  /** Calls the listener when logOut ends this login. */
  onLogOut(listener: () => void): void {
    this.leaving.add(listener)
  }

  async logOut(): Promise<void> {
    for (const listener of this.leaving) listener()
    const { refreshToken } = this.tokens
    this.tokens.signOut('asked')
    await ask(this.server, 'POST', '/auth/logout', { body: { refreshToken } })
  }
}

async function ask<T>(server: string, method: string, path: string, { body, query, headers, signal }: Request, token?: string): Promise<T> {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(key, String(value))
  const url = `${server}/api/v1${path}${search.size ? `?${search}` : ''}`
  let response: Response
  try {
    response = await fetch(url, {
      method,
      signal,
      headers: {
        Accept: 'application/json',
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch {
    throw signal?.aborted ? Failure.aborted() : Failure.offline()
  }
  if (response.status === 204) return undefined as T
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return answer as T
  throw readFailure(answer) ?? (response.status >= 502 && response.status <= 504 ? Failure.offline() : Failure.from(new Error(`HTTP ${response.status}`)))
}
