package operations

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

// Room is the room that the figures are sent to.
const Room rooms.RoomID = "operations"

// Options are what the service knows of its node, and what it needs.
type Options struct {
	// Node is what the node is called.
	Node, Version string
	// Message is the command whose successes are messages.
	Message string
	// Process measures the process.
	Process func() Process
	// Check looks after the parts; ready is what /readyz says.
	Check func(ctx context.Context) (ready bool, checks []HealthCheck)
	// Settings are those in effect.
	Settings []Setting
	// Live gives the connections that are shown. It is a function since they take
	// their commands from a catalogue that has those of this service.
	Live func() Live
	// Peers are the other nodes; nil for a node alone.
	Peers Peers
	Store Store
	Hub   *rooms.Hub
	Now   func() time.Time
}

// Process is what the process has used.
type Process struct {
	// CPU is the processor time since it began.
	CPU        time.Duration
	HeapBytes  uint64
	Goroutines int
}

// Live are the connections of this node.
type Live interface {
	// Census counts them. It takes the same time however many there are.
	Census() Census
	// Sockets lists those that a filter lets through, the latest first and
	// Filter.Limit at most, and counts all of them.
	Sockets(SocketFilter) ([]SocketView, int)
	// Rooms lists all rooms, the fullest first.
	Rooms() []RoomView
	// Kick ends the connections of those in a room; a socket is in that of its
	// own id. It tells how many they were.
	Kick(room rooms.RoomID) int
}

// Census is how many connections there are, and what they have sent and got.
type Census struct {
	Polling, WebSockets, Bare              int
	Namespaces                             []NamespaceStats
	EventsIn, EventsOut, BytesIn, BytesOut uint64
}

// Peers are the other nodes.
type Peers interface {
	// Report tells them how this node is.
	Report(NodeStats)
	// Reports are what they have told lately.
	Reports() []NodeStats
	// Kick ends the connections in a room on all of them.
	Kick(room rooms.RoomID)
}

// Store is what the service needs of the database.
type Store interface {
	// Audit runs f in one transaction.
	Audit(ctx context.Context, f func(audit.Tx) error) error
	// Names are what users are called.
	Names(ctx context.Context, users []rooms.UserID) (map[rooms.UserID]string, error)
}

// Service is that of the admin dashboard.
type Service struct {
	cfg     Options
	store   Store
	hub     *rooms.Hub
	now     func() time.Time
	started time.Time
	peers   Peers // nil for a node alone

	commands, messages atomic.Uint64

	first   sync.Once // the first report
	mu      sync.Mutex
	last    reading
	latest  StatsReport
	samples []StatsSample
}

// New makes the service. It measures from Run or the first command on.
func New(o Options) *Service {
	return &Service{cfg: o, store: o.Store, hub: o.Hub, now: o.Now, started: o.Now(), peers: o.Peers}
}

// begin makes the first report, so that there is one before the first tick.
func (s *Service) begin() {
	last := s.read()
	s.mu.Lock()
	s.last = last
	s.mu.Unlock()
	report := s.report(s.measure())
	s.mu.Lock()
	s.latest = report
	s.mu.Unlock()
}

// Commands returns the commands that the service executes.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{
		Watch.Bind(s.watch), Read.Bind(func(context.Context, rooms.Actor, rooms.Nothing) (StatsHistory, error) { return s.history(), nil }),
		Sockets.Bind(s.listSockets), Rooms.Bind(s.listRooms), Disconnect.Bind(s.disconnect), DisconnectUser.Bind(s.disconnectUser),
		Health.Bind(s.health), Settings.Bind(func(context.Context, rooms.Actor, rooms.Nothing) (SettingList, error) {
			return SettingList{Node: s.cfg.Node, Items: s.cfg.Settings}, nil
		}),
	}
}

func (s *Service) watch(ctx context.Context, _ rooms.Actor, _ rooms.Nothing) (StatsHistory, error) {
	conn := rooms.SubscriberOf(ctx)
	if conn == nil {
		return StatsHistory{}, rooms.Invalid("", "figures are watched over a connection that stays")
	}
	if err := conn.Subscribe(Room, 0); err != nil {
		return StatsHistory{}, err
	}
	return s.history(), nil
}

func (s *Service) history() StatsHistory {
	s.first.Do(s.begin)
	s.mu.Lock()
	defer s.mu.Unlock()
	return StatsHistory{StatsReport: s.latest, EveryMs: int(every.Milliseconds()), Samples: append([]StatsSample{}, s.samples...)}
}

// listMost and listUsual bound a list.
const listMost, listUsual = 200, 50

func (s *Service) listSockets(ctx context.Context, _ rooms.Actor, in SocketFilter) (SocketList, error) {
	var err error
	if in.Limit, err = rooms.PageSize(in.Limit, listUsual, listMost); err != nil {
		return SocketList{}, err
	}
	list, total := s.cfg.Live().Sockets(in)
	var users []rooms.UserID
	for _, socket := range list {
		if socket.UserID != "" && !slices.Contains(users, socket.UserID) {
			users = append(users, socket.UserID)
		}
	}
	names, err := s.store.Names(ctx, users)
	if err != nil {
		return SocketList{}, err
	}
	for i := range list {
		list[i].Name = names[list[i].UserID]
		all := len(list[i].Rooms)
		list[i].Rooms = slices.DeleteFunc(list[i].Rooms, private)
		list[i].Private = all - len(list[i].Rooms)
	}
	return SocketList{Node: s.cfg.Node, Total: total, Items: list}, nil
}

func (s *Service) listRooms(_ context.Context, _ rooms.Actor, in RoomFilter) (RoomList, error) {
	var err error
	if in.Limit, err = rooms.PageSize(in.Limit, listUsual, listMost); err != nil {
		return RoomList{}, err
	}
	l := RoomList{Node: s.cfg.Node, Items: []RoomView{}}
	for _, room := range s.cfg.Live().Rooms() {
		switch {
		case private(room.Room):
			l.Private.Rooms++
			l.Private.Members += room.Members
		case strings.Contains(string(room.Room), in.Q):
			if l.Total++; l.Total <= in.Limit {
				l.Items = append(l.Items, room)
			}
		}
	}
	return l, nil
}

func (s *Service) disconnect(ctx context.Context, actor rooms.Actor, in SocketRef) (rooms.Nothing, error) {
	list, _ := s.cfg.Live().Sockets(SocketFilter{Room: rooms.RoomID(in.SocketID), Limit: 1})
	here := len(list) == 1 && list[0].ID == in.SocketID
	if !here && s.peers == nil {
		return rooms.Nothing{}, rooms.NotFound("socket")
	}
	subject := "socket:" + in.SocketID
	if here && list[0].UserID != "" {
		subject = "user:" + string(list[0].UserID)
	}
	return s.kick(ctx, actor, Disconnect.Name, subject, "", rooms.RoomID(in.SocketID))
}

func (s *Service) disconnectUser(ctx context.Context, actor rooms.Actor, in UserRef) (rooms.Nothing, error) {
	names, err := s.store.Names(ctx, []rooms.UserID{in.UserID})
	if err != nil {
		return rooms.Nothing{}, err
	}
	if len(names) == 0 {
		return rooms.Nothing{}, rooms.NotFound("user")
	}
	return s.kick(ctx, actor, DisconnectUser.Name, "user:"+string(in.UserID), in.Reason, rooms.UserRoom(in.UserID))
}

// kick writes down who cuts whom, and does it.
func (s *Service) kick(ctx context.Context, actor rooms.Actor, action, subject, reason string, room rooms.RoomID) (rooms.Nothing, error) {
	err := s.store.Audit(ctx, func(tx audit.Tx) error {
		return audit.Append(tx, actor, s.now(), action, subject, func(e *audit.LogEntry) { e.Reason = reason })
	})
	if err != nil {
		return rooms.Nothing{}, err
	}
	s.cfg.Live().Kick(room)
	if s.peers != nil {
		s.peers.Kick(room)
	}
	return rooms.Nothing{}, nil
}

func (s *Service) health(ctx context.Context, _ rooms.Actor, _ rooms.Nothing) (HealthReport, error) {
	ready, checks := s.cfg.Check(ctx)
	return HealthReport{Node: s.cfg.Node, Ready: ready, Checks: checks}, nil
}
