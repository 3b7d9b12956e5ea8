package realtime

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/server/realtime/edge"
)

// Monitor shows the connections of this node to admins. It is an operations.Live.
type Monitor struct{ server *Server }

// Monitor shows the connections of this node to admins.
func (s *Server) Monitor() Monitor { return Monitor{s} }

// Census implements operations.Live.
func (m Monitor) Census() operations.Census {
	s, stats := m.server, m.server.edge.Stats()
	plain := s.lobby.bare.Traffic()
	c := operations.Census{WebSockets: stats.WebSockets,
		Polling: max(0, stats.Connections-stats.WebSockets), Bare: s.lobby.bare.Connections(),
		EventsIn: stats.EventsIn + plain.EventsIn, EventsOut: stats.EventsOut + plain.EventsOut,
		BytesIn: stats.BytesIn + plain.BytesIn, BytesOut: stats.BytesOut + plain.BytesOut}
	for _, name := range slices.Sorted(maps.Keys(s.namespaces)) {
		ns := s.namespaces[name]
		c.Namespaces = append(c.Namespaces, operations.NamespaceStats{Name: name, Sockets: ns.Size(), Rooms: ns.Rooms()})
	}
	return c
}

// Sockets implements operations.Live.
func (m Monitor) Sockets(f operations.SocketFilter) ([]operations.SocketView, int) {
	type found struct {
		namespace string
		socket    *edge.Socket
		conn      *connection
	}
	var all []found
	for name, ns := range m.server.namespaces {
		if f.Namespace != "" && f.Namespace != name {
			continue
		}
		room := string(f.Room)
		if room == "" && f.UserID != "" {
			room = string(rooms.UserRoom(f.UserID))
		}
		for _, socket := range ns.Sockets(room) {
			conn, ok := socket.Data().(*connection)
			if !ok {
				continue
			}
			if actor, _ := conn.login(); f.UserID == "" || actor.UserID == f.UserID {
				all = append(all, found{name, socket, conn})
			}
		}
	}
	slices.SortFunc(all, func(a, b found) int {
		return cmp.Or(b.conn.since.Compare(a.conn.since), strings.Compare(a.socket.ID(), b.socket.ID()))
	})
	views := []operations.SocketView{}
	for _, one := range all[:min(len(all), f.Limit)] {
		actor, _ := one.conn.login()
		view := operations.SocketView{ID: one.socket.ID(), Namespace: one.namespace,
			Transport: one.socket.Transport(), Address: one.socket.Address(), Agent: one.socket.Header().Get("User-Agent"),
			ConnectedAt: one.conn.since, UserID: actor.UserID, Role: actor.Role, Rooms: []rooms.RoomID{}}
		for _, room := range one.socket.Rooms() {
			view.Rooms = append(view.Rooms, rooms.RoomID(room))
		}
		slices.Sort(view.Rooms)
		views = append(views, view)
	}
	return views, len(all)
}

// Rooms implements operations.Live.
func (m Monitor) Rooms() []operations.RoomView {
	var all []operations.RoomView
	for name, ns := range m.server.namespaces {
		ns.EachRoom(func(room string, members int) {
			all = append(all, operations.RoomView{Room: rooms.RoomID(room), Namespace: name, Members: members})
		})
	}
	slices.SortFunc(all, func(a, b operations.RoomView) int {
		return cmp.Or(b.Members-a.Members, cmp.Compare(a.Room, b.Room), strings.Compare(a.Namespace, b.Namespace))
	})
	return all
}

// Kick implements operations.Live.
func (m Monitor) Kick(room rooms.RoomID) int {
	sockets := m.server.sockets(string(room))
	for _, socket := range sockets {
		socket.Kick()
	}
	return len(sockets) + m.server.lobby.kick(room)
}
