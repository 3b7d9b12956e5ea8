// Package cluster connects the nodes of Wenzhen, and other programs that use
// Socket.IO, over Redis.
//
// Redis carries only what may be lost and is useless when late: signals such as
// typing, presence, and how much of its rate limits a user has used. Events do
// not go over Redis: every node publishes them from the log in the database
// (rooms/store). While Redis is unavailable, commands run, events are published,
// and signals reach the clients of their own node.
//
// # With Socket.IO programs
//
// Signals are packets of @socket.io/redis-adapter 8, so that a Node.js program
// with that adapter, or with @socket.io/redis-emitter, can emit to our rooms,
// list their sockets (fetchSockets), move and disconnect sockets, and send events
// to servers (serverSideEmit; "node:describe" is answered). Channels, with the
// namespace NS, and the room if there is exactly one:
//
//	socket.io#NS#ROOM#         msgpack [sender, {type, data, nsp}, {rooms, except, flags}]
//	socket.io-request#NS#      JSON, or msgpack, {type, requestId, uid, …}
//	socket.io-response#NS#     JSON {requestId, …}
//
// A broadcast with acknowledgements is answered with a count of 0 clients: our
// edge requests no acknowledgements from clients.
//
// # Between nodes
//
// On wenzhen#nodes each node publishes a heartbeat every second, changes of
// presence, and what users have used of their rate limits. It sends its complete
// presence to a node that is new or has missed a change. A node whose heartbeats
// have been missing for nodeLost is removed, together with the presence on it.
package cluster
