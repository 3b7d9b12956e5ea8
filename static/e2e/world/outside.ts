import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from '@playwright/test'
import { SMTPServer } from 'smtp-server'

/** A mail as it came: its headers and parts, not decoded but for the subject. */
export interface Mail {
  to: string
  subject: string
  raw: string
}

/** A real SMTP server with everyone's mailbox. */
export interface Post {
  url: string
  to: (email: string) => Mail[]
  /** The last link to one of our pages that was sent to an address; waits for it. */
  linkTo: (email: string, page: string) => Promise<URL>
  close: () => Promise<void>
}

export async function openPost(): Promise<Post> {
  const mails: Mail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString()
        mails.push({ to: session.envelope.rcptTo[0]?.address ?? '', subject: subjectOf(raw), raw })
        done()
      })
    },
  })
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const to = (email: string) => mails.filter((mail) => mail.to === email)
  const find = (email: string, page: string) =>
    to(email)
      .map((mail) => new RegExp(`https?://[^\\s"<]*${page}#[\\w.-]+`).exec(textOf(mail.raw))?.[0])
      .findLast((link) => link)
  return {
    url: `smtp://127.0.0.1:${(listening.address() as AddressInfo).port}?tls=off`,
    to,
    linkTo: async (email, page) => {
      await expect.poll(() => find(email, page), { timeout: 30_000 }).toBeTruthy()
      return new URL(find(email, page) ?? '')
    },
    close: () => new Promise((closed) => server.close(() => closed())),
  }
}

/** All that a message says, its quoted-printable and base64 parts decoded. */
function textOf(raw: string): string {
  const soft = raw.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const blocks = raw.match(/(?:^[A-Za-z0-9+/]{20,}={0,2}\r\n)+/gm) ?? []
  return soft + blocks.map((block) => Buffer.from(block, 'base64').toString()).join('\n')
}

/** The Subject of a message, its encoded words (RFC 2047) decoded. */
function subjectOf(raw: string): string {
  const [, folded = ''] = /^Subject:((?:.*\r\n[ \t])*.*)\r\n/m.exec(raw) ?? []
  const encoded = folded.trim().replaceAll(/\r\n[ \t]+/g, ' ').replaceAll(/\?=\s+=\?/g, '?==?')
  return encoded.replaceAll(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_, how: string, text: string) =>
    how.toLowerCase() === 'b'
      ? Buffer.from(text, 'base64').toString()
      : Buffer.from(text.replaceAll('_', ' ').replaceAll(/=([0-9A-F]{2})/gi, (__, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))), 'latin1').toString(),
  )
}

/** A push service with one browser, which decrypts what comes as RFC 8291 says. */
export async function openPushService(): Promise<{
  host: string
  subscription: { endpoint: string; keys: { p256dh: string; auth: string } }
  pushes: string[]
  close: () => Promise<void>
}> {
  const browser = createECDH('prime256v1')
  browser.generateKeys()
  const auth = randomBytes(16)
  const pushes: string[] = []
  const server = createServer((request, response) => {
    bodyOf(request)
      .then((body) => {
        pushes.push(decrypted(body, browser, auth))
        response.writeHead(201).end()
      })
      .catch((error: unknown) => response.writeHead(400).end(String(error)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    subscription: { endpoint: `http://${host}/push/1`, keys: { p256dh: browser.getPublicKey('base64url'), auth: auth.toString('base64url') } },
    pushes,
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections()
        server.close(() => closed())
      }),
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function decrypted(body: Buffer, browser: ReturnType<typeof createECDH>, auth: Buffer): string {
  const salt = body.subarray(0, 16)
  const length = body.readUInt8(20)
  const sender = body.subarray(21, 21 + length)
  const sealed = body.subarray(21 + length)
  const derive = (secret: Buffer, from: Buffer, info: Buffer | string, bytes: number) => Buffer.from(hkdfSync('sha256', secret, from, info, bytes))
  const secret = derive(browser.computeSecret(sender), auth, Buffer.concat([Buffer.from('WebPush: info\0'), browser.getPublicKey(), sender]), 32)
  const opened = createDecipheriv('aes-128-gcm', derive(secret, salt, 'Content-Encoding: aes128gcm\0', 16), derive(secret, salt, 'Content-Encoding: nonce\0', 12))
  opened.setAuthTag(sealed.subarray(-16))
  const padded = Buffer.concat([opened.update(sealed.subarray(0, -16)), opened.final()])
  return padded.subarray(0, padded.lastIndexOf(2)).toString()
}
