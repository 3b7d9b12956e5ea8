// Package cluster joins the nodes of Wenzhen, and other programs that speak
// Socket.IO, over Redis.
//
// Nothing that must not be lost goes this way. Events are announced by every
// node from the log in the database (rooms/store); what goes over Redis is what
// is worth nothing late: signals such as typing, who is present, how much of
// its rate limit a user has used up. While Redis is away commands go on, events
// arrive, and each node signals to its own.
//
// # With Socket.IO programs
//
// Signals travel as packets of @socket.io/redis-adapter 8, so that a program on
// Node.js with that adapter, or with @socket.io/redis-emitter, can emit into our
// rooms, ask who is in them (fetchSockets), move and disconnect sockets, and
// reach other servers (serverSideEmit; we answer "node:describe"). Channels, with
// the namespace NS and a room when there is exactly one:
//
//	socket.io#NS#ROOM#         msgpack [sender, {type, data, nsp}, {rooms, except, flags}]
//	socket.io-request#NS#      JSON, or msgpack, {type, requestId, uid, …}
//	socket.io-response#NS#     JSON {requestId, …}
//
// A broadcast that asks clients for acknowledgements is answered with no
// clients: our edge asks clients for none.
//
// # Between nodes
//
// On wenzhen#nodes each node says every second that it lives, tells changes of
// presence and of used-up limits, and everything it knows to a node that is new
// or has missed something. A node that is silent for nodeLost is forgotten, and
// with it those who were present on it.
package cluster
