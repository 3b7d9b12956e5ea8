// Socket.IO in memory: rooms, broadcasts and echoes, as in its documentation.
// WS_NO_BUFFER_UTIL=1 disables the native addon.
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
