import { deflateSync } from 'node:zlib'

/** A PNG with a gradient, made here so that no binary file has to be kept. */
export function picture(width = 480, height = 320): Buffer {
  return png(width, height, (x, y) => {
    const inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2
    return [inside ? 200 : 235 - Math.round((40 * y) / height), inside ? 90 : 205, inside ? 80 : 180 + Math.round((40 * x) / width)]
  })
}

/** What looks like an X-ray of a chest: lungs, ribs and a spine. */
export function xray(): Buffer {
  return png(800, 900, (px, py) => {
    const [x, y] = [px / 400 - 1, py / 450 - 1]
    const body = Math.max(0, 1 - (x / 0.95) ** 2 - (y / 1.25) ** 4)
    const lungs = Math.max(0, 1 - ((Math.abs(x) - 0.45) / 0.34) ** 2 - ((y + 0.05) / 0.72) ** 2)
    const ribs = Math.max(0, Math.cos(19 * (y + 0.5 * x * x))) ** 6 * body
    const spine = Math.max(0, 1 - (x / 0.1) ** 2)
    const light = Math.min(235, 20 + 150 * body - 120 * Math.sqrt(lungs) + 55 * ribs + 60 * spine)
    return [light, light, Math.min(255, light * 1.06)]
  })
}

function png(width: number, height: number, paint: (x: number, y: number) => [number, number, number]): Buffer {
  const rows = Buffer.alloc((width * 3 + 1) * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rows.set(paint(x, y).map(Math.round), y * (width * 3 + 1) + 1 + x * 3)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc(body), body.length + 4)
  return out
}

function crc(data: Buffer): number {
  let c = 0xffffffff
  for (const byte of data) {
    c ^= byte
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  }
  return (c ^ 0xffffffff) >>> 0
}
