// The lobby over Socket.IO: npm install socket.io-client, node node-socketio.mjs
import { io } from 'socket.io-client'

const server = process.env.WENZHEN_URL ?? 'http://localhost:8080'

const lobby = io(`${server}/lobby`, { auth: { nickname: 'socket' } })
lobby.on('lobby:welcome', ({ text, nickname, count }) => console.log(`* ${text} You are ${nickname}, one of ${count}.`))
lobby.on('lobby:said', ({ nickname, text }) => console.log(`${nickname}: ${text}`))
lobby.on('connect_error', (error) => console.error(error.data ?? error.message))

const ack = await lobby.timeout(10_000).emitWithAck('lobby:say', { text: 'hello from socket.io' })
console.log(ack.ok ? `said at ${ack.data.at}` : ack.error) // { code, message, field?, retryable }
lobby.disconnect()
