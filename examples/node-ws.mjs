// The lobby over a bare WebSocket: npm install ws, node node-ws.mjs
import WebSocket from 'ws'

const server = process.env.WENZHEN_URL ?? 'http://localhost:8080'
const mine = `hello from ws ${process.pid}`

const chat = new WebSocket(`${server.replace('http', 'ws')}/chat?nickname=ws`)
chat.on('message', (data) => {
  const line = data.toString()
  console.log(line)
  if (line.endsWith(mine)) chat.close() // it has been delivered
})
chat.on('open', () => chat.send(mine))
chat.on('close', (code, reason) => console.log('closed', code, reason.toString()))
