package edge

import (
	"hash/maphash"
	"slices"
	"sync"
)

// roomShards is over how many locks the rooms of a namespace are spread.
const roomShards = 16

// rooms is who is where in a namespace. A socket's own list of rooms is
// guarded by the socket, a room's list of sockets by its shard; the two are
// always taken in that order, so that joining and leaving can't pass each
// other, and a room exists exactly while somebody is in it.
type rooms struct {
	seed   maphash.Seed
	shards [roomShards]roomShard
	all    crowd
	allMu  sync.RWMutex
	byID   map[string]*Socket // guarded by allMu
}

type roomShard struct {
	mu    sync.Mutex
	rooms map[string]*crowd
}

// crowd is a list of sockets of which snapshots may be out: appending leaves
// them alone, taking away makes a copy if there may be one.
type crowd struct {
	list []*Socket
	out  bool // a snapshot may be in use
}

func (c *crowd) add(s *Socket) { c.list = append(c.list, s) }

func (c *crowd) remove(s *Socket) {
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

// snapshot is the list as it stands; it must not be changed.
func (c *crowd) snapshot() []*Socket {
	c.out = true
	return c.list[:len(c.list):len(c.list)]
}

func (r *rooms) init() {
	r.seed = maphash.MakeSeed()
	r.byID = map[string]*Socket{}
	for i := range r.shards {
		r.shards[i].rooms = map[string]*crowd{}
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
		c = &crowd{}
		shard.rooms[room] = c
	}
	c.add(s)
}

// leave takes a socket out of a room; the socket's lock is held.
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

// enter adds a socket to the namespace, exit takes it out.
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

// in lists who is in a room. Every socket is in the room of its own id.
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

// everyone lists who is in the namespace.
func (r *rooms) everyone() []*Socket {
	r.allMu.Lock()
	defer r.allMu.Unlock()
	return r.all.snapshot()
}

// size is how many sockets there are.
func (r *rooms) size() int {
	r.allMu.RLock()
	defer r.allMu.RUnlock()
	return len(r.byID)
}

// each tells of all rooms; f runs under a lock.
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

// count is how many rooms there are.
func (r *rooms) count() int {
	n := 0
	for i := range r.shards {
		r.shards[i].mu.Lock()
		n += len(r.shards[i].rooms)
		r.shards[i].mu.Unlock()
	}
	return n
}
