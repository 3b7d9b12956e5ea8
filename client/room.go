package client

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
)

// Limits of a Room: events that have not been read, and events that were received
// while earlier ones were being fetched.
const (
	unreadMost = 512
	aheadMost  = 128
)

// Latest, as the seq to join after, begins with the latest events (up to 200).
const Latest rooms.Seq = -1

// Room is a subscription to a consultation: every event of its log after the seq
// given to Join, exactly once and in order.
type Room struct {
	client  *Client
	id      consultation.ID
	joining chan struct{} // a lock for catchUp
	wake    chan struct{} // has a value if there may be something to read

	mu     sync.Mutex
	state  consultation.Joined
	unread []rooms.Event // in a row, up to last
	last   rooms.Seq     // of unread, or of the events that were read; Latest until the first join
	ahead  []rooms.Event // after a gap
	top    rooms.Seq     // the highest seq that is known to exist
	stale  bool          // this connection is not subscribed to the room yet
	err    error         // why it ended
}

// Join subscribes to a consultation and reads its log after a seq: 0 for all events,
// Latest for the last ones, or the seq of the last event that was read. Events that
// are missed while the connection is down are fetched after it is back. The error is
// not_found if the user is not a participant.
func (c *Client) Join(ctx context.Context, id consultation.ID, after rooms.Seq) (*Room, error) {
	r := &Room{client: c, id: id, joining: make(chan struct{}, 1), wake: make(chan struct{}, 1), last: after, stale: true}
	c.mu.Lock()
	switch {
	case c.err != nil:
		defer c.mu.Unlock()
		return nil, c.err
	case c.rooms[id.Room()] != nil:
		defer c.mu.Unlock()
		return nil, rooms.Conflict("", "this room has already been joined")
	case c.rooms == nil:
		c.rooms = map[rooms.RoomID]*Room{}
	}
	c.rooms[id.Room()] = r
	c.mu.Unlock()
	if err := r.catchUpRetrying(ctx); err != nil {
		c.forget(r)
		return nil, err
	}
	return r, nil
}

func (c *Client) forget(r *Room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rooms[r.id.Room()] == r {
		delete(c.rooms, r.id.Room())
	}
}

// ID returns the id of the consultation.
func (r *Room) ID() consultation.ID { return r.id }

// State returns the answer to the latest join: the consultation, its participants
// and presence. Its Events are empty.
func (r *Room) State() consultation.Joined {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Last returns the seq of the last event that Next has returned.
func (r *Room) Last() rooms.Seq {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.unread) > 0 {
		return r.unread[0].Seq - 1
	}
	return r.last
}

// Next returns the next event. It waits for it, also while the Client reconnects,
// until ctx ends, the room is left or the Client has ended.
func (r *Room) Next(ctx context.Context) (rooms.Event, error) {
	for {
		r.mu.Lock()
		if len(r.unread) > 0 {
			e := r.unread[0]
			r.unread[0] = rooms.Event{}
			r.unread = r.unread[1:]
			r.mu.Unlock()
			return e, nil
		}
		r.unread = nil
		behind, err := r.last < r.top || r.stale, r.err
		r.mu.Unlock()
		if err != nil {
			return rooms.Event{}, err
		}
		if behind {
			if err := r.catchUpRetrying(ctx); err != nil {
				return rooms.Event{}, err
			}
			continue
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
			return rooms.Event{}, rooms.Unavailable(ctx.Err(), "gave up waiting for an event")
		}
	}
}

// Events yields the events that Next returns. It ends after the first error, which
// it yields.
func (r *Room) Events(ctx context.Context) iter.Seq2[rooms.Event, error] {
	return func(yield func(rooms.Event, error) bool) {
		for {
			e, err := r.Next(ctx)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Send sends a message to the room. It sets the ConsultationID, and a ClientID if
// there is none. It repeats the command until it is answered, ctx ends, or the error
// is not retryable; because of the ClientID the message is stored at most once.
func (r *Room) Send(ctx context.Context, in chat.SendInput) (chat.Message, error) {
	in.ConsultationID = r.id
	if in.ClientID == "" {
		in.ClientID = rooms.NewID(time.Now())
	}
	again := backoff{first: r.client.opts.first, most: r.client.opts.most}
	for {
		m, err := Call(ctx, r.client, chat.Send, in)
		if err == nil || !r.client.mayRetry(ctx, err, &again) {
			return m, err
		}
	}
}

// mayRetry waits before the next attempt. It returns false if there must be none.
func (c *Client) mayRetry(ctx context.Context, err error, again *backoff) bool {
	var e *rooms.Error
	if ctx.Err() != nil || !errors.As(err, &e) || !e.Retryable {
		return false
	}
	wait := time.Duration(e.RetryAfterMs) * time.Millisecond
	if !errors.Is(err, errGone) { // after errGone, Call waits for the next connection anyway
		wait = max(wait, again.next())
	}
	return pause(ctx, wait) == nil
}

// Leave ends the subscription, also on the server.
func (r *Room) Leave(ctx context.Context) error {
	r.client.forget(r)
	r.end(&rooms.Error{Code: rooms.CodeUnavailable, Message: "the room has been left"})
	_, err := Call(ctx, r.client, consultation.Leave, consultation.Input{ConsultationID: r.id})
	return err
}

func (r *Room) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.signal()
}

func (r *Room) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// markStale records that a new connection is not subscribed to the room yet.
func (r *Room) markStale() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale = true
	r.signal()
}

// catchUpRetrying calls catchUp until it succeeds or fails with an error that is not
// retryable.
func (r *Room) catchUpRetrying(ctx context.Context) error {
	again := backoff{first: r.client.opts.first, most: r.client.opts.most}
	for {
		err := r.catchUp(ctx)
		if err == nil || !r.client.mayRetry(ctx, err, &again) {
			return err
		}
	}
}

// resume subscribes to the room on a new connection.
func (r *Room) resume() {
	if err := r.catchUpRetrying(r.client.life); err != nil {
		r.client.forget(r)
		r.end(err)
	}
}

// live adds an event that was received live.
func (r *Room) live(e rooms.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.take(e) && len(r.ahead) < aheadMost {
		r.ahead = append(r.ahead, e)
	}
	r.signal()
}

// take adds e if it is the next event, and drops it if it has been added before. It
// returns false if an event before e is missing or there is no space: then the log
// must be read.
func (r *Room) take(e rooms.Event) bool {
	r.top = max(r.top, e.Seq)
	switch {
	case r.last == Latest:
		return false
	case e.Seq <= r.last:
		return true
	case e.Seq > r.last+1 || len(r.unread) >= unreadMost:
		return false
	}
	r.unread = append(r.unread, e)
	r.last = e.Seq
	return true
}

// catchUp joins until the connection is subscribed and no event is missing, or there
// is no space for more. Concurrent callers wait for each other.
func (r *Room) catchUp(ctx context.Context) error {
	select {
	case r.joining <- struct{}{}:
		defer func() { <-r.joining }()
	case <-ctx.Done():
		return rooms.Unavailable(ctx.Err(), "gave up waiting to join")
	}
	for {
		r.mu.Lock()
		stale, space := r.stale, len(r.unread) < unreadMost
		in := consultation.JoinInput{ConsultationID: r.id}
		if r.last != Latest {
			in.After = new(r.last)
		}
		needed := stale || (r.last < r.top && space)
		r.stale = false
		r.mu.Unlock()
		if !needed {
			return nil
		}
		joined, err := Call(ctx, r.client, consultation.Join, in)
		if err != nil {
			r.mu.Lock()
			r.stale = r.stale || stale
			r.mu.Unlock()
			return err
		}
		r.joined(joined)
	}
}

// joined adds the events of a join's answer, and those that were received before it.
func (r *Room) joined(j consultation.Joined) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.top = max(r.top, j.LastSeq)
	if r.last == Latest {
		r.last = j.LastSeq
		if len(j.Events) > 0 {
			r.last = j.Events[0].Seq - 1
		}
	}
	r.last = max(r.last, j.Since) // the user may not read earlier events
	for _, e := range j.Events {
		r.take(e)
	}
	for _, e := range r.ahead { // they are in order
		r.take(e)
	}
	r.ahead = nil
	j.Events = nil
	r.state = j
	r.signal()
}
