// Package lobby is the chat hall: one room in which anyone talks to everyone,
// under a nickname, as in the classic examples of Socket.IO and WebSocket.
//
// Whoever enters is welcomed with the last fifty lines, which survive a
// restart, and hears everything that is said from then on, without a gap and
// in the same order as everybody else: lines and welcomes are told in the
// order of their transactions. With several nodes that is so on all of them,
// and all visitors are counted; nicknames are told apart on each node alone.
//
// Nothing in a line is ever interpreted. Lines are one line long: what could
// break out of one (control characters, changes of writing direction) is
// taken out.
package lobby
