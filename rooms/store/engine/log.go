package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"wenzhen/rooms"
)

// ClientHash stands for the sender and the clientId of a message: with its room
// they name it. What it finds is compared with both.
func ClientHash(sender rooms.UserID, clientID string) int64 {
	sum := sha256.Sum256([]byte(string(sender) + "\x00" + clientID))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// NotificationCursor is the cursor of how far notifications have followed the log.
const NotificationCursor = "notifications"

// EventsAfter lists the events of a room past a seq, and the seq of the latest.
func EventsAfter(ctx context.Context, q Querier, room rooms.RoomID, after rooms.Seq, limit int) ([]rooms.Event, rooms.Seq, error) {
	// The last seq is read first: events that come in between are then in the
	// list or after it, never counted and missing.
	last, err := LastSeq(ctx, q, room)
	if err != nil || limit == 0 {
		return nil, last, err
	}
	list, err := Collect(ctx, q, func(row Scanner) (rooms.Event, error) {
		e := rooms.Event{Room: room}
		err := row.Scan(&e.Seq, &e.ID, &e.Name, (*At)(&e.At), &e.ActorID, EventData(&e))
		return e, err
	}, `SELECT seq, id, name, at, actor_id, data FROM events WHERE room = $1 AND seq > $2 ORDER BY seq LIMIT $3`, room, after, limit)
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
