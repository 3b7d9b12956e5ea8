package call

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// Store is what calls need remembered. A thing that is not there is an
// *rooms.Error of code not_found.
type Store interface {
	rooms.Transactions[Tx]
	// In is the transaction of another feature as one of this.
	In(tx rooms.Tx) Tx

	Call(ctx context.Context, id ID) (Call, error)
	// LiveCalls are those of the consultations that user takes part in.
	LiveCalls(ctx context.Context, user rooms.UserID) ([]Call, error)
	Participant(ctx context.Context, id consultation.ID, user rooms.UserID) (consultation.Participant, error)
}

// Tx is a transaction over calls and the consultations that they happen in.
type Tx interface {
	consultation.Tx
	Speaker(id consultation.ID, user rooms.UserID) (consultation.Speaker, error)
	Call(id ID) (Call, error)
	// LiveCall is the one of a consultation.
	LiveCall(id consultation.ID) (Call, error)
	// SessionLives reports whether a login has not been ended.
	SessionLives(id rooms.SessionID) (bool, error)
	// Engaged reports whether user is in a live call other than id.
	Engaged(user rooms.UserID, id ID) (bool, error)
	// SaveCall writes the call with its members, new or changed.
	SaveCall(Call) error
	// SawMember notes that a member was seen.
	SawMember(id ID, user rooms.UserID, at time.Time) error
}

// Relay knows the servers over which media finds its way.
type Relay interface {
	// Servers are those for a call, with credentials that the actor's session
	// may use from now on for the TTL; without a call, those that need none.
	Servers(actor rooms.Actor, call ID, now time.Time) ICEServers
}
