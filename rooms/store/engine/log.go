package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"wenzhen.example/rooms"
)

// ClientHash stands for the sender and the clientId of a message: with its room
// they name it. What it finds is compared with both.
func ClientHash(sender rooms.UserID, clientID string) int64 {
	sum := sha256.Sum256([]byte(string(sender) + "\x00" + clientID))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// NotificationCursor is the cursor of how far notifications have read the log.
const NotificationCursor = "notifications"

// RoomNum is an expression for the number of the room whose id is an expression,
// NULL if it has none.
func RoomNum(id string) string { return `(SELECT num FROM log_rooms WHERE id = ` + id + `)` }

// PersonNum is the same of a user. Of one who has none it is -1, which is nobody's.
func PersonNum(id string) string {
	return `coalesce((SELECT num FROM log_people WHERE id = ` + id + `), -1)`
}

const (
	// EventsFrom is the log as l with its rooms r and those who acted a.
	EventsFrom = ` FROM log l JOIN log_rooms r ON r.num = l.room JOIN log_people a ON a.num = l.actor `
	// EventColumns are those of an event, for ScanEvent.
	EventColumns = `r.id, l.seq, l.id, l.name, l.at, a.id, l.data`
)

// ScanEvent scans EventColumns, after destinations of columns before them.
func ScanEvent(s Scanner, e *rooms.Event, before ...any) error {
	return s.Scan(append(before, &e.Room, &e.Seq, &e.ID, &e.Name, (*At)(&e.At), &e.ActorID, EventData(e))...)
}

// messagesOf selects the positions of the messages of the consultation $1.
const messagesOf = `SELECT l.pos FROM log_rooms r JOIN log l ON l.room = r.num WHERE r.id = 'consultation:' || $1 AND l.message IS NOT NULL`

// EventsAfter lists the events of a room past a seq, and the seq of the latest.
func EventsAfter(ctx context.Context, q Querier, room rooms.RoomID, after rooms.Seq, limit int) ([]rooms.Event, rooms.Seq, error) {
	// The last seq is read first: events that come in between are then in the
	// list or after it, never counted and missing.
	last, err := LastSeq(ctx, q, room)
	if err != nil || limit == 0 {
		return nil, last, err
	}
	list, err := Collect(ctx, q, func(row Scanner) (e rooms.Event, err error) { return e, ScanEvent(row, &e) },
		`SELECT `+EventColumns+EventsFrom+`WHERE r.id = $1 AND l.seq > $2 ORDER BY l.seq LIMIT $3`, room, after, limit)
	if err != nil {
		return nil, 0, err
	}
	if list == nil {
		list = []rooms.Event{}
	}
	if n := len(list); n > 0 {
		last = max(last, list[n-1].Seq)
	}
	return list, last, nil
}
