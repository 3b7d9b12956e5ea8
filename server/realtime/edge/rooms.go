package edge

import (
	"hash/maphash"
	"slices"
	"sync"
)

// roomShards is the number of locks over which the rooms of a namespace are spread.
const roomShards = 16

// rooms has the members of the rooms of a namespace. A socket's list of rooms is
// guarded by the socket, a room's list of sockets by its shard; the two locks are
// always taken in that order, so that a join and a leave of one socket can't
// interleave. A room exists while it has members.
type rooms struct {
	seed   maphash.Seed
	shards [roomShards]roomShard
	all    socketList
	allMu  sync.RWMutex
	byID   map[string]*Socket // guarded by allMu
}

type roomShard struct {
	mu    sync.Mutex
	rooms map[string]*socketList
}

// socketList is a list of sockets with snapshots. Appending does not change a
// snapshot; removing copies the list first if a snapshot may be in use.
type socketList struct {
	list []*Socket
	out  bool // a snapshot may be in use
}

func (c *socketList) add(s *Socket) { c.list = append(c.list, s) }

func (c *socketList) remove(s *Socket) {
	i := slices.Index(c.list, s)
	if i < 0 {
		return
	}
	if c.out {
		c.list, c.out = slices.Clone(c.list), false
	}
	last := len(c.list) - 1
	c.list[i] = c.list[last]
	c.list[last] = nil
	c.list = c.list[:last]
}

// snapshot returns the current list, which must not be modified.
func (c *socketList) snapshot() []*Socket {
	c.out = true
	return c.list[:len(c.list):len(c.list)]
}

func (r *rooms) init() {
	r.seed = maphash.MakeSeed()
	r.byID = map[string]*Socket{}
	for i := range r.shards {
		r.shards[i].rooms = map[string]*socketList{}
	}
}

func (r *rooms) shard(room string) *roomShard {
	return &r.shards[maphash.String(r.seed, room)%roomShards]
}

// join adds a socket to a room; the socket's lock is held.
func (r *rooms) join(room string, s *Socket) {
	shard := r.shard(room)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	c := shard.rooms[room]
	if c == nil {
		c = &socketList{}
		shard.rooms[room] = c
	}
	c.add(s)
}

// leave removes a socket from a room; the socket's lock is held.
func (r *rooms) leave(room string, s *Socket) {
	shard := r.shard(room)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	c := shard.rooms[room]
	if c == nil {
		return
	}
	if c.remove(s); len(c.list) == 0 {
		delete(shard.rooms, room)
	}
}

// enter adds a socket to the namespace, exit removes it.
func (r *rooms) enter(s *Socket) {
	r.allMu.Lock()
	defer r.allMu.Unlock()
	r.all.add(s)
	r.byID[s.id] = s
}

func (r *rooms) exit(s *Socket) {
	r.allMu.Lock()
	defer r.allMu.Unlock()
	r.all.remove(s)
	delete(r.byID, s.id)
}

// in returns the sockets in a room. Every socket is in the room of its own id.
func (r *rooms) in(room string) []*Socket {
	shard := r.shard(room)
	shard.mu.Lock()
	if c := shard.rooms[room]; c != nil {
		defer shard.mu.Unlock()
		return c.snapshot()
	}
	shard.mu.Unlock()
	r.allMu.RLock()
	defer r.allMu.RUnlock()
	if s := r.byID[room]; s != nil {
		return []*Socket{s}
	}
	return nil
}

// everyone returns the sockets in the namespace.
func (r *rooms) everyone() []*Socket {
	r.allMu.Lock()
	defer r.allMu.Unlock()
	return r.all.snapshot()
}

// size returns the number of sockets.
func (r *rooms) size() int {
	r.allMu.RLock()
	defer r.allMu.RUnlock()
	return len(r.byID)
}

// each calls f with every room and its number of members, under a lock.
func (r *rooms) each(f func(room string, members int)) {
	for i := range r.shards {
		r.shards[i].each(f)
	}
}

func (s *roomShard) each(f func(room string, members int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for room, c := range s.rooms {
		f(room, len(c.list))
	}
}

// count returns the number of rooms.
func (r *rooms) count() int {
	n := 0
	for i := range r.shards {
		r.shards[i].mu.Lock()
		n += len(r.shards[i].rooms)
		r.shards[i].mu.Unlock()
	}
	return n
}
