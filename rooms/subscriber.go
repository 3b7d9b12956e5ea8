package rooms

import "context"

// Subscriber is the live connection that a command came through. Features
// reach it through the context, so that joining a room is a command like any
// other.
type Subscriber interface {
	// Subscribe makes the connection hear room from now on, until its user
	// loses access by an event of room whose seq is above known. Where access is
	// by membership, known is the last seq of room, read before the membership
	// was; the membership is then read again after Subscribe, and the
	// subscription ended if it is gone. Elsewhere known is 0.
	Subscribe(room RoomID, known Seq) error
	// Unsubscribe ends that; not subscribed is no error.
	Unsubscribe(room RoomID)
	// SetViewing sets whether a page shows a room that the connection has
	// subscribed to; Subscribe sets it to true. For other rooms it does nothing.
	SetViewing(room RoomID, viewing bool)
	// OnClose calls gone once, when the connection has ended; at once if it has.
	OnClose(gone func())
}

type subscriberKey struct{}

// WithSubscriber puts the connection into the context of a command.
func WithSubscriber(ctx context.Context, s Subscriber) context.Context {
	return context.WithValue(ctx, subscriberKey{}, s)
}

// SubscriberOf is the connection that the command came through, or nil where
// the transport has none (REST).
func SubscriberOf(ctx context.Context) Subscriber {
	s, _ := ctx.Value(subscriberKey{}).(Subscriber)
	return s
}
