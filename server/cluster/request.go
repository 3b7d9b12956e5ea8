package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/vmihailenco/msgpack/v5"

	"wenzhen.example/rooms"
)

// The requests of @socket.io/redis-adapter.
const (
	requestSockets = iota
	requestAllRooms
	requestJoin
	requestLeave
	requestDisconnect
	requestFetch
	requestServerSideEmit
	requestBroadcast
	responseClientCount
)

// request is a request of another node. Some select one socket, with SID and Room;
// the others have an audience.
type request struct {
	Type      int       `msgpack:"type" json:"type"`
	RequestID *string   `msgpack:"requestId" json:"requestId"`
	UID       string    `msgpack:"uid" json:"uid"`
	SID       string    `msgpack:"sid" json:"sid"`
	Room      any       `msgpack:"room" json:"room"`
	Rooms     []any     `msgpack:"rooms" json:"rooms"`
	Opts      *audience `msgpack:"opts" json:"opts"`
	Close     bool      `msgpack:"close" json:"close"`
	Data      []any     `msgpack:"data" json:"data"`
}

// fetched is a socket in the result of fetchSockets.
type fetched struct {
	ID        string         `json:"id"`
	Handshake map[string]any `json:"handshake"`
	Rooms     []string       `json:"rooms"`
	Data      map[string]any `json:"data"`
}

func decodeRequest(payload []byte) (r request, err error) {
	if len(payload) > 0 && payload[0] == '{' {
		return r, json.Unmarshal(payload, &r)
	}
	extensions()
	dec := msgpack.NewDecoder(bytes.NewReader(payload))
	dec.UseLooseInterfaceDecoding(true)
	return r, dec.Decode(&r)
}

// handleRequest handles and answers a request of another node.
func (n *Node) handleRequest(_ context.Context, channel string, payload []byte) {
	rest, ours := strings.CutPrefix(channel, "socket.io-request#")
	namespace, ok := strings.CutSuffix(rest, "#")
	if !ours || !ok {
		return
	}
	r, err := decodeRequest(payload)
	if err != nil {
		n.cfg.Log.Warn("redis: not a request", "channel", channel, "error", err)
		return
	}
	in, except := n.audience(r)
	switch r.Type {
	case requestSockets, requestFetch:
		n.answer(namespace, r, map[string]any{"sockets": n.fetch(namespace, r, in, except)})
	case requestAllRooms:
		n.answer(namespace, r, map[string]any{"rooms": n.allRooms(namespace)})
	case requestJoin:
		n.local.Move(namespace, in, except, joined(r), nil)
		n.answer(namespace, r, map[string]any{})
	case requestLeave:
		n.local.Move(namespace, in, except, nil, joined(r))
		n.answer(namespace, r, map[string]any{})
	case requestDisconnect:
		n.local.Kick(namespace, in, except)
		n.answer(namespace, r, map[string]any{})
	case requestServerSideEmit:
		if len(r.Data) > 0 && r.Data[0] == describe {
			n.answer(namespace, r, map[string]any{"type": requestServerSideEmit, "data": n.describe()})
		}
	case requestBroadcast:
		n.answer(namespace, r, map[string]any{"type": responseClientCount, "clientCount": 0})
	}
}

// describe is the event of serverSideEmit that requests a description of this node.
const describe = "node:describe"

// description is the answer to describe.
type description struct {
	Node        string `json:"node"`
	Connections int    `json:"connections"`
}

func (n *Node) describe() description {
	return description{Node: n.id, Connections: n.local.Connections()}
}

// Kick ends the connections in a room on all nodes, this one included. It
// implements operations.Peers.
func (n *Node) Kick(room rooms.RoomID) {
	for _, namespace := range n.local.Namespaces() {
		n.enqueue(requestChannel(namespace), encode(request{Type: requestDisconnect, UID: n.id, Close: true,
			Opts: &audience{Rooms: []any{string(room)}, Except: []any{}}}))
	}
}

// audience returns the rooms whose sockets a request selects, and the rooms whose
// sockets it excludes. A room without sockets selects none.
func (n *Node) audience(r request) (in, except []string) {
	switch {
	case r.Opts != nil:
		return names(r.Opts.Rooms), names(r.Opts.Except)
	case r.SID != "":
		return []string{r.SID}, nil
	default:
		return names(r.Rooms), nil
	}
}

// joined returns the rooms that a request moves sockets into or out of.
func joined(r request) []string {
	if r.SID != "" {
		return names([]any{r.Room})
	}
	return names(r.Rooms)
}

func (n *Node) fetch(namespace string, r request, in, except []string) any {
	ids, sockets := []string{}, []fetched{}
	n.local.Each(namespace, in, except, func(id string, joined []string, address string, user rooms.UserID) {
		ids = append(ids, id)
		handshake := map[string]any{"address": address,
			"headers": map[string]any{}, "query": map[string]any{}, "auth": map[string]any{}}
		sockets = append(sockets, fetched{ID: id, Rooms: joined, Handshake: handshake, Data: map[string]any{"userId": user}})
	})
	if r.Type == requestSockets {
		return ids
	}
	return sockets
}

func (n *Node) allRooms(namespace string) []string {
	seen, all := map[string]bool{}, []string{}
	n.local.Each(namespace, nil, nil, func(_ string, joined []string, _ string, _ rooms.UserID) {
		for _, room := range joined {
			if !seen[room] {
				seen[room] = true
				all = append(all, room)
			}
		}
	})
	return all
}

// answer publishes the response to a request, if it has an id.
func (n *Node) answer(namespace string, r request, response map[string]any) {
	if r.RequestID == nil {
		return
	}
	response["requestId"] = *r.RequestID
	n.enqueue(responseChannel(namespace), encode(response))
}
