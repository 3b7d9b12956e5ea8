package edge

import (
	"context"
	"errors"
	"slices"
)

// Handler handles the sockets of a namespace. Calls for one socket are made in
// order and one at a time, calls for different sockets concurrently. A panic is
// recovered and passed to Config.OnPanic.
type Handler interface {
	// Connect decides about a CONNECT before it is answered. nil admits the client.
	// An error refuses it: the client gets CONNECT_ERROR with the error's text, and
	// with the value of its ConnectErrorData method if it has one. Connect may do
	// I/O; ctx ends with the connection or after Config.ConnectTimeout. The socket
	// may already join rooms; what is sent to it before Connect returns reaches the client
	// after the answer to CONNECT.
	Connect(ctx context.Context, s *Socket) error
	// Event handles one event. It is called in order of arrival, in the
	// goroutine that reads the connection: while it runs, nothing more
	// is read from that client. ack is nil if the client requests no acknowledgement.
	// ctx ends with the connection.
	Event(ctx context.Context, s *Socket, name string, args []Arg, ack *Ack)
	// Disconnect is called exactly once for every socket for which Connect
	// returned nil, after its last Event. The socket has left its rooms.
	Disconnect(s *Socket, reason string)
}

// errInternal is what a client receives if Connect panics.
var errInternal = errors.New("internal error")

// Namespace is one of the namespaces that share a connection. Its methods may
// be called from any goroutine.
type Namespace struct {
	server  *Server
	name    string
	handler Handler
	rooms   rooms
}

// Rooms returns the number of rooms that have members, without those that are
// named by a socket's id.
func (n *Namespace) Rooms() int { return n.rooms.count() }

// Size returns the number of sockets in the namespace.
func (n *Namespace) Size() int { return n.rooms.size() }

// EachRoom calls f with every room that has members, without those that are
// named by a socket's id, and the number of members. f must not join or leave.
func (n *Namespace) EachRoom(f func(room string, members int)) { n.rooms.each(f) }

// Broadcast sends an event to every socket that is in any of the rooms, once
// to each; to every socket in the namespace if rooms is nil. Every socket is in
// the room that is named by its id. The packet is encoded and framed once.
// Broadcast doesn't block: for a receiver that can't be written to now, the
// packet is queued. Two successive calls reach every receiver in that order.
// The arguments and errors are those of Socket.Emit; failures of single
// receivers are not reported.
func (n *Namespace) Broadcast(rooms []string, event string, args ...any) error {
	return n.BroadcastExcept(rooms, nil, event, args...)
}

// BroadcastExcept is like Broadcast, without one socket.
func (n *Namespace) BroadcastExcept(rooms []string, except *Socket, event string, args ...any) error {
	p, err := encodeEvent(n.name, event, args)
	if err != nil {
		return err
	}
	switch {
	case rooms == nil:
		deliverAll(n.rooms.everyone(), except, &p)
	case len(rooms) == 1:
		deliverAll(n.rooms.in(rooms[0]), except, &p)
	default:
		deliverAll(n.union(rooms), except, &p)
	}
	return nil
}

// BroadcastOutside is like Broadcast, without the sockets in any of the rooms outside.
func (n *Namespace) BroadcastOutside(rooms, outside []string, event string, args ...any) error {
	p, err := encodeEvent(n.name, event, args)
	if err != nil {
		return err
	}
	for _, s := range n.Outside(rooms, outside) {
		s.deliver(&p)
	}
	return nil
}

// Outside returns the sockets that are in any of the rooms, or in the namespace
// if rooms is nil, and in none of the rooms outside. The slice is the caller's.
func (n *Namespace) Outside(rooms, outside []string) []*Socket {
	list := n.Sockets("")
	if rooms != nil {
		list = append([]*Socket(nil), n.union(rooms)...)
	}
	if len(outside) == 0 {
		return list
	}
	without := map[*Socket]bool{}
	for _, s := range n.union(outside) {
		without[s] = true
	}
	return slices.DeleteFunc(list, func(s *Socket) bool { return without[s] })
}

func deliverAll(sockets []*Socket, except *Socket, p *encodedPacket) {
	for _, s := range sockets {
		if s != except {
			s.deliver(p)
		}
	}
}

// union returns the sockets that are in any of the rooms, once each. Mostly only
// the first room has members; then the result is its snapshot.
func (n *Namespace) union(rooms []string) []*Socket {
	var list []*Socket
	var seen map[*Socket]bool
	for _, room := range rooms {
		more := n.rooms.in(room)
		if len(list) == 0 {
			list = more
			continue
		}
		if len(more) > 0 && seen == nil {
			seen = make(map[*Socket]bool, len(list)+len(more))
			for _, s := range list {
				seen[s] = true
			}
		}
		for _, s := range more {
			if !seen[s] {
				seen[s] = true
				list = append(list, s) // copies: snapshots have no spare capacity
			}
		}
	}
	return list
}

// Sockets returns the sockets in a room, or in the namespace if room is
// empty. The slice is the caller's.
func (n *Namespace) Sockets(room string) []*Socket {
	if room == "" {
		return append([]*Socket(nil), n.rooms.everyone()...)
	}
	return append([]*Socket(nil), n.rooms.in(room)...)
}

func (n *Namespace) connect(ctx context.Context, s *Socket) (err error) {
	defer func() {
		if v := recover(); v != nil {
			n.server.panicked(v)
			err = errInternal
		}
	}()
	return n.handler.Connect(ctx, s)
}

func (n *Namespace) disconnect(s *Socket, reason string) {
	defer n.server.recovered()
	n.handler.Disconnect(s, reason)
}
