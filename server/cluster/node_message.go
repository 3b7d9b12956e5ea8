package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/operations"
)

// nodesChannel is the channel for messages between nodes.
const nodesChannel = "wenzhen#nodes"

// nodeMessage is a message to other nodes. Changes of presence are numbered, so
// that a receiver detects that it has missed one.
type nodeMessage struct {
	Kind string `json:"kind"`
	Node string `json:"node"`
	// Number is the number of the latest change of presence, or of this one.
	Number int64 `json:"number,omitempty"`
	// To is the id of the receiver; all nodes if empty.
	To      string                    `json:"to,omitempty"`
	Room    rooms.RoomID              `json:"room,omitempty"`
	User    rooms.UserID              `json:"user,omitempty"`
	Devices int                       `json:"devices,omitempty"`
	All     rooms.Devices             `json:"all,omitempty"`
	Spent   map[string]map[string]int `json:"spent,omitempty"`
	// Stats are the statistics of the node, with a heartbeat.
	Stats *operations.NodeStats `json:"stats,omitempty"`
}

const (
	kindHello     = "hello"  // requests the complete presence
	kindHeartbeat = "beat"   // a heartbeat
	kindChange    = "change" // one change of presence
	kindAll       = "all"    // the complete presence
	kindSpent     = "spent"  // use of rate limits
	kindGone      = "gone"   // the node leaves
)

// localState is the presence on this node, which it sends to the others.
type localState struct {
	mu      sync.Mutex
	number  int64 // of the latest change
	devices rooms.Devices
	peers   atomic.Int64 // number of other nodes
}

// peerState is the state of another node.
type peerState struct {
	seen      time.Time // when its last message was received
	number    int64     // of its presence; -1 before its complete presence was received
	requested time.Time // when its complete presence was last requested
}

// peerStats are the statistics that nodes publish.
type peerStats struct {
	mu    sync.Mutex
	own   *operations.NodeStats
	peers map[string]operations.NodeStats // by the id of the node
}

// Report sets the statistics that this node sends with its heartbeats. It
// implements operations.Peers.
func (n *Node) Report(own operations.NodeStats) {
	n.stats.mu.Lock()
	defer n.stats.mu.Unlock()
	n.stats.own = &own
}

// Reports returns the statistics of the other nodes.
func (n *Node) Reports() []operations.NodeStats {
	n.stats.mu.Lock()
	defer n.stats.mu.Unlock()
	return slices.Collect(maps.Values(n.stats.peers))
}

// reported returns the statistics of this node, or nil before Report.
func (s *peerStats) reported() *operations.NodeStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.own
}

func (s *peerStats) set(node string, stats operations.NodeStats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers[node] = stats
}

func (s *peerStats) forget(node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peers, node)
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("cluster: %T cannot be encoded: %v", v, err)) // a bug: all our types can be encoded
	}
	return b
}

// Present publishes how many devices a user has in a room on this node. It does
// not block.
func (n *Node) Present(room rooms.RoomID, user rooms.UserID, devices int) {
	n.state.mu.Lock()
	defer n.state.mu.Unlock()
	n.state.devices.Set(room, user, devices)
	n.state.number++
	n.enqueue(nodesChannel, encode(nodeMessage{
		Kind: kindChange, Node: n.id, Number: n.state.number, Room: room, User: user, Devices: devices,
	}))
}

// heartbeat publishes heartbeats, and what users have used of their rate limits,
// until ctx ends.
func (n *Node) heartbeat(ctx context.Context) {
	beat, spent := time.NewTicker(heartbeatEvery), time.NewTicker(spentEvery)
	defer beat.Stop()
	defer spent.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			stats := n.stats.reported()
			n.state.mu.Lock()
			n.enqueue(nodesChannel, encode(nodeMessage{Kind: kindHeartbeat, Node: n.id, Number: n.state.number, Stats: stats}))
			n.state.mu.Unlock()
		case <-spent.C:
			if used := n.limits.Spent(); len(used) > 0 {
				n.enqueue(nodesChannel, encode(nodeMessage{Kind: kindSpent, Node: n.id, Spent: used}))
			}
		}
	}
}

// handleNodeMessage applies a message of another node. A message of this node
// shows that Redis delivers what is published.
func (n *Node) handleNodeMessage(payload []byte) {
	var m nodeMessage
	if err := json.Unmarshal(payload, &m); err != nil || m.Node == "" {
		n.cfg.Log.Warn("redis: not a message of a node", "error", err)
		return
	}
	now := n.cfg.Now()
	if m.Node == n.id {
		n.lastEcho.Store(now.UnixMilli())
		n.forgetSilent()
		return
	}
	if m.To != "" && m.To != n.id {
		return
	}
	p := n.peers[m.Node]
	if p == nil {
		p = &peerState{number: -1}
		n.peers[m.Node] = p
	}
	p.seen = now
	n.state.peers.Store(int64(len(n.peers)))
	if m.Stats != nil {
		n.stats.set(m.Node, *m.Stats)
	}
	switch m.Kind {
	case kindHello:
		n.state.mu.Lock()
		n.enqueue(nodesChannel, encode(nodeMessage{Kind: kindAll, Node: n.id, To: m.Node, Number: n.state.number, All: n.state.devices}))
		n.state.mu.Unlock()
	case kindAll:
		if m.All == nil {
			m.All = rooms.Devices{}
		}
		n.presence.Replace(m.Node, m.All)
		p.number = m.Number
		return
	case kindChange:
		if p.number >= 0 && m.Number == p.number+1 {
			n.presence.Elsewhere(m.Node, m.Room, m.User, m.Devices)
			p.number = m.Number
			return
		}
	case kindSpent:
		n.limits.SpentElsewhere(m.Spent)
		return
	case kindGone:
		n.forget(m.Node)
		return
	}
	if p.number != m.Number && now.Sub(p.requested) > heartbeatEvery/2 {
		p.requested = now
		n.enqueue(nodesChannel, encode(nodeMessage{Kind: kindHello, Node: n.id, To: m.Node}))
	}
}

// forgetSilent removes nodes whose last message is older than nodeLost.
func (n *Node) forgetSilent() {
	for node, p := range n.peers {
		if n.cfg.Now().Sub(p.seen) > nodeLost {
			n.forget(node)
		}
	}
}

// forget removes a node and the presence on it.
func (n *Node) forget(node string) {
	delete(n.peers, node)
	n.state.peers.Store(int64(len(n.peers)))
	n.stats.forget(node)
	n.presence.Replace(node, nil)
}
