package rooms

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// Present is a user who has at least one device in a room.
type Present struct {
	UserID  UserID `json:"userId"`
	Online  bool   `json:"online"`
	Devices int    `json:"devices"`
}

// Devices counts the devices that users have in rooms.
type Devices map[RoomID]map[UserID]int

// Set writes a count and returns the one before; nothing is kept of zero.
func (d Devices) Set(room RoomID, user UserID, devices int) (before int) {
	before = d[room][user]
	switch {
	case devices > 0 && d[room] == nil:
		d[room] = map[UserID]int{user: devices}
	case devices > 0:
		d[room][user] = devices
	case before > 0:
		if delete(d[room], user); len(d[room]) == 0 {
			delete(d, room)
		}
	}
	return before
}

// Presence knows who is in which room right now, counting devices: a user is
// there from the first device that enters until the last one leaves, on
// whichever node they are.
type Presence struct {
	changed func(RoomID, Present)
	mu      sync.Mutex
	here    Devices
	// elsewhere is what other nodes have told, by the name of the node.
	elsewhere map[string]Devices
	share     func(RoomID, UserID, int)
}

// NewPresence calls changed when a user comes or goes and when the number of
// devices changes. Before that it calls share, which may be nil, with how many
// devices the user has in the room on this node. Both are called in the order of
// the changes and under a lock: they must not block.
func NewPresence(changed func(RoomID, Present), share func(room RoomID, user UserID, devices int)) *Presence {
	return &Presence{changed: changed, share: share, here: Devices{}, elsewhere: map[string]Devices{}}
}

// Enter counts a device in.
func (p *Presence) Enter(room RoomID, user UserID) { p.count(room, user, 1) }

// Leave counts a device out.
func (p *Presence) Leave(room RoomID, user UserID) { p.count(room, user, -1) }

func (p *Presence) count(room RoomID, user UserID, by int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	devices := max(0, p.here[room][user]+by)
	p.here.Set(room, user, devices)
	if p.share != nil {
		p.share(room, user, devices)
	}
	p.tell(room, user)
}

// tell says how things stand for a user in a room; the lock is held.
func (p *Presence) tell(room RoomID, user UserID) {
	devices := p.devices(room, user)
	p.changed(room, Present{UserID: user, Online: devices > 0, Devices: devices})
}

// Has reports whether user has a device in room.
func (p *Presence) Has(room RoomID, user UserID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.devices(room, user) > 0
}

func (p *Presence) devices(room RoomID, user UserID) int {
	n := p.here[room][user]
	for _, there := range p.elsewhere {
		n += there[room][user]
	}
	return n
}

// Elsewhere sets how many devices a user has in a room on another node.
func (p *Presence) Elsewhere(node string, room RoomID, user UserID, devices int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.elsewhere[node] == nil {
		p.elsewhere[node] = Devices{}
	}
	if p.elsewhere[node].Set(room, user, devices) != devices {
		p.tell(room, user)
	}
}

// Replace sets all that is known of another node; nil forgets the node.
func (p *Presence) Replace(node string, all Devices) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.elsewhere[node]
	if all == nil {
		delete(p.elsewhere, node)
	} else {
		p.elsewhere[node] = all
	}
	for room, users := range before {
		for user, devices := range users {
			if all[room][user] != devices {
				p.tell(room, user)
			}
		}
	}
	for room, users := range all {
		for user := range users {
			if before[room][user] == 0 {
				p.tell(room, user)
			}
		}
	}
}

// Devices is how many devices a user has in a room, on all nodes.
func (p *Presence) Devices(room RoomID, user UserID) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.devices(room, user)
}

// In lists who is in room, by user id.
func (p *Presence) In(room RoomID) []Present {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := maps.Clone(p.here[room])
	for _, there := range p.elsewhere {
		for user, devices := range there[room] {
			if sum == nil {
				sum = map[UserID]int{}
			}
			sum[user] += devices
		}
	}
	in := make([]Present, 0, len(sum))
	for user, devices := range sum {
		in = append(in, Present{UserID: user, Online: true, Devices: devices})
	}
	slices.SortFunc(in, func(a, b Present) int { return cmp.Compare(a.UserID, b.UserID) })
	return in
}
