import { createCipheriv, createSign, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { certificate } from './certificate'

const app = 'wx0123456789abcdef'
const merchant = '1900000001'
const apiKey = '0123456789abcdef0123456789abcdef'
const serial = 0x51

const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

interface Trade {
  reference: string
  code: string
  total: number
  state: 'NOTPAY' | 'SUCCESS' | 'CLOSED'
}

/** The other side of WeChat Pay's API v3 (Native): it gives out codes, and calls back when one was paid. */
export class WechatPay {
  private readonly platform = pair()
  private readonly own = pair()
  private readonly trades = new Map<string, Trade>()
  private server: Server | undefined

  /** The server's settings for this merchant. */
  get flags(): string[] {
    return [
      ...['--wechat-app', app, '--wechat-merchant', merchant, '--wechat-serial', 'C3', `--wechat-key=${pem(this.own.privateKey)}`],
      ...['--wechat-api-key', apiKey, `--wechat-certs=${certificate(this.platform, serial)}`, '--wechat-url', `http://127.0.0.1:${(this.server?.address() as AddressInfo).port}`],
    ]
  }

  /** The last one that was begun. */
  get last(): Trade {
    const trade = [...this.trades.values()].at(-1)
    if (!trade) throw new Error('no payment was started')
    return trade
  }

  async start(): Promise<void> {
    this.server = createServer((request, response) => {
      let text = ''
      request.on('data', (part: Buffer) => (text += part.toString()))
      request.on('end', () => {
        const [status, answer] = this.answer(request.url ?? '', text)
        const body = answer ? JSON.stringify(answer) : ''
        response.writeHead(status, { 'Content-Type': 'application/json', 'Request-ID': randomUUID(), ...this.signed(body, this.platform.privateKey) }).end(body)
      })
    }).listen(0, '127.0.0.1')
    await once(this.server, 'listening')
  }

  private answer(url: string, text: string): [number, object?] {
    const path = url.split('?')[0] ?? ''
    if (path === '/v3/pay/transactions/native') {
      const asked = JSON.parse(text) as { out_trade_no: string; amount: { total: number } }
      const trade: Trade = { reference: asked.out_trade_no, code: `weixin://wxpay/bizpayurl?pr=${asked.out_trade_no.slice(0, 9)}`, total: asked.amount.total, state: 'NOTPAY' }
      this.trades.set(trade.reference, trade)
      return [200, { code_url: trade.code }]
    }
    const [, reference = '', close] = /^\/v3\/pay\/transactions\/out-trade-no\/([^/]+)(\/close)?$/.exec(path) ?? []
    const trade = this.trades.get(reference)
    if (!trade) return [404, { code: 'ORDER_NOT_EXIST', message: 'no such order' }]
    if (!close) return [200, this.transaction(trade)]
    if (trade.state === 'SUCCESS') return [400, { code: 'ORDER_PAID', message: 'paid' }]
    trade.state = 'CLOSED'
    return [204]
  }

  private transaction({ reference, state, total }: Trade) {
    return { appid: app, mchid: merchant, out_trade_no: reference, transaction_id: `42${reference}`, trade_state: state, amount: { total, currency: 'CNY' } }
  }

  private signed(body: string, key: KeyObject): Record<string, string> {
    const stamp = String(Math.floor(Date.now() / 1000))
    const nonce = randomUUID().replaceAll('-', '')
    const signature = createSign('RSA-SHA256').update(`${stamp}\n${nonce}\n${body}\n`).sign(key, 'base64')
    return { 'Wechatpay-Serial': serial.toString(16), 'Wechatpay-Timestamp': stamp, 'Wechatpay-Nonce': nonce, 'Wechatpay-Signature': signature }
  }

  /** Pays the last code, as a user who scans it does, and calls the server back. */
  pay(server: string): Promise<number> {
    this.last.state = 'SUCCESS'
    return this.callBack(server, this.platform.privateKey)
  }

  /** Sends a callback that the last code was paid, with a signature that is not WeChat Pay's. */
  forge(server: string): Promise<number> {
    return this.callBack(server, this.own.privateKey)
  }

  private async callBack(server: string, key: KeyObject): Promise<number> {
    const nonce = randomUUID().slice(0, 12)
    const cipher = createCipheriv('aes-256-gcm', apiKey, nonce).setAAD(Buffer.from('transaction'))
    const sealed = Buffer.concat([cipher.update(JSON.stringify({ ...this.transaction(this.last), trade_state: 'SUCCESS' })), cipher.final(), cipher.getAuthTag()])
    const body = JSON.stringify({
      id: randomUUID(),
      create_time: new Date().toISOString(),
      event_type: 'TRANSACTION.SUCCESS',
      resource_type: 'encrypt-resource',
      summary: 'paid',
      resource: { original_type: 'transaction', algorithm: 'AEAD_AES_256_GCM', nonce, associated_data: 'transaction', ciphertext: sealed.toString('base64') },
    })
    const response = await fetch(`${server}/api/v1/webhooks/wechat`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...this.signed(body, key) }, body })
    return response.status
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections()
    this.server?.close()
    if (this.server) await once(this.server, 'close')
  }
}
