package rooms

import "strings"

// RoomID names a room: "consultation:<id>", "user:<id>", "doctor:<id>" (its
// public schedule) or "lobby".
type RoomID string

// Seq is an event's place in its room: 1, 2, 3 … without a gap. 0 is before
// the first.
type Seq int64

// UserRoom is the room that all devices of a user listen to.
func UserRoom(id UserID) RoomID { return RoomID("user:" + string(id)) }

// View is who looks at room right now. It has presence only, which all nodes
// share.
func View(room RoomID) RoomID { return "view:" + room }

// SessionRoom is the room of one login; it has signals only.
func SessionRoom(id SessionID) RoomID { return RoomID("session:" + string(id)) }

// Kind is the part before the colon: "consultation", "user" …
func (r RoomID) Kind() string {
	kind, _, _ := strings.Cut(string(r), ":")
	return kind
}

// Subject is the part after the colon: the id of the thing whose room it is.
func (r RoomID) Subject() string {
	_, subject, _ := strings.Cut(string(r), ":")
	return subject
}
