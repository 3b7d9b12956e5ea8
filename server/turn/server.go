package turn

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/call"
)

// Server is the relay and lists the external servers. It implements call.Relay.
type Server struct {
	cfg    Config
	urls   []string
	relays relays
	udp    net.PacketConn
	tcp    []*listener
	ip     net.IP
	bind   string
	server *turn.Server
}

// New opens the listeners, so that the addresses are known. Serve must be called to
// answer requests, and Close in any case.
func New(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, relays: relays{perUser: cfg.PerUser, most: cfg.Most, users: map[rooms.UserID]int{}, open: map[*relay]bool{}}}
	if cfg.Addr == "" {
		return s, nil
	}
	if err := s.listen(); err != nil {
		return nil, errors.Join(fmt.Errorf("turn: %w", err), s.Close())
	}
	return s, nil
}

func (s *Server) listen() error {
	tcp, udp, err := listenBoth(s.cfg.Addr)
	if err != nil {
		return err
	}
	s.udp, s.tcp = udp, []*listener{track(tcp, 2*s.cfg.Most)}
	host, port, err := net.SplitHostPort(tcp.Addr().String())
	if err != nil {
		return err
	}
	s.bind, s.ip = host, net.ParseIP(s.cfg.PublicIP)
	if s.ip == nil {
		s.ip = net.ParseIP(host)
	}
	if s.ip == nil || s.ip.IsUnspecified() {
		return fmt.Errorf("listening on %s needs the public IP address", s.cfg.Addr)
	}
	name := s.cfg.Host
	if name == "" {
		name = s.ip.String()
	}
	at := net.JoinHostPort(name, port)
	s.urls = []string{"stun:" + at, "turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
	if s.cfg.TLSAddr == "" || s.cfg.Certificate == nil {
		return nil
	}
	secure, err := net.Listen("tcp", s.cfg.TLSAddr)
	if err != nil {
		return err
	}
	inner := track(secure, 2*s.cfg.Most)
	s.tcp = append(s.tcp, inner)
	_, port, err = net.SplitHostPort(secure.Addr().String())
	s.urls = append(s.urls, "turns:"+net.JoinHostPort(name, port)+"?transport=tcp")
	return err
}

// listenBoth listens on one port for TCP and UDP. For port 0 it finds a port that
// is free for both.
func listenBoth(addr string) (net.Listener, net.PacketConn, error) {
	for tries := 0; ; tries++ {
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, nil, err
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err == nil {
			return tcp, udp, nil
		}
		_ = tcp.Close()
		if !strings.HasSuffix(addr, ":0") || tries >= 20 {
			return nil, nil, err
		}
	}
}

// Serve answers requests until Close. It does not block.
func (s *Server) Serve(permits Permits) error {
	if s.udp == nil {
		return nil
	}
	relays := &generator{relays: &s.relays, permits: permits, static: turn.RelayAddressGeneratorPortRange{RelayAddress: s.ip, Address: s.bind,
		MinPort: s.cfg.MinPort, MaxPort: s.cfg.MaxPort, MaxRetries: 50}}
	may := func(_ net.Addr, peer net.IP) bool { return s.cfg.reachable(peer) }
	cfg := turn.ServerConfig{Realm: realm, AuthHandler: s.authenticate(permits),
		QuotaHandler:  func(of, _ string, _ net.Addr) bool { return s.relays.free(of) },
		LoggerFactory: logger{s.cfg.Log},
		PacketConnConfigs: []turn.PacketConnConfig{
			{PacketConn: s.udp, RelayAddressGenerator: relays, PermissionHandler: may}}}
	for i, l := range s.tcp {
		var accepts net.Listener = l
		if i > 0 {
			accepts = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*s.cfg.Certificate}, MinVersion: tls.VersionTLS12})
		}
		cfg.ListenerConfigs = append(cfg.ListenerConfigs,
			turn.ListenerConfig{Listener: accepts, RelayAddressGenerator: relays, PermissionHandler: may})
	}
	var err error
	if s.server, err = turn.NewServer(cfg); err != nil {
		return fmt.Errorf("turn: %w", err)
	}
	return nil
}

// permitTimeout is the timeout of Permits.
const permitTimeout = 2 * time.Second

// authenticate returns a handler that checks the user name of a request. pion
// checks its password, and that a relay is used by its holder.
func (s *Server) authenticate(permits Permits) turn.AuthHandler {
	return func(r *turn.RequestAttributes) (string, []byte, bool) {
		g, ok := readUsername(r.Username)
		// An existing relay may be renewed during the call even after the credential expires.
		renews := r.Method != stun.MethodAllocate
		if !ok || (!renews && !s.cfg.Now().Before(g.until)) || !permitted(permits, g.holder) {
			return "", nil, false
		}
		return g.holder.String(), turn.GenerateAuthKey(r.Username, r.Realm, password(s.cfg.Secret, r.Username)), true
	}
}

// permitted reports whether a holder may use a relay now.
func permitted(permits Permits, h holder) bool {
	ctx, cancel := context.WithTimeout(context.Background(), permitTimeout)
	defer cancel()
	return permits(ctx, rooms.Actor{UserID: h.user, SessionID: h.session}, h.call)
}

// Published implements rooms.Listener: it closes the relays of calls that have
// ended and of members that have left.
func (s *Server) Published(p rooms.Publication) {
	if p.Damaged || p.Name != call.CallUpdated.Name || s.relays.count() == 0 {
		return
	}
	var c call.Call
	if err := json.Unmarshal(p.Data, &c); err != nil {
		s.cfg.Log.Error("turn: a call cannot be decoded", "error", err)
		return
	}
	s.relays.end(func(h holder) bool { return h.call == c.ID && !c.Concerns(h.user) })
}

// Signalled implements rooms.Listener: it closes the relays of sessions that have
// ended.
func (s *Server) Signalled(n rooms.Signal) {
	if n.EndsSession() {
		s.relays.end(func(h holder) bool { return h.session == rooms.SessionID(n.Room.Subject()) })
	}
}

// Servers implements call.Relay.
func (s *Server) Servers(actor rooms.Actor, id call.ID, now time.Time) call.ICEServers {
	answer := call.ICEServers{ICEServers: []call.ICEServer{}, TTL: int(s.cfg.Life.Seconds())}
	name := grant{now.Add(s.cfg.Life), holder{actor.UserID, actor.SessionID, id}}.username()
	add := func(urls []string, secret []byte) {
		var plain, relays []string
		for _, url := range urls {
			if strings.HasPrefix(url, "stun") {
				plain = append(plain, url)
			} else {
				relays = append(relays, url)
			}
		}
		if len(plain) > 0 {
			answer.ICEServers = append(answer.ICEServers, call.ICEServer{URLs: plain})
		}
		if len(relays) > 0 && id != "" {
			answer.ICEServers = append(answer.ICEServers,
				call.ICEServer{URLs: relays, Username: name, Credential: password(secret, name)})
		}
	}
	add(s.urls, s.cfg.Secret)
	add(s.cfg.External, s.cfg.ExternalSecret)
	return answer
}

// Listening reports whether this server has a relay.
func (s *Server) Listening() bool { return s.udp != nil }

// Relays returns the number of open relays.
func (s *Server) Relays() int { return s.relays.count() }

// Close closes all relays, connections and listeners.
func (s *Server) Close() error {
	var errs []error
	closed := func(err error) {
		if err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.server != nil {
		closed(s.server.Close())
	} else {
		if s.udp != nil {
			closed(s.udp.Close())
		}
		for _, l := range s.tcp {
			closed(l.Close())
		}
	}
	for _, l := range s.tcp {
		l.hangUp()
	}
	return errors.Join(errs...)
}

// Ports parses a range of ports, such as "49152-65535".
func Ports(text string) (lowest, highest uint16, err error) {
	a, b, ok := strings.Cut(text, "-")
	from, err1 := strconv.ParseUint(a, 10, 16)
	to, err2 := strconv.ParseUint(b, 10, 16)
	if !ok || err1 != nil || err2 != nil || from == 0 || from > to {
		return 0, 0, fmt.Errorf("%q is no range of ports such as 49152-65535", text)
	}
	return uint16(from), uint16(to), nil
}
