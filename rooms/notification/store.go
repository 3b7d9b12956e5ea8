package notification

import (
	"context"
	"encoding/json"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// Store is what notifications need remembered. A thing that is not there is an
// *rooms.Error of code not_found.
type Store interface {
	rooms.Transactions[Tx]

	// PassOver notes that something is passed over, because it cannot be read.
	PassOver(what string, err error)

	User(ctx context.Context, id rooms.UserID) (account.User, error)
	Notifications(ctx context.Context, q Query) ([]Notification, error)
	// Unread is how many notifications of a user are unread, and the last seq
	// of the user's room, both as of one moment.
	Unread(ctx context.Context, user rooms.UserID) (int, rooms.Seq, error)
	Preferences(ctx context.Context, user rooms.UserID) (Preferences, error)

	// Alone runs work unless another node does so under the same name.
	Alone(ctx context.Context, name string, work func(context.Context) error) error
	// Cursor is how far the log has been read.
	Cursor(ctx context.Context) (int64, error)
	// Log is events of all rooms after a position: about limit, in an order into
	// which nothing is inserted later.
	Log(ctx context.Context, after int64, limit int) ([]Logged, error)

	Deliveries
}

// Deliveries are the rows that the workers of pushes and mails live on.
type Deliveries interface {
	// LeaseDelivery lends out a delivery of a channel that is due at now, counts
	// the attempt, and hides it from others until now+lease; nil if none is due.
	LeaseDelivery(ctx context.Context, channel Channel, now time.Time, lease time.Duration) (*Delivery, error)
	// Order is all that is needed to carry a delivery out.
	Order(ctx context.Context, d Delivery) (Order, error)
}

// Tx is a transaction over inboxes.
type Tx interface {
	consultation.Tx
	// Admins are those who are not suspended.
	Admins() ([]rooms.UserID, error)
	// Advance moves the cursor; a conflict if it is not at from any more.
	Advance(from, to int64) error
	// Previous is the data of the last event of a name in a room before a seq;
	// nil if there is none.
	Previous(room rooms.RoomID, name string, before rooms.Seq) (json.RawMessage, error)

	InsertNotification(Notification) error
	// Told reports whether user has a notification of this topic and subject.
	Told(user rooms.UserID, topic Topic, subject string) (bool, error)
	// MarkRead marks what of user's is unread and fits, and returns its ids.
	MarkRead(user rooms.UserID, which Which, now time.Time) ([]ID, error)
	// MarkDelivered marks as delivered what of ids is user's.
	MarkDelivered(user rooms.UserID, ids []ID, now time.Time) error
	// MarkSeen marks as seen, and as delivered, what of ids is user's.
	MarkSeen(user rooms.UserID, ids []ID, now time.Time) error
	// Unread is how many of user's are unread, and the last seq of the room.
	Unread(user rooms.UserID) (int, rooms.Seq, error)

	Preferences(user rooms.UserID) (Preferences, error)
	SavePreferences(user rooms.UserID, p Preferences) error

	// Subscriptions are the browsers of user whose login is alive at now.
	Subscriptions(user rooms.UserID, now time.Time) ([]Subscription, error)
	// SaveSubscription keeps one, under the id that its endpoint has already.
	SaveSubscription(Subscription) (Subscription, error)
	DeleteSubscription(user rooms.UserID, id SubscriptionID) error

	// Mailed reports whether an unread notification of user about a consultation's
	// messages has been or will be mailed.
	Mailed(user rooms.UserID, id consultation.ID) (bool, error)
	InsertDelivery(Delivery) error
	// Finish notes how a delivery went.
	Finish(d Delivery, o Outcome) error
}

// Query is a page of one user's notifications.
type Query struct {
	User   rooms.UserID
	Unread bool
	// Before and After are seqs. With After the oldest comes first.
	Before, After *rooms.Seq
	Limit         int
}

// Which says what is to be marked: ids, or everything up to one, or everything
// about a room up to a seq of that room.
type Which struct {
	IDs    []ID
	UpToID ID
	Room   rooms.RoomID
	UpTo   rooms.Seq
}

// Logged is an event with its position in the log of all rooms.
type Logged struct {
	Pos int64
	rooms.Event
}
