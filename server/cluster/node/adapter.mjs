// A Socket.IO server with the official Redis adapter, beside Wenzhen's nodes.
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAdapter } from '@socket.io/redis-adapter'
import { createClient } from 'redis'
import { Server } from 'socket.io'

const [url, namespace, room] = process.argv.slice(2)
const pub = createClient({ url })
const sub = pub.duplicate()
await Promise.all([pub.connect(), sub.connect()])
const io = new Server(createServer(), { adapter: createAdapter(pub, sub, { requestsTimeout: 60_000 }) })
const ns = io.of(namespace)
// The adapter does not report when it has subscribed; before, it gets no answers.
while ((await pub.pubSubNumSub(`socket.io-request#${namespace}#`))[`socket.io-request#${namespace}#`] < 3) await sleep(20)

const fetched = await ns.in(room).fetchSockets()
console.log(`fetched ${fetched.length} of ${fetched[0].data.userId}`)
const nodes = await ns.serverSideEmitWithAck('node:describe')
console.log(`nodes ${new Set(nodes.map((n) => n.node)).size}`)

// These requests have no answer; the next request on the same channel is handled after them.
ns.in(room).socketsJoin('moved')
console.log(`joined ${(await ns.in('moved').fetchSockets()).length}`)
ns.to('moved').except('another').emit('hello:all', 'moved')
ns.in(room).socketsLeave('moved')
console.log(`left ${(await ns.in('moved').fetchSockets()).length}`)
const acks = await ns.in(room).timeout(60_000).emitWithAck('hello:ack').catch((e) => e.responses)
console.log(`acked ${acks.length}`)
ns.in(room).disconnectSockets(true)
console.log('done')
process.stdin.resume().on('end', () => process.exit(0))
