// Package edge is where clients come in: Socket.IO 5 over Engine.IO 4, on
// WebSocket and on HTTP long-polling, with bounds on everything that a client
// can make grow.
//
// It is the only package that imports github.com/zishang520/socket.io, and
// nothing of that library shows in its API. The library joins clients to
// namespaces and keeps their ids; sessions, transports, the parser, rooms and
// every write are our own, because the library's can be killed by two
// characters, lose broadcasts and reorder events (defects_test.go has the
// table).
//
// # How a packet comes in
//
//	GET  Upgrade ─▶ upgrade.go ── hijack ─▶ ws_read.go      one goroutine for each
//	                                        frame_reader.go WebSocket, no buffer
//	                                            │           while it is idle
//	POST polling ─▶ http.go ─▶ poll_requests.go │
//	                           payload.go       │
//	                                └────┬──────┘
//	                                     ▼
//	                                session.go    the lane: one message at a time,
//	                                     │        in order of arrival
//	       PONG, CLOSE ◀─ heartbeat.go ◀─┤
//	                                     ▼
//	                                client.go     packet.go, args.go: checked,
//	                                     │        arguments stay raw JSON
//	         ┌───────────────────────────┼──────────────────────┐
//	         ▼ CONNECT                   ▼ EVENT                ▼ DISCONNECT
//	    library_link.go            Handler.Event           Handler.Disconnect
//	    the library's middleware   (in this goroutine:      library_link.go
//	         ▼                      back-pressure)
//	    socket_life.go ─▶ Handler.Connect (in a goroutine of its own)
//
// # How a packet goes out
//
//	Socket.Emit ─┐
//	Ack.Reply   ─┼▶ encode.go ─▶ frame.go: framed once ─▶ session.send
//	Broadcast   ─┘   (rooms.go: to whom)                    │
//	                                 ┌──────────────────────┴───┐
//	                                 ▼ WebSocket                ▼ polling
//	                            ws_conn.go                 polling.go
//	                            written at once without    waits for the next GET
//	                            waiting; what the kernel
//	                            doesn't take is queued,
//	                            and a writer runs until
//	                            the queue is empty
//
// A frame is shared by everyone it goes to and never copied. A queue that
// outgrows Config.SendQueue ends its connection.
//
// # Locks
//
// session.lane is held while a message is handled and while the handlers are
// notified of the end of the session; session.mu guards sending and state and
// is held briefly, never while a handler runs. Socket.mu comes before the lock
// of a room's shard. Nothing waits for the lane while holding another lock.
//
// # What is left out
//
// permessage-deflate is never negotiated, and a compressed frame is a
// protocol error: no bomb can be sent, and a frame costs the same for every
// receiver. JSONP, Engine.IO 3, WebTransport and connection state recovery
// aren't offered; rooms are durable above this package. JSON that is nested
// deeper than 10,000 ends the connection. A server doesn't ask
// clients for acknowledgements. A session id is a secret of 144 random bits
// and isn't bound to an address: phones change theirs while they poll.
package edge
