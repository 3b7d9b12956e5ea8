// Package edge is the transport for clients: Socket.IO 5 over Engine.IO 4, on
// WebSocket and on HTTP long-polling. Everything whose size depends on a client
// has a limit.
//
// It is the only package that imports github.com/zishang520/socket.io, and
// its API has no types of that library. The library joins clients to namespaces
// and assigns their ids; sessions, transports, the parser, rooms and every write
// are our own, because in the library two characters from a client crash the
// process, broadcasts are lost and events reordered (the table is in
// defects_test.go).
//
// # Incoming packets
//
//	GET  Upgrade ─▶ upgrade.go ── hijack ─▶ ws_read.go      one goroutine for each
//	                                        frame_reader.go WebSocket, no buffer
//	                                            │           while it is idle
//	POST polling ─▶ http.go ─▶ poll_requests.go │
//	                           payload.go       │
//	                                └────┬──────┘
//	                                     ▼
//	                                session.go    handleMu: one message at a time,
//	                                     │        in order of arrival
//	       PONG, CLOSE ◀─ heartbeat.go ◀─┤
//	                                     ▼
//	                                client.go     packet.go, args.go: validated,
//	                                     │        arguments stay raw JSON
//	         ┌───────────────────────────┼──────────────────────┐
//	         ▼ CONNECT                   ▼ EVENT                ▼ DISCONNECT
//	    library_link.go            Handler.Event           Handler.Disconnect
//	    the library's middleware   (in this goroutine:      library_link.go
//	         ▼                      backpressure)
//	    socket_life.go ─▶ Handler.Connect (in a separate goroutine)
//
// # Outgoing packets
//
//	Socket.Emit ─┐
//	Ack.Reply   ─┼▶ encode.go ─▶ frame.go: framed once ─▶ session.send
//	Broadcast   ─┘   (rooms.go: receivers)                  │
//	                                 ┌──────────────────────┴───┐
//	                                 ▼ WebSocket                ▼ polling
//	                            ws_conn.go                 polling.go
//	                            written at once without    queued for the next GET
//	                            blocking; what the kernel
//	                            doesn't accept is queued,
//	                            and a writer runs until
//	                            the queue is empty
//
// A frame is shared by all its receivers and never copied. A connection whose
// queue exceeds Config.SendQueue is closed.
//
// # Locks
//
// session.handleMu is held while a message is handled and while the handlers are
// notified of the end of the session; session.mu guards sending and state and
// is held briefly, never while a handler runs. Socket.mu comes before the lock
// of a room's shard. handleMu is never acquired while another lock is held.
//
// # Not supported
//
// permessage-deflate is never negotiated, and a compressed frame is a
// protocol error: decompression bombs are impossible, and a frame is encoded
// once for all receivers. JSONP, Engine.IO 3, WebTransport and connection state
// recovery aren't offered; the layers above this package make rooms durable.
// JSON that is nested deeper than 10,000 ends the connection. The server never
// requests acknowledgements. A session id is a secret of 144 random bits
// and isn't bound to an address: phones change theirs while they poll.
package edge
