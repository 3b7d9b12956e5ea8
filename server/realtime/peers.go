package realtime

import (
	"errors"

	"wenzhen/rooms"
	"wenzhen/server/realtime/edge"
)

// errNoNamespace is for packets of other programs that share Redis with us.
var errNoNamespace = errors.New("no such namespace here")

// What other nodes ask of this one: Socket.IO's operations on the sockets that
// are in any of some rooms (in the namespace when in is empty) and in none of
// others, as far as they are connected here.

// Emit sends an event to them.
func (s *Server) Emit(namespace string, in, except []string, event string, args ...any) error {
	ns := s.namespaces[namespace]
	if ns == nil {
		return errNoNamespace
	}
	return ns.BroadcastOutside(in, except, event, args...)
}

// Each calls f with each of them: its id, the rooms it is in, its address and
// its user, who is empty for a guest.
func (s *Server) Each(namespace string, in, except []string, f func(id string, rooms []string, address string, user rooms.UserID)) {
	for _, socket := range s.outside(namespace, in, except) {
		var user rooms.UserID
		if conn, ok := socket.Data().(*connection); ok {
			actor, _ := conn.who()
			user = actor.UserID
		}
		f(socket.ID(), append(socket.Rooms(), socket.ID()), socket.Address(), user)
	}
}

// Move lets them join rooms and leave others.
func (s *Server) Move(namespace string, in, except, join, leave []string) {
	for _, socket := range s.outside(namespace, in, except) {
		socket.Join(join...)
		socket.Leave(leave...)
	}
}

// Kick ends their connections; their clients do not reconnect by themselves.
func (s *Server) Kick(namespace string, in, except []string) {
	for _, socket := range s.outside(namespace, in, except) {
		socket.Kick()
	}
	if namespace != rooms.Lobby {
		return
	}
	for _, room := range in {
		s.lobby.kick(rooms.RoomID(room))
	}
}

// Namespaces lists the namespaces there are.
func (s *Server) Namespaces() []string {
	var names []string
	for name := range s.namespaces {
		names = append(names, name)
	}
	return names
}

func (s *Server) outside(namespace string, in, except []string) []*edge.Socket {
	ns := s.namespaces[namespace]
	if ns == nil {
		return nil
	}
	return ns.Outside(in, except)
}
