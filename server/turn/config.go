package turn

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/call"
)

// Config configures the relay.
type Config struct {
	// Addr is the address "host:port" for UDP and TCP; "" for no built-in relay.
	Addr string
	// TLSAddr and Certificate add a TLS listener.
	TLSAddr     string
	Certificate *tls.Certificate
	// PublicIP is the relay's address on the internet; the address of Addr by
	// default.
	PublicIP string
	// Host is a name that clients receive instead of PublicIP. It must be in the
	// certificate.
	Host string
	// MinPort and MaxPort bound the UDP ports of relays.
	MinPort, MaxPort uint16
	// AllowPrivate lets relays reach loopback and private addresses.
	AllowPrivate bool
	// PerUser and Most bound the relays of one user, and of all users.
	PerUser, Most int
	// Secret signs credentials; Life is how long they are valid.
	Secret []byte
	Life   time.Duration
	// External are the URLs of further servers
	// ("turn:turn.example:3478?transport=udp"), with ExternalSecret as their secret.
	External       []string
	ExternalSecret []byte

	Now func() time.Time
	Log *slog.Logger
}

// Permits reports whether a user may use a relay for a call now, in the session
// that the credential was issued for.
type Permits func(ctx context.Context, actor rooms.Actor, id call.ID) bool

// realm is the realm of the long-term credentials (RFC 8489 section 9.2).
const realm = "wenzhen"

// forbidden are the networks that relays do not reach: this machine, private and
// shared networks, and others that are not on the internet (RFC 6890).
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
		peer = v4 // an IPv4-mapped IPv6 address
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
