package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/vmihailenco/msgpack/v5"

	"wenzhen/rooms"
)

// The requests of @socket.io/redis-adapter.
const (
	askSockets = iota
	askAllRooms
	askJoin
	askLeave
	askDisconnect
	askFetch
	askServerSideEmit
	askBroadcast
	tellClientCount
)

// request is what another node asks. Some name one socket, by SID and Room;
// the others an audience.
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

// fetched is a socket as fetchSockets gives it.
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

// hearRequest does what another node asks and answers it.
func (n *Node) hearRequest(_ context.Context, channel string, payload []byte) {
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
	case askSockets, askFetch:
		n.answer(namespace, r, map[string]any{"sockets": n.fetch(namespace, r, in, except)})
	case askAllRooms:
		n.answer(namespace, r, map[string]any{"rooms": n.allRooms(namespace)})
	case askJoin:
		n.local.Move(namespace, in, except, joined(r), nil)
		n.answer(namespace, r, map[string]any{})
	case askLeave:
		n.local.Move(namespace, in, except, nil, joined(r))
		n.answer(namespace, r, map[string]any{})
	case askDisconnect:
		n.local.Kick(namespace, in, except)
		n.answer(namespace, r, map[string]any{})
	case askServerSideEmit:
		if len(r.Data) > 0 && r.Data[0] == describe {
			n.answer(namespace, r, map[string]any{"type": askServerSideEmit, "data": n.describe()})
		}
	case askBroadcast:
		n.answer(namespace, r, map[string]any{"type": tellClientCount, "clientCount": 0})
	}
}

// describe is the event by which another server asks, with serverSideEmit, who we are.
const describe = "node:describe"

// description is the answer to it.
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
		n.say(requestChannel(namespace), encode(request{Type: askDisconnect, UID: n.id, Close: true,
			Opts: &audience{Rooms: []any{string(room)}, Except: []any{}}}))
	}
}

// audience is whom a request is about; a room that nobody is in stands for nobody.
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

// joined are the rooms that a request moves sockets into or out of.
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
		sockets = append(sockets, fetched{ID: id, Rooms: joined, Handshake: map[string]any{"address": address, "headers": map[string]any{}, "query": map[string]any{}, "auth": map[string]any{}},
			Data: map[string]any{"userId": user}})
	})
	if r.Type == askSockets {
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

// answer publishes a response to a request that wants one.
func (n *Node) answer(namespace string, r request, response map[string]any) {
	if r.RequestID == nil {
		return
	}
	response["requestId"] = *r.RequestID
	n.say(responseChannel(namespace), encode(response))
}
