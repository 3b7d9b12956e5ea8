import { Failure, readFailure } from './failure'
import type { TokenKeeper } from './tokens'

const base = '/api/v1'

export interface RequestOptions {
  body?: unknown
  query?: Record<string, string | number | undefined>
  signal?: AbortSignal
  /** The version that was read: the server refuses when there is a newer one. */
  ifMatch?: number
}

export interface UploadOptions {
  onProgress?: (share: number) => void
  signal?: AbortSignal
}

/** REST with tokens: one silent refresh when the access token is refused. */
export class Http {
  /** Called when the server refuses all but setting up a second factor. */
  onSecondFactor?: () => void

  constructor(private readonly tokens: TokenKeeper) {}

  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.fetch(method, path, options)
    return (response.status === 204 ? undefined : await response.json()) as T
  }

  async blob(path: string, signal?: AbortSignal): Promise<Blob> {
    return (await this.fetch('GET', path, { signal })).blob()
  }

  /** Sends a file as multipart field `file`; XMLHttpRequest because fetch does not report progress. */
  async upload<T>(path: string, file: File, options: UploadOptions = {}): Promise<T> {
    const token = await this.tokens.access()
    try {
      return await send<T>(path, file, token, options)
    } catch (thrown) {
      if (!token || Failure.from(thrown).code !== 'unauthenticated') throw thrown
      return send<T>(path, file, await this.tokens.refresh(token), options)
    }
  }

  private async fetch(method: string, path: string, options: RequestOptions): Promise<Response> {
    try {
      return await this.answered(method, path, options)
    } catch (thrown) {
      if (Failure.from(thrown).field === 'secondFactor') this.onSecondFactor?.()
      throw thrown
    }
  }

  private async answered(method: string, path: string, options: RequestOptions): Promise<Response> {
    const token = await this.tokens.access()
    const response = await ask(method, path, options, token)
    if (response.status !== 401 || !token) return checked(response)
    return checked(await ask(method, path, options, await this.tokens.refresh(token)))
  }
}

/** A request of a guest: registration, login, refresh, configuration. */
export async function askAsGuest<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await checked(await ask(method, path, options, undefined))
  return (response.status === 204 ? undefined : await response.json()) as T
}

/** One of the specifications below /api. */
export async function askDocument<T>(name: string): Promise<T> {
  try {
    return (await checked(await fetch(`/api/${name}`)).then((response) => response.json())) as T
  } catch (thrown) {
    throw thrown instanceof Failure ? thrown : Failure.offline()
  }
}

async function ask(method: string, path: string, { body, query, signal, ifMatch }: RequestOptions, token: string | undefined): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (token) headers.Authorization = `Bearer ${token}`
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (ifMatch !== undefined) headers['If-Match'] = `"${ifMatch}"`
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== '')
  const search = given.length ? `?${new URLSearchParams(given.map(([k, v]) => [k, String(v)]))}` : ''
  try {
    return await fetch(base + path + search, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal })
  } catch {
    throw signal?.aborted ? Failure.aborted() : Failure.offline()
  }
}

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response
  throw failureOf(response.status, await response.text())
}

function failureOf(status: number, text: string): Failure {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    body = undefined // an answer of something in between, such as a proxy
  }
  const failure = readFailure(body)
  if (failure) return failure
  if (status === 413) return new Failure({ code: 'too_large', message: 'too large', retryable: false })
  if (status === 502 || status === 503 || status === 504) return Failure.offline()
  return new Failure({ code: 'internal', message: `HTTP ${status}`, retryable: false })
}

function send<T>(path: string, file: File, token: string | undefined, { onProgress, signal }: UploadOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', base + path)
    if (token) request.setRequestHeader('Authorization', `Bearer ${token}`)
    request.upload.onprogress = (e) => {
      if (e.lengthComputable) onProgress?.(e.loaded / e.total)
    }
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText) as T)
      else reject(failureOf(request.status, request.responseText))
    }
    request.onerror = () => reject(Failure.offline())
    request.onabort = () => reject(Failure.aborted())
    if (signal?.aborted) return reject(Failure.aborted())
    signal?.addEventListener('abort', () => request.abort(), { once: true })
    const form = new FormData()
    form.append('file', file, file.name)
    request.send(form)
  })
}
