package turn

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/call"
)

// Config says where the relay listens and whom it serves.
type Config struct {
	// Addr is where UDP and TCP are heard, "host:port"; "" for no relay of our own.
	Addr string
	// TLSAddr and Certificate make it heard over TLS too.
	TLSAddr     string
	Certificate *tls.Certificate
	// PublicIP is how the relay is reached from outside; the address that it
	// listens on by default.
	PublicIP string
	// Host is what clients get instead of PublicIP, a name that the
	// certificate has.
	Host string
	// MinPort and MaxPort bound the UDP ports of relays.
	MinPort, MaxPort uint16
	// AllowPrivate lets relays reach loopback and private addresses.
	AllowPrivate bool
	// PerUser and Most bound the relays of one user, and of all.
	PerUser, Most int
	// Secret makes credentials, Life bounds them.
	Secret []byte
	Life   time.Duration
	// External are further servers ("turn:turn.example:3478?transport=udp"),
	// which share ExternalSecret with us.
	External       []string
	ExternalSecret []byte

	Now func() time.Time
	Log *slog.Logger
}

// Permits reports whether a user may relay for a call now, in the session that
// the credential was given to.
type Permits func(ctx context.Context, actor rooms.Actor, id call.ID) bool

// realm is the realm of the long-term credentials (RFC 8489 section 9.2).
const realm = "wenzhen"

// forbidden are the networks that relays do not reach: this machine, private
// and shared ones, and those that stand for nothing on the internet (RFC 6890).
var forbidden = networks("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
	"::/127", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8")

func networks(cidrs ...string) []*net.IPNet {
	list := make([]*net.IPNet, len(cidrs))
	for i, cidr := range cidrs {
		_, n, err := net.ParseCIDR(cidr)
		if err != nil {
			panic("turn: " + err.Error()) // one of the literals above
		}
		list[i] = n
	}
	return list
}

// reachable reports whether relays may reach peer.
func (c Config) reachable(peer net.IP) bool {
	if v4 := peer.To4(); v4 != nil {
		peer = v4 // an IPv4 address in IPv6 clothes is that IPv4 address
	}
	if c.AllowPrivate {
		return !peer.IsUnspecified() && !peer.IsMulticast()
	}
	for _, n := range forbidden {
		if n.Contains(peer) {
			return false
		}
	}
	return true
}
