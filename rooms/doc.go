// Package rooms is the vocabulary of Wenzhen and its one mechanism: the
// durable room.
//
// A room is a log with live listeners. A command asks for a change; the
// feature that owns it judges it and writes, in one transaction, both the
// change and the event that announces it. Every event takes the next gapless
// seq of its room. After the commit the command is answered and the Hub delivers
// the event to the room's listeners, in seq order; either may come first:
//
//	command ─▶ Catalogue.Answer ─▶ feature service ─▶ store (row + event, one transaction)
//	                                                       │ commit
//	                 listeners ◀─ Hub.Publish ◀────────────┤
//	                    answer ◀───────────────────────────┘
//
// What was answered is on disk; what was announced is true. A listener that
// was away asks for the events after the last seq that it saw.
//
// Signals (typing, presence) pass the same judgement about who may speak,
// skip the log and carry no seq.
//
// The package imports the standard library, and the decoder that is to become
// encoding/json/v2. The packages around it and the way of a message, function by
// function, are in docs/architecture.md.
package rooms
