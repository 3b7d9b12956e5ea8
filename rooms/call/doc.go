// Package call is voice and video calls in a consultation: who rings whom, who
// answered, who is in, how it ended. The server owns this state; media never
// passes it.
//
//	ringing ─▶ active ─▶ ended
//	   └▶ declined, missed, busy     └▶ failed
//
// A call rings every device of the other participants. The devices connect
// with each other directly, each with each (a mesh of at most four), and tell
// each other how through call:signal, which goes from member to member and is
// kept nowhere. Everything else is an event in the consultation's room, so
// that a device that was away, or a server that was restarted, finds the call
// as it is. What a call waits for is one row of timers.
package call
