import { createSign, type KeyPairKeyObjectResult } from 'node:crypto'

/** DER (ITU-T X.690): tag, length, content. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const oid = (...bytes: number[]) => der(0x06, Buffer.from(bytes))
const utcTime = (at: Date) => der(0x17, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))

const sha256WithRSA = sequence(oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b), der(0x05))
const name = sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from('gateway.example')))))

/** A certificate (RFC 5280) that an RSA key pair has signed for itself, good for a year, as PEM. The serial number is below 128. */
export function certificate(pair: KeyPairKeyObjectResult, serial: number): string {
  const day = 86_400_000
  const validity = sequence(utcTime(new Date(Date.now() - day)), utcTime(new Date(Date.now() + 365 * day)))
  const version = der(0xa0, der(0x02, Buffer.from([2])))
  const key = pair.publicKey.export({ type: 'spki', format: 'der' })
  const body = sequence(version, der(0x02, Buffer.from([serial])), sha256WithRSA, name, validity, name, key)
  const signature = createSign('RSA-SHA256').update(body).sign(pair.privateKey)
  const whole = sequence(body, sha256WithRSA, der(0x03, Buffer.from([0]), signature))
  return `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}
