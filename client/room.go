package client

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
)

// Bounds of a room: events that nobody has read yet, and events that came
// while the ones before them were being fetched.
const (
	unreadMost = 512
	aheadMost  = 128
)

// Latest, as the seq to join after, begins with the latest events (up to 200)
// instead of a place in the log.
const Latest rooms.Seq = -1

// Room is a consultation as one hears it: every event of its log after the seq
// that it was joined at, exactly once and in order.
type Room struct {
	client *Client
	id     consultation.ID
	asking chan struct{} // held by who catches up
	wake   chan struct{} // has something when there may be something to read

	mu     sync.Mutex
	state  consultation.Joined
	unread []rooms.Event // in a row, up to last
	last   rooms.Seq     // of unread, or of what was read; Latest until the first join
	ahead  []rooms.Event // past a gap
	top    rooms.Seq     // the highest seq that is known to exist
	stale  bool          // this connection does not hear the room yet
	err    error         // why it ended
}

// Join hears a consultation from the event after a seq on: 0 for all of it,
// Latest for its end, or where one left off. What is missed while the
// connection is down is fetched when it is back. Errors: not_found for who
// does not take part.
func (c *Client) Join(ctx context.Context, id consultation.ID, after rooms.Seq) (*Room, error) {
	r := &Room{client: c, id: id, asking: make(chan struct{}, 1), wake: make(chan struct{}, 1), last: after, stale: true}
	c.mu.Lock()
	switch {
	case c.err != nil:
		defer c.mu.Unlock()
		return nil, c.err
	case c.rooms[id.Room()] != nil:
		defer c.mu.Unlock()
		return nil, rooms.Conflict("", "this room has been joined already")
	case c.rooms == nil:
		c.rooms = map[rooms.RoomID]*Room{}
	}
	c.rooms[id.Room()] = r
	c.mu.Unlock()
	if err := r.follow(ctx); err != nil {
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

// ID is the consultation.
func (r *Room) ID() consultation.ID { return r.id }

// State is the answer to the latest join, of this connection: the consultation,
// its participants and who was there. Its Events are left out.
func (r *Room) State() consultation.Joined {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Last is the seq up to which Next has given events.
func (r *Room) Last() rooms.Seq {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.unread) > 0 {
		return r.unread[0].Seq - 1
	}
	return r.last
}

// Next is the next event. It waits for it, through reconnects too, until ctx
// ends, the room is left or the Client has ended.
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
			if err := r.follow(ctx); err != nil {
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

// Events yields the events that Next gives; the last pair is the error that
// ended it.
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

// Send says something in the room. ConsultationID is the room's; a ClientID is
// made if there is none. It is sent again, under the same ClientID and so at
// most once, until it is answered, ctx ends, or the answer is an error that
// trying again does not cure.
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

// mayRetry waits before the next attempt; false if there should be none.
func (c *Client) mayRetry(ctx context.Context, err error, again *backoff) bool {
	var e *rooms.Error
	if ctx.Err() != nil || !errors.As(err, &e) || !e.Retryable {
		return false
	}
	wait := time.Duration(e.RetryAfterMs) * time.Millisecond
	if !errors.Is(err, errGone) { // who lost the connection waits for the next anyway
		wait = max(wait, again.next())
	}
	return pause(ctx, wait) == nil
}

// Leave unsubscribes from the room, on the server too.
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
	r.rouse()
}

func (r *Room) rouse() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// lost says that a new connection does not hear the room yet.
func (r *Room) lost() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale = true
	r.rouse()
}

// follow catches up, over as many connections as it takes.
func (r *Room) follow(ctx context.Context) error {
	again := backoff{first: r.client.opts.first, most: r.client.opts.most}
	for {
		err := r.catchUp(ctx)
		if err == nil || !r.client.mayRetry(ctx, err, &again) {
			return err
		}
	}
}

// resume joins the room anew on a new connection.
func (r *Room) resume() {
	if err := r.follow(r.client.life); err != nil {
		r.client.forget(r)
		r.end(err)
	}
}

// live takes an event that the connection has brought.
func (r *Room) live(e rooms.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.take(e) && len(r.ahead) < aheadMost {
		r.ahead = append(r.ahead, e)
	}
	r.rouse()
}

// take adds the next event. What is there already is dropped; false says that
// e does not follow, or that there is no space: the log must be asked.
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

// catchUp joins until the connection hears the room and nothing is missing, or
// there is no space for more. One caller does it, the others wait.
func (r *Room) catchUp(ctx context.Context) error {
	select {
	case r.asking <- struct{}{}:
		defer func() { <-r.asking }()
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

// joined takes a stretch of the log, and what came ahead of it.
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
	r.last = max(r.last, j.Since) // nothing comes up to there
	for _, e := range j.Events {
		r.take(e)
	}
	for _, e := range r.ahead { // they came in order
		r.take(e)
	}
	r.ahead = nil
	j.Events = nil
	r.state = j
	r.rouse()
}
