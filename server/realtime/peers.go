package realtime

import (
	"errors"

	"wenzhen.example/rooms"
	"wenzhen.example/server/realtime/edge"
)

// errNoNamespace is the error for packets of other programs in the same Redis.
var errNoNamespace = errors.New("no such namespace here")

// The methods below implement cluster.Local: Socket.IO's operations on the sockets
// of this node that are in any of the rooms in (in the namespace if in is empty)
// and in none of the rooms except.

// Emit sends an event to the selected sockets.
func (s *Server) Emit(namespace string, in, except []string, event string, args ...any) error {
	ns := s.namespaces[namespace]
	if ns == nil {
		return errNoNamespace
	}
	return ns.BroadcastOutside(in, except, event, args...)
}

// Each calls f with each selected socket: its id, its rooms, its address and its
// user, which is empty for a guest.
func (s *Server) Each(namespace string, in, except []string, f func(id string, rooms []string, address string, user rooms.UserID)) {
	for _, socket := range s.selected(namespace, in, except) {
		var user rooms.UserID
		if conn, ok := socket.Data().(*connection); ok {
			actor, _ := conn.login()
			user = actor.UserID
		}
		f(socket.ID(), append(socket.Rooms(), socket.ID()), socket.Address(), user)
	}
}

// Move adds the selected sockets to the rooms join and removes them from leave.
func (s *Server) Move(namespace string, in, except, join, leave []string) {
	for _, socket := range s.selected(namespace, in, except) {
		socket.Join(join...)
		socket.Leave(leave...)
	}
}

// Kick closes the selected sockets; their clients do not reconnect by themselves.
func (s *Server) Kick(namespace string, in, except []string) {
	for _, socket := range s.selected(namespace, in, except) {
		socket.Kick()
	}
	if namespace != rooms.Lobby {
		return
	}
	for _, room := range in {
		s.lobby.kick(rooms.RoomID(room))
	}
}

// Namespaces returns the names of the namespaces.
func (s *Server) Namespaces() []string {
	var names []string
	for name := range s.namespaces {
		names = append(names, name)
	}
	return names
}

// selected returns the sockets that are in any of the rooms in and in none of
// except.
func (s *Server) selected(namespace string, in, except []string) []*edge.Socket {
	ns := s.namespaces[namespace]
	if ns == nil {
		return nil
	}
	return ns.Outside(in, except)
}
