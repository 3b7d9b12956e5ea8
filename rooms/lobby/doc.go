// Package lobby is the chat hall: one room in which anyone talks to everyone,
// under a nickname, as in the classic examples of Socket.IO and WebSocket.
//
// The welcome has the last fifty lines, which survive a restart. From then on a
// visitor receives every line, without a gap and in the same order as all
// others: lines and welcomes are sent in the order of their transactions. With
// several nodes that holds on all of them, and visitors are counted over all
// nodes; nicknames are unique on each node only.
//
// Nothing in a line is ever interpreted. Lines are one line long: what could
// break out of one (control characters, changes of writing direction) is
// taken out.
package lobby
