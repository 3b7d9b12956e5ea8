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

	"wenzhen/rooms"
	"wenzhen/rooms/operations"
)

// nodesChannel is where nodes of Wenzhen tell each other how they are.
const nodesChannel = "wenzhen#nodes"

// news is what a node tells of itself. Changes of presence are numbered, so
// that a node that has missed one knows.
type news struct {
	Kind string `json:"kind"`
	Node string `json:"node"`
	// Number is that of the latest change of presence, or of this one.
	Number int64 `json:"number,omitempty"`
	// To is whom it is for; everyone when empty.
	To      string                    `json:"to,omitempty"`
	Room    rooms.RoomID              `json:"room,omitempty"`
	User    rooms.UserID              `json:"user,omitempty"`
	Devices int                       `json:"devices,omitempty"`
	All     rooms.Devices             `json:"all,omitempty"`
	Spent   map[string]map[string]int `json:"spent,omitempty"`
	// Stats are the node's figures, with a beat.
	Stats *operations.NodeStats `json:"stats,omitempty"`
}

const (
	kindHello  = "hello"  // tell me everything
	kindBeat   = "beat"   // I live
	kindChange = "change" // this changed
	kindAll    = "all"    // this is everything
	kindSpent  = "spent"  // this much of limits was used up
	kindGone   = "gone"   // I leave
)

// here is the state of this node that it sends to the others.
type here struct {
	mu      sync.Mutex
	number  int64
	devices rooms.Devices
	known   atomic.Int64 // other nodes
}

// other is what is known of another node.
type other struct {
	seen   time.Time
	number int64 // of its presence; -1 before it has told everything
	asked  time.Time
}

// figures are those that nodes show of themselves.
type figures struct {
	mu     sync.Mutex
	own    *operations.NodeStats
	others map[string]operations.NodeStats // by the id of the node
}

// Report shows the others this node's figures, with the beats from now on. It
// implements operations.Peers.
func (n *Node) Report(own operations.NodeStats) {
	n.figures.mu.Lock()
	defer n.figures.mu.Unlock()
	n.figures.own = &own
}

// Reports are the figures of the nodes that are heard of.
func (n *Node) Reports() []operations.NodeStats {
	n.figures.mu.Lock()
	defer n.figures.mu.Unlock()
	return slices.Collect(maps.Values(n.figures.others))
}

// mine are the figures to tell; nil before there are any.
func (f *figures) mine() *operations.NodeStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.own
}

func (f *figures) heard(node string, stats operations.NodeStats) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.others[node] = stats
}

func (f *figures) forget(node string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.others, node)
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("cluster: %T cannot be encoded: %v", v, err)) // a type that never encodes is a mistake in the program
	}
	return b
}

// Present tells the others how many devices a user has in a room on this node.
// It does not block.
func (n *Node) Present(room rooms.RoomID, user rooms.UserID, devices int) {
	n.here.mu.Lock()
	defer n.here.mu.Unlock()
	n.here.devices.Set(room, user, devices)
	n.here.number++
	n.say(nodesChannel, encode(news{Kind: kindChange, Node: n.id, Number: n.here.number, Room: room, User: user, Devices: devices}))
}

// beat says that this node lives, and what was used up of limits.
func (n *Node) beat(ctx context.Context) {
	beat, spent := time.NewTicker(beatEvery), time.NewTicker(spentEvery)
	defer beat.Stop()
	defer spent.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			stats := n.figures.mine()
			n.here.mu.Lock()
			n.say(nodesChannel, encode(news{Kind: kindBeat, Node: n.id, Number: n.here.number, Stats: stats}))
			n.here.mu.Unlock()
		case <-spent.C:
			if used := n.limits.Spent(); len(used) > 0 {
				n.say(nodesChannel, encode(news{Kind: kindSpent, Node: n.id, Spent: used}))
			}
		}
	}
}

func (n *Node) hearNews(payload []byte) {
	var told news
	if err := json.Unmarshal(payload, &told); err != nil || told.Node == "" {
		n.cfg.Log.Warn("redis: not a node's news", "error", err)
		return
	}
	now := n.cfg.Now()
	if told.Node == n.id {
		n.heard.Store(now.UnixMilli())
		n.forgetSilent()
		return
	}
	if told.To != "" && told.To != n.id {
		return
	}
	o := n.others[told.Node]
	if o == nil {
		o = &other{number: -1}
		n.others[told.Node] = o
	}
	o.seen = now
	n.here.known.Store(int64(len(n.others)))
	if told.Stats != nil {
		n.figures.heard(told.Node, *told.Stats)
	}
	switch told.Kind {
	case kindHello:
		n.here.mu.Lock()
		n.say(nodesChannel, encode(news{Kind: kindAll, Node: n.id, To: told.Node, Number: n.here.number, All: n.here.devices}))
		n.here.mu.Unlock()
	case kindAll:
		if told.All == nil {
			told.All = rooms.Devices{}
		}
		n.presence.Replace(told.Node, told.All)
		o.number = told.Number
		return
	case kindChange:
		if o.number >= 0 && told.Number == o.number+1 {
			n.presence.Elsewhere(told.Node, told.Room, told.User, told.Devices)
			o.number = told.Number
			return
		}
	case kindSpent:
		n.limits.SpentElsewhere(told.Spent)
		return
	case kindGone:
		n.forget(told.Node)
		return
	}
	if o.number != told.Number && now.Sub(o.asked) > beatEvery/2 {
		o.asked = now
		n.say(nodesChannel, encode(news{Kind: kindHello, Node: n.id, To: told.Node}))
	}
}

// forgetSilent forgets nodes that have not been heard of for long.
func (n *Node) forgetSilent() {
	for node, o := range n.others {
		if n.cfg.Now().Sub(o.seen) > nodeLost {
			n.forget(node)
		}
	}
}

func (n *Node) forget(node string) {
	delete(n.others, node)
	n.here.known.Store(int64(len(n.others)))
	n.figures.forget(node)
	n.presence.Replace(node, nil)
}
