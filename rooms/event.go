package rooms

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// EventType declares a type of event: its name on the wire and the type of its
// data, which is always the whole object after the change.
type EventType[D any] struct {
	Name string // noun:past
	Doc  string
	// Namespace is where devices in further rooms receive it; Consultations when
	// empty.
	Namespace string
}

// Event is one event as the log keeps it and as clients get it.
type Event struct {
	Room RoomID `json:"room"`
	Seq  Seq    `json:"seq"`
	ID   string `json:"id"`
	Name string `json:"name"`
	// At is in UTC, to the microsecond.
	At time.Time `json:"at"`
	// ActorID is empty when Wenzhen itself acted (a timer).
	ActorID UserID          `json:"actorId"`
	Data    json.RawMessage `json:"data"`
	// Namespace is that of the EventType; the log does not keep it.
	Namespace string `json:"-"`
}

// wire is the event as JSON. Every event is encoded here once. Its content
// needs no validation: names, ids, and data that has been encoded before.
func (e Event) wire() json.RawMessage {
	b := make([]byte, 0, len(e.Room)+len(e.ID)+len(e.Name)+len(e.ActorID)+len(e.Data)+128)
	b = appendString(append(b, `{"room":`...), string(e.Room))
	b = strconv.AppendInt(append(b, `,"seq":`...), int64(e.Seq), 10)
	b = appendString(append(b, `,"id":`...), e.ID)
	b = appendString(append(b, `,"name":`...), e.Name)
	b = e.At.AppendFormat(append(b, `,"at":"`...), time.RFC3339Nano)
	b = appendString(append(b, `","actorId":`...), string(e.ActorID))
	b = append(b, `,"data":`...)
	if e.Data == nil {
		b = append(b, "null"...)
	}
	return append(append(b, e.Data...), '}')
}

// appendString writes a JSON string.
func appendString(b []byte, s string) []byte {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // a string always encodes
			return append(b, quoted...)
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}

// Tx is a transaction of the store as the log sees it. A Tx is used by one
// goroutine, inside the function that it was given to, and never after.
type Tx interface {
	// Next takes the next seq of room for something that happens at a time.
	// Until the transaction ends nobody else can.
	Next(room RoomID, at time.Time) (Seq, error)
	// Append writes e, whose Seq came from Next, and publishes it to e.Room
	// and the rooms in also once the transaction has committed.
	Append(e Event, also ...RoomID) error
	// Signal sends s once the transaction has committed, after its events; the
	// end of a session is sent before them.
	Signal(s Signal)
	// Lost reports that user has no access to room any more. The next event
	// that the transaction appends to room carries it to all nodes
	// (Publication.Lost); a transaction that appends none fails.
	Lost(room RoomID, user UserID)
	// SetTimer plants t, or moves it if one of its kind and subject is there.
	SetTimer(t Timer) error
	// ClearTimer removes a timer; none there is no error.
	ClearTimer(kind, subject string) error
}

// Record writes the event into room as part of tx. The data is built with the
// event's seq at hand, as a message carries its own; the same data is returned.
func (e EventType[D]) Record(tx Tx, room RoomID, actor Actor, at time.Time, also []RoomID, build func(Seq) (D, error)) (D, error) {
	var zero D
	seq, err := tx.Next(room, at)
	if err != nil {
		return zero, err
	}
	d, err := build(seq)
	if err != nil {
		return zero, err
	}
	data, err := json.Marshal(d)
	if err != nil {
		return zero, fmt.Errorf("encode %s: %w", e.Name, err)
	}
	return d, tx.Append(Event{Room: room, Seq: seq, ID: NewID(at), Name: e.Name, At: at, ActorID: actor.UserID, Data: data, Namespace: e.Namespace}, also...)
}

// SignalType declares a type of signal: a message to the current subscribers of
// a room that is not stored.
type SignalType[D any] struct {
	Name string
	Doc  string
	// Namespace is where it is sent; Consultations when empty.
	Namespace string
}

// Send sends a signal to room now. If the hub's queue is full it is dropped: a
// late signal has no use.
func (s SignalType[D]) Send(hub *Hub, room RoomID, d D) { hub.Signal(s.signal(room, d)) }

// SendHere is Send to the subscribers on this node only.
func (s SignalType[D]) SendHere(hub *Hub, room RoomID, d D) { hub.SignalHere(s.signal(room, d)) }

// After sends a signal to room once tx has committed. Unlike Send it is never
// dropped here.
func (s SignalType[D]) After(tx Tx, room RoomID, d D) { tx.Signal(s.signal(room, d)) }

// AfterAndSubscribe is After, and subscribes every receiver to the room into.
// Signals are delivered in the order of commits, so nothing is sent to into
// between the state in d and that moment.
func (s SignalType[D]) AfterAndSubscribe(tx Tx, room RoomID, d D, into RoomID) {
	sent := s.signal(room, d)
	sent.Into = into
	tx.Signal(sent)
}

func (s SignalType[D]) signal(room RoomID, d D) Signal {
	data, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("rooms: %s cannot be encoded: %v", s.Name, err)) // a type that never encodes is a mistake in the program
	}
	return Signal{Room: room, Name: s.Name, Data: data, Namespace: s.Namespace}
}

// Signal is a signal as the hub and the listeners receive it.
type Signal struct {
	Room      RoomID
	Name      string
	Data      json.RawMessage
	Namespace string
	// Into is a room that the receivers are subscribed to; none if empty.
	Into RoomID
}

// EndsSession reports whether s is the end of the session whose room it is for:
// nothing else is signalled there.
func (s Signal) EndsSession() bool { return s.Room.Kind() == "session" }
