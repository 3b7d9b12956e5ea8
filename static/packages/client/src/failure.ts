import type { Code, WireError } from './wire.gen.js'

/**
 * Every failure a page can meet: what the server answered, or that it could
 * not be reached (`offline`) or did not answer in time (`timeout`).
 */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: Code | 'offline' | 'timeout' | 'aborted'
  readonly field: string | undefined
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly traceId: string | undefined
  readonly status: string | undefined

  constructor(error: Omit<WireError, 'code'> & { code: Failure['code'] }) {
    super(error.message)
    this.code = error.code
    this.field = error.field
    this.retryable = error.retryable
    this.retryAfterMs = error.retryAfterMs
    this.traceId = error.traceId
    this.status = error.status
  }

  static offline(message = 'the server cannot be reached'): Failure {
    return new Failure({ code: 'offline', message, retryable: true })
  }

  static timeout(message = 'the server did not answer in time'): Failure {
    return new Failure({ code: 'timeout', message, retryable: true })
  }

  static aborted(): Failure {
    return new Failure({ code: 'aborted', message: 'cancelled', retryable: false })
  }

  /** Returns a thrown value as a Failure. */
  static from(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown
    return new Failure({ code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown), retryable: false })
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Reads the error object that problem+json, acks and connect_error share. */
export function readFailure(body: unknown): Failure | undefined {
  if (!isRecord(body) || typeof body.code !== 'string') return undefined
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  return new Failure({
    code: body.code as Code,
    message: text(body.message) ?? text(body.detail) ?? text(body.title) ?? body.code,
    field: text(body.field),
    retryable: body.retryable === true,
    retryAfterMs: typeof body.retryAfterMs === 'number' ? body.retryAfterMs : undefined,
    traceId: text(body.traceId),
    // A problem's own `status` is the HTTP number; the state of a conflict is a word.
    status: text(body.status) ?? text(body.state),
  })
}
