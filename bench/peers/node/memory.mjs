// Socket.IO in memory: rooms, broadcasts and echoes, as its documentation
// shows them. WS_NO_BUFFER_UTIL=1 leaves the native addon out.
import { Server } from "socket.io";
import { listen } from "./listen.mjs";

const http = listen((request, response) => {
  if (request.url.startsWith("/stats")) {
    globalThis.gc?.();
    return response.end("{}");
  }
  response.writeHead(404).end();
});
const io = new Server(http, { transports: ["polling", "websocket"], serveClient: false });

io.on("connection", (socket) => {
  socket.on("join", ({ room }, acknowledge) => {
    socket.join(room);
    acknowledge(true);
  });
  socket.on("say", (message, acknowledge) => {
    io.to(message.room).emit("said", message);
    acknowledge(true);
  });
  socket.on("echo", (data, acknowledge) => acknowledge(data));
});
