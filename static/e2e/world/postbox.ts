import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Takes mail (SMTP, RFC 5321), as much of it as one sender needs. */
export class Postbox {
  private readonly mails: string[] = []
  private readonly sockets = new Set<Socket>()
  private server: Server | undefined

  get url(): string {
    return `smtp://127.0.0.1:${(this.server?.address() as AddressInfo).port}?tls=off`
  }

  async start(): Promise<void> {
    this.server = createServer((socket) => {
      this.sockets.add(socket)
      let text = ''
      let data = false
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined)
      socket.write('220 postbox\r\n')
      socket.on('data', (part: Buffer) => {
        text += part.toString('latin1')
        for (;;) {
          const end = text.indexOf(data ? '\r\n.\r\n' : '\r\n')
          if (end < 0) return
          const line = text.slice(0, end)
          text = text.slice(end + (data ? 5 : 2))
          if (data) this.mails.push(line)
          data = !data && /^DATA/i.test(line)
          socket.write(data ? '354 go on\r\n' : /^QUIT/i.test(line) ? '221 bye\r\n' : '250 ok\r\n')
        }
      })
    }).listen(0, '127.0.0.1')
    await once(this.server, 'listening')
  }

  /** The last link to one of our pages that was sent to an address. */
  linkTo(email: string, page: string): string | undefined {
    const texts = this.mails.filter((m) => m.includes(email)).map((m) => this.decoded(m))
    return texts.map((text) => new RegExp(`https?://[^\\s"<]*${page}#[\\w.-]+`).exec(text)?.[0]).findLast((link) => link)
  }

  private decoded(mail: string): string {
    const soft = mail.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    const blocks = mail.match(/(?:^[A-Za-z0-9+/]{20,}={0,2}\r\n)+/gm) ?? []
    return soft + blocks.map((block) => Buffer.from(block, 'base64').toString()).join('\n')
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.server?.close()
    if (this.server) await once(this.server, 'close')
  }
}
