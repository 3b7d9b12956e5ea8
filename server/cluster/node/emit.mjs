// Emits into a room of Wenzhen with the official emitter, until its input ends.
import { Emitter } from '@socket.io/redis-emitter'
import { createClient } from 'redis'

const [url, namespace, room] = process.argv.slice(2)
const redis = createClient({ url })
await redis.connect()
const emitter = new Emitter(redis).of(namespace)
emitter.to(room).emit('report:ready', { name: '血常规', when: new Date('2026-11-21T08:00:00Z'), none: undefined, big: 2 ** 40 })
console.log('emitted')
process.stdin.resume().on('end', () => process.exit(0))
