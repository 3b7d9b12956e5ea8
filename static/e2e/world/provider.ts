import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A small OpenID provider with one user at a time, whose login needs one click. */
export class Provider {
  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  private readonly codes = new Map<string, { nonce: string; challenge: string }>()
  private server: Server | undefined
  ended = 0
  /** Who says yes. */
  who = { sub: 'somebody', email: 'somebody@clinic-id.example', name: 'Somebody' }

  get url(): string {
    return `http://localhost:${(this.server?.address() as AddressInfo).port}`
  }

  async start(): Promise<void> {
    this.server = createServer((request, response) => {
      const at = new URL(request.url ?? '/', this.url)
      const json = (body: unknown) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body))
      const q = at.searchParams
      switch (at.pathname) {
        case '/.well-known/openid-configuration':
          return json({
            issuer: this.url,
            authorization_endpoint: `${this.url}/authorize`,
            token_endpoint: `${this.url}/token`,
            jwks_uri: `${this.url}/keys`,
            end_session_endpoint: `${this.url}/end`,
            id_token_signing_alg_values_supported: ['RS256'],
          })
        case '/keys':
          return json({ keys: [{ ...this.keys.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] })
        case '/authorize': {
          const code = randomUUID()
          this.codes.set(code, { nonce: q.get('nonce') ?? '', challenge: q.get('code_challenge') ?? '' })
          const back = new URL(q.get('redirect_uri') ?? '')
          back.searchParams.set('code', code)
          back.searchParams.set('state', q.get('state') ?? '')
          return response.setHeader('Content-Type', 'text/html').end(`<h1>Clinic ID</h1><a href="${back.href.replaceAll('&', '&amp;')}">Yes, log in</a>`)
        }
        case '/token': {
          let body = ''
          request.on('data', (part: Buffer) => (body += part.toString()))
          request.on('end', () => {
            const form = new URLSearchParams(body)
            const known = this.codes.get(form.get('code') ?? '')
            const proof = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url')
            if (!known || known.challenge !== proof) {
              response.statusCode = 400
              return json({ error: 'invalid_grant' })
            }
            json({ access_token: randomUUID(), token_type: 'Bearer', id_token: this.idToken(known.nonce) })
          })
          return undefined
        }
        case '/end':
          this.ended++
          return response.writeHead(302, { Location: q.get('post_logout_redirect_uri') ?? '/' }).end()
        default:
          return response.writeHead(404).end()
      }
    }).listen(0, 'localhost')
    await once(this.server, 'listening')
  }

  private idToken(nonce: string): string {
    const now = Math.floor(Date.now() / 1000)
    const part = (v: unknown) => Buffer.from(JSON.stringify(v)).toString('base64url')
    const body = `${part({ alg: 'RS256', kid: 'one' })}.${part({ iss: this.url, aud: 'wenzhen', iat: now, exp: now + 300, nonce, email_verified: true, ...this.who })}`
    return `${body}.${createSign('RSA-SHA256').update(body).sign(this.keys.privateKey, 'base64url')}`
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections()
    this.server?.close()
    if (this.server) await once(this.server, 'close')
  }
}
