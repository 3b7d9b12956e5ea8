package rooms

import (
	"slices"
	"sync"
)

// Present is a user who has at least one device in a room.
type Present struct {
	UserID  UserID `json:"userId"`
	Online  bool   `json:"online"`
	Devices int    `json:"devices"`
}

// Presence knows who is in which room right now, counting devices: a user is
// there from the first device that enters until the last one leaves.
type Presence struct {
	changed func(RoomID, Present)
	mu      sync.Mutex
	rooms   map[RoomID]map[UserID]int
}

// NewPresence calls changed when a user comes or goes and when the number of
// devices changes, in that order and under a lock: changed must not block.
func NewPresence(changed func(RoomID, Present)) *Presence {
	return &Presence{changed: changed, rooms: map[RoomID]map[UserID]int{}}
}

// Enter counts a device in.
func (p *Presence) Enter(room RoomID, user UserID) { p.count(room, user, 1) }

// Leave counts a device out.
func (p *Presence) Leave(room RoomID, user UserID) { p.count(room, user, -1) }

func (p *Presence) count(room RoomID, user UserID, by int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	users := p.rooms[room]
	if users == nil {
		users = map[UserID]int{}
		p.rooms[room] = users
	}
	devices := max(0, users[user]+by)
	users[user] = devices
	if devices == 0 {
		delete(users, user)
	}
	if len(users) == 0 {
		delete(p.rooms, room)
	}
	p.changed(room, Present{UserID: user, Online: devices > 0, Devices: devices})
}

// Has tells whether user has a device in room.
func (p *Presence) Has(room RoomID, user UserID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rooms[room][user] > 0
}

// In lists who is in room, by user id.
func (p *Presence) In(room RoomID) []Present {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := make([]Present, 0, len(p.rooms[room]))
	for user, devices := range p.rooms[room] {
		in = append(in, Present{UserID: user, Online: true, Devices: devices})
	}
	slices.SortFunc(in, func(a, b Present) int {
		if a.UserID < b.UserID {
			return -1
		}
		return 1
	})
	return in
}
