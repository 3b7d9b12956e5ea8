// Connects socket.io-client with every option and sends every form of events. The
// arguments are the package.json of a folder that has it installed, and the URL of
// a server with the fixture at /socket.io and at /clinic/realtime.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const [, , from, url] = process.argv
const require = createRequire(from)
const { io } = require('socket.io-client')

const transportOf = (socket) => socket.io.engine.transport.name
const connected = (socket) =>
  new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })
const within = 30_000

/** Connects, and sends the events that must work with all options. */
async function talks(options, namespace = '/') {
  const socket = io(url + namespace, { forceNew: true, reconnection: false, ...options })
  await connected(socket)
  assert.deepEqual(await socket.timeout(within).emitWithAck('message-with-ack', 1, 'two', { three: [3] }), 1)
  const all = await new Promise((resolve) => socket.emit('message-with-ack', 1, 'two', { three: [3] }, (...args) => resolve(args)))
  assert.deepEqual(all, [1, 'two', { three: [3] }])
  const bytes = Buffer.from([0, 1, 2, 255])
  const binary = await socket.timeout(within).emitWithAck('message-with-ack', bytes, { text: 'beside' })
  assert.deepEqual(Buffer.from(binary), bytes)
  const back = new Promise((resolve) => socket.once('message-back', (...args) => resolve(args)))
  socket.emit('message', 'hello', bytes)
  const [text, same] = await back
  assert.equal(text, 'hello')
  assert.deepEqual(Buffer.from(same), bytes)
  return socket
}

const shapes = {
  async 'websocket only'() {
    const socket = await talks({ transports: ['websocket'] })
    assert.equal(transportOf(socket), 'websocket')
    return [socket]
  },
  async 'polling only'() {
    const socket = await talks({ transports: ['polling'] })
    assert.equal(transportOf(socket), 'polling')
    return [socket]
  },
  async 'polling, then upgrade'() {
    const socket = io(url, { forceNew: true, transports: ['polling', 'websocket'] })
    const upgraded = new Promise((resolve) => socket.io.once('open', () => socket.io.engine.once('upgrade', resolve)))
    await connected(socket)
    // Events that are sent during the upgrade are answered once and in order.
    const answers = []
    for (let i = 0; i < 50; i++) answers.push(socket.timeout(within).emitWithAck('message-with-ack', i))
    await upgraded
    assert.deepEqual(await Promise.all(answers), [...Array(50).keys()])
    assert.equal(transportOf(socket), 'websocket')
    return [socket]
  },
  async 'several namespaces on one connection'() {
    const options = { transports: ['websocket'] }
    const main = io(url, options)
    const custom = io(`${url}/custom`, options)
    await Promise.all([connected(main), connected(custom)])
    assert.equal(main.io, custom.io)
    assert.notEqual(main.id, custom.id)
    return [main, custom]
  },
  async forceNew() {
    const one = await talks({})
    const two = await talks({})
    assert.notEqual(one.io, two.io)
    return [one, two]
  },
  async 'a path of its own'() {
    return [await talks({ path: '/clinic/realtime' }), await talks({ path: '/clinic/realtime/', transports: ['polling'] })]
  },
  async 'auth as a function'() {
    const socket = io(`${url}/custom`, { forceNew: true, auth: (give) => give({ token: 'abc' }) })
    assert.deepEqual(await new Promise((resolve) => socket.once('auth', resolve)), { token: 'abc' })
    return [socket]
  },
  async 'timeout().emitWithAck that is not answered'() {
    const socket = await talks({})
    await assert.rejects(socket.timeout(50).emitWithAck('nobody-answers-this'))
    return [socket]
  },
  async 'a namespace that does not exist'() {
    const socket = io(`${url}/nowhere`, { forceNew: true, reconnection: false })
    await assert.rejects(connected(socket), { message: 'Invalid namespace' })
    return [socket]
  },
  async 'disconnect and connect again'() {
    const socket = await talks({})
    const before = socket.id
    socket.disconnect().connect()
    await connected(socket)
    assert.notEqual(socket.id, before)
    assert.equal(await socket.timeout(within).emitWithAck('message-with-ack', 'again'), 'again')
    return [socket]
  },
}

for (const [name, shape] of Object.entries(shapes)) {
  const sockets = await shape()
  for (const socket of sockets) socket.disconnect()
  console.log('ok', name)
}
