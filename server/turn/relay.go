package turn

import (
	"errors"
	"net"
	"sync"

	"github.com/pion/turn/v5"
)

// quota counts relays, per user and in all.
type quota struct {
	perUser, most int

	mu    sync.Mutex
	users map[string]int
	all   int
}

// free tells whether user may have one more.
func (q *quota) free(user string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.users[user] < q.perUser && q.all < q.most
}

// take counts one more, unless it is one too many.
func (q *quota) take(user string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.users[user] >= q.perUser || q.all >= q.most {
		return false
	}
	q.users[user]++
	q.all++
	return true
}

func (q *quota) release(user string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all--
	if q.users[user]--; q.users[user] <= 0 {
		delete(q.users, user)
	}
}

func (q *quota) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all
}

// generator opens the UDP sockets of relays, as many as the quota has. The
// server asks the quota beforehand too, to give the right answer; this is
// where two requests at once cannot both have the last one.
type generator struct {
	static turn.RelayAddressGeneratorPortRange
	quota  *quota
}

// Validate implements turn.RelayAddressGenerator.
func (g *generator) Validate() error { return g.static.Validate() }

// AllocatePacketConn implements turn.RelayAddressGenerator.
func (g *generator) AllocatePacketConn(cfg turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	if !g.quota.take(cfg.UserID) {
		return nil, nil, errors.New("the quota of relays is used up")
	}
	cfg.RequestedPort = 0 // whoever wants a particular port gets any
	conn, addr, err := g.static.AllocatePacketConn(cfg)
	if err != nil {
		g.quota.release(cfg.UserID)
		return nil, nil, err
	}
	return &relay{PacketConn: conn, released: sync.OnceFunc(func() { g.quota.release(cfg.UserID) })}, addr, nil
}

// errNoTCP refuses relays to TCP peers (RFC 6062): media is UDP, and a relay
// that opens connections is a door into other services.
var errNoTCP = errors.New("relays are for UDP alone")

// AllocateListener implements turn.RelayAddressGenerator.
func (g *generator) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCP
}

// AllocateConn implements turn.RelayAddressGenerator.
func (g *generator) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCP }

// relay is a socket that gives its place in the quota back.
type relay struct {
	net.PacketConn
	released func()
}

// Close implements net.PacketConn.
func (r *relay) Close() error {
	r.released()
	return r.PacketConn.Close()
}
