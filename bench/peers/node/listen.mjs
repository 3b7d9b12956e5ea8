import { createServer } from "node:http";

// listen starts an HTTP server on a free port of this machine and prints its address,
// for which bench waits.
export function listen(handler) {
  const http = createServer(handler ?? ((_, response) => response.writeHead(404).end()));
  http.listen(0, "127.0.0.1", 4096, () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
  process.on("SIGTERM", () => process.exit(0));
  return http;
}
