// Package load generates load on a server and counts exactly what is delivered.
//
// A scenario opens connections and performs one operation at a fixed rate or as fast
// as answers allow, within limits of time and number. All messages are numbered, so
// that losses, duplicates and reordering are counted, not estimated. Latency at a
// fixed rate is measured from the time when a message was due, not from when it was
// sent, so that the time in which a stalled server prevents sending is included.
//
// Times depend on the machine. The server's own CPU time for an operation,
// which Options.PID makes Run read from /proc, is the steadiest figure.
//
// # Which server
//
// idle, connect, durable, resume and whole run against Wenzhen; they register
// the accounts that they need and log in as an admin to verify their doctors.
// pair, fan and echo, and idle and connect with Options.Bare, run against the
// servers in bench/peers, which have these events (Socket.IO, namespace "/"):
//
//	join {room}            joins a room and acknowledges
//	say  {room, …}         sends "said" with the same object to the room, and acknowledges
//	echo data              acknowledges with data, which may be binary
package load
