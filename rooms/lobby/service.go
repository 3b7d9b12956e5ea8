package lobby

import (
	"context"
	"sync"
	"time"

	"wenzhen.example/rooms"
)

// Mode is who may enter.
type Mode string

// The modes.
const (
	Open    Mode = "open"  // anyone
	Members Mode = "users" // who is logged in
	Off     Mode = "off"   // nobody
)

// Options are what the lobby needs, and how it is kept.
type Options struct {
	Store Store
	// Presence counts the visitors of all nodes: what changes there in Room must
	// come to Recount.
	Presence *rooms.Presence
	Hub      *rooms.Hub
	Now      func() time.Time

	Mode Mode
	// Welcome is the line that everyone is welcomed with.
	Welcome string
}

// presenceEvery is the shortest time between two signals of the number of visitors.
const presenceEvery = 250 * time.Millisecond

// everyone is the user under which all visitors are counted: clients get their number only.
const everyone rooms.UserID = ""

// Service is the lobby.
type Service struct {
	cfg   Options
	store Store
	// presence counts the visitors of all nodes.
	presence *rooms.Presence
	hub      *rooms.Hub
	now      func() time.Time

	// changed holds a token while a new number of visitors has not been sent.
	changed chan struct{}

	mu       sync.Mutex
	visitors map[rooms.Subscriber]*visitor
	names    map[string]bool // in lower case
}

// New makes the lobby. Run announces how many visitors there are.
func New(o Options) *Service {
	return &Service{cfg: o, store: o.Store, presence: o.Presence, hub: o.Hub, now: o.Now, changed: make(chan struct{}, 1),
		visitors: map[rooms.Subscriber]*visitor{}, names: map[string]bool{}}
}

// Commands binds the lobby's commands.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{Enter.Bind(s.enter), Say.Bind(s.say), Rename.Bind(s.rename)}
}

// Run tells everyone when their number has changed, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
		}
		Presence.SendHere(s.hub, Room, Count{s.Visitors()}) // each node tells its own
		select {
		case <-ctx.Done():
			return
		case <-time.After(presenceEvery):
		}
	}
}

// Visitors is how many are there, on all nodes.
func (s *Service) Visitors() int { return Headcount(s.presence) }

// Headcount is how many are in the lobby, as presence knows it.
func Headcount(presence *rooms.Presence) int { return presence.Devices(Room, everyone) }

// Recount has their number told anew. It does not block.
func (s *Service) Recount() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Published implements rooms.Listener; the lobby has no events.
func (s *Service) Published(rooms.Publication) {}

// Signalled implements rooms.Listener: who has just been welcomed may have
// missed how many have come since the welcome was written. It must listen
// after those who let the visitor hear the room.
func (s *Service) Signalled(n rooms.Signal) {
	if n.Name == Welcome.Name {
		s.Recount()
	}
}

func (s *Service) enter(ctx context.Context, actor rooms.Actor, in NicknameInput) (Entered, error) {
	switch {
	case s.cfg.Mode == Off:
		return Entered{}, rooms.NotFound("lobby")
	case s.cfg.Mode == Members && actor.Guest():
		return Entered{}, rooms.Unauthenticated("log in to enter the lobby")
	}
	conn := rooms.SubscriberOf(ctx)
	if conn == nil {
		return Entered{}, rooms.Invalid("", "the lobby is entered over a connection that stays")
	}
	v, fresh := s.admit(conn, in.Nickname)
	if !fresh {
		return Entered{v.name()}, nil
	}
	conn.OnClose(func() { s.dismiss(conn) })
	door := rooms.RoomID("visitor:" + rooms.NewID(s.now()))
	if err := conn.Subscribe(door, 0); err != nil {
		return Entered{}, err
	}
	err := s.store.InTx(ctx, func(tx Tx) error {
		// Nothing is said between this and the commit.
		if _, err := tx.Next(Room, s.now()); err != nil {
			return err
		}
		lines, err := tx.Lines(Remembered)
		if err != nil {
			return err
		}
		// In order: it has the lines before it, and later lines are received as events.
		Welcome.AfterAndSubscribe(tx, door, Greeting{Text: s.cfg.Welcome, Nickname: v.name(), Count: s.Visitors(), Lines: lines}, Room)
		return nil
	})
	if err != nil {
		s.dismiss(conn)
		return Entered{}, err
	}
	return Entered{v.name()}, nil
}

func (s *Service) say(ctx context.Context, _ rooms.Actor, in SayInput) (Line, error) {
	v, err := s.visitor(ctx)
	if err != nil {
		return Line{}, err
	}
	at := s.now()
	if wait := v.tooSoon(at); wait > 0 {
		return Line{}, rooms.RateLimited(wait, "that is too much at once")
	}
	line := Line{ID: rooms.NewID(at), Nickname: v.name(), Text: oneLine(in.Text), At: at}
	return rooms.InTx(ctx, s.store, func(tx Tx) (Line, error) {
		seq, err := tx.Next(Room, at)
		if err != nil {
			return Line{}, err
		}
		Said.After(tx, Room, line)
		return line, tx.KeepLine(seq, line, Remembered)
	})
}

func (s *Service) rename(ctx context.Context, _ rooms.Actor, in NicknameInput) (Entered, error) {
	v, err := s.visitor(ctx)
	if err != nil {
		return Entered{}, err
	}
	if wait := v.tooSoon(s.now()); wait > 0 {
		return Entered{}, rooms.RateLimited(wait, "that is too much at once")
	}
	return Entered{s.renamed(rooms.SubscriberOf(ctx), oneLine(in.Nickname))}, nil
}

// visitor is who asks.
func (s *Service) visitor(ctx context.Context) (*visitor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.visitors[rooms.SubscriberOf(ctx)]; v != nil {
		return v, nil
	}
	return nil, rooms.Conflict("outside", "enter the lobby first")
}
