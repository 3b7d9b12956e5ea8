// Package load puts a server under load and counts exactly what comes back.
//
// A scenario opens connections, does one thing at a fixed rate or as fast as
// answers allow, and is bounded in time and number. Everything that is sent
// carries a number, so that a loss, a duplicate and a wrong order are counted,
// not estimated. Latency at a fixed rate is counted from when a message was
// due, not from when the generator got round to it: a server that stalls is
// not let off for what could not be sent meanwhile.
//
// Times depend on the machine. The server's own CPU time for an operation,
// which Options.PID makes Run read from /proc, is the steadiest figure.
//
// # Which server
//
// idle, connect, durable, resume and whole run against Wenzhen; they register
// the accounts that they need and log in as an admin to verify their doctors.
// pair, fan and echo, and idle and connect with Options.Bare, run against the
// servers in bench/peers, which speak (Socket.IO, namespace "/"):
//
//	join {room}            joins a room and acknowledges
//	say  {room, …}         sends "said" with the same object to all in the room, and acknowledges
//	echo data              acknowledges with data, which may be binary
package load
