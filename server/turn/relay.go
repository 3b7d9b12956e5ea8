package turn

import (
	"errors"
	"net"
	"sync"

	"github.com/pion/turn/v5"

	"wenzhen.example/rooms"
)

// relays are the open relays, counted per user and in total.
type relays struct {
	perUser, most int

	mu    sync.Mutex
	users map[rooms.UserID]int
	all   int // including those that are being opened
	open  map[*relay]bool
}

// free reports whether the user of a holder may open another relay.
func (r *relays) free(of string) bool {
	h, ok := readHolder(of)
	r.mu.Lock()
	defer r.mu.Unlock()
	return ok && r.users[h.user] < r.perUser && r.all < r.most
}

// take counts another relay. It returns false if a limit is reached.
func (r *relays) take(user rooms.UserID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users[user] >= r.perUser || r.all >= r.most {
		return false
	}
	r.users[user]++
	r.all++
	return true
}

func (r *relays) release(user rooms.UserID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all--
	if r.users[user]--; r.users[user] <= 0 {
		delete(r.users, user)
	}
}

func (r *relays) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}

func (r *relays) add(one *relay) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[one] = true
}

func (r *relays) remove(one *relay) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, one)
}

// end closes the relays of the holders for which of returns true.
func (r *relays) end(of func(holder) bool) {
	r.mu.Lock()
	var ending []*relay
	for one := range r.open {
		if of(one.holder) {
			ending = append(ending, one)
		}
	}
	r.mu.Unlock()
	for _, one := range ending {
		_ = one.Close() // the allocation ends with its socket
	}
}

// generator opens the UDP sockets of relays within the limits. The QuotaHandler
// checks the limits before, for the right error code; only here the check and the
// count are atomic.
type generator struct {
	static  turn.RelayAddressGeneratorPortRange
	relays  *relays
	permits Permits
}

// Validate implements turn.RelayAddressGenerator.
func (g *generator) Validate() error { return g.static.Validate() }

// AllocatePacketConn implements turn.RelayAddressGenerator. It checks the
// permission again after the relay is registered, so that an end of the call since
// the request was authenticated is not missed.
func (g *generator) AllocatePacketConn(cfg turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	h, ok := readHolder(cfg.UserID)
	if !ok || !g.relays.take(h.user) {
		return nil, nil, errors.New("the quota of relays is used up")
	}
	cfg.RequestedPort = 0 // a client cannot choose the port
	conn, addr, err := g.static.AllocatePacketConn(cfg)
	if err != nil {
		g.relays.release(h.user)
		return nil, nil, err
	}
	one := &relay{PacketConn: conn, holder: h}
	one.released = sync.OnceFunc(func() {
		g.relays.remove(one)
		g.relays.release(h.user)
	})
	g.relays.add(one)
	if !permitted(g.permits, h) {
		return nil, nil, errors.Join(errors.New("the call is over"), one.Close())
	}
	return one, addr, nil
}

// errNoTCP refuses relays to TCP peers (RFC 6062): media uses UDP, and a relay that
// opens TCP connections would give access to other services.
var errNoTCP = errors.New("relays are for UDP alone")

// AllocateListener implements turn.RelayAddressGenerator.
func (g *generator) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCP
}

// AllocateConn implements turn.RelayAddressGenerator.
func (g *generator) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCP }

// relay is the socket of a relay. Close releases its count.
type relay struct {
	net.PacketConn
	holder   holder
	released func()
}

// Close implements net.PacketConn.
func (r *relay) Close() error {
	r.released()
	return r.PacketConn.Close()
}
