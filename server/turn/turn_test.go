package turn

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
	"go.uber.org/goleak"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/call"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is the maximum time that a test waits for something.
const patience = 30 * time.Second

// start runs a relay on this machine that permits the call "call".
func start(t *testing.T, change func(*Config)) *Server {
	t.Helper()
	cfg := Config{Addr: "127.0.0.1:0", MinPort: 20000, MaxPort: 60000, AllowPrivate: true, PerUser: 3, Most: 5,
		Secret: []byte("a key of 32 characters for tests"), Life: time.Hour, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Serve(func(_ context.Context, actor rooms.Actor, id call.ID) bool { return actor.UserID != "" && id == "call" }); err != nil {
		t.Fatal(err)
	}
	return s
}

// login returns the credential of a user for a call.
func login(s *Server, user rooms.UserID, id call.ID) call.ICEServer {
	for _, server := range s.Servers(rooms.Actor{UserID: user, SessionID: "session"}, id, s.cfg.Now()).ICEServers {
		if server.Username != "" {
			return server
		}
	}
	return call.ICEServer{}
}

// client returns a client of the relay over UDP, or over the connection over.
func client(t *testing.T, s *Server, as call.ICEServer, over net.Conn) *pion.Client {
	t.Helper()
	var conn net.PacketConn
	var err error
	if over != nil {
		conn = pion.NewSTUNConn(over)
	} else if conn, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	at := s.udp.LocalAddr().String()
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	c, err := pion.NewClient(&pion.ClientConfig{STUNServerAddr: at, TURNServerAddr: at, Conn: conn,
		Username: as.Username, Password: as.Credential, Realm: realm, LoggerFactory: quiet})
	if err == nil {
		err = c.Listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		_ = conn.Close()
	})
	return c
}

func allocate(t *testing.T, s *Server, as call.ICEServer) (net.PacketConn, error) {
	t.Helper()
	relayed, err := client(t, s, as, nil).Allocate()
	if err == nil {
		t.Cleanup(func() { _ = relayed.Close() })
	}
	return relayed, err
}

// echo starts a peer that echoes packets.
func echo(t *testing.T) net.Addr {
	t.Helper()
	peer, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := peer.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = peer.WriteTo(b[:n], from)
		}
	}()
	return peer.LocalAddr()
}

// through sends to a peer over a relay and waits for the echo. UDP may lose a
// packet, so it is sent until the echo arrives.
func through(t *testing.T, relayed net.PacketConn, peer net.Addr) {
	t.Helper()
	b := make([]byte, 1500)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, err := relayed.WriteTo([]byte("hello"), peer); err != nil {
			t.Fatal(err)
		}
		_ = relayed.SetReadDeadline(time.Now().Add(time.Second))
		if n, _, err := relayed.ReadFrom(b); err == nil && string(b[:n]) == "hello" {
			return
		}
	}
	t.Fatal("no echo")
}

func TestRelaying(t *testing.T) {
	t.Parallel()
	certificate := selfSigned(t)
	s := start(t, func(c *Config) { c.TLSAddr, c.Certificate = "127.0.0.1:0", &certificate })
	bo := login(s, "bo", "call")
	for _, want := range []string{"turn:127.0.0.1:", "turns:", "transport=tcp"} {
		if urls := fmt.Sprint(bo.URLs); !strings.Contains(urls, want) {
			t.Errorf("no %s in %s", want, urls)
		}
	}
	peer := echo(t)
	tcp, err := net.Dial("tcp", s.tcp[0].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	secure, err := tls.Dial("tcp", s.tcp[1].Addr().String(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // our own
	if err != nil {
		t.Fatal(err)
	}
	for name, over := range map[string]net.Conn{"UDP": nil, "TCP": tcp, "TLS": secure} {
		relayed, err := client(t, s, bo, over).Allocate()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		through(t, relayed, peer)
		if err := relayed.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadCredentials(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	s := start(t, func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	bo, wang := login(s, "bo", "call"), login(s, "wang", "call")
	of := func(user rooms.UserID, id call.ID) holder { return holder{user, "session", id} }
	good := func(g grant) call.ICEServer {
		return call.ICEServer{Username: g.username(), Credential: password(s.cfg.Secret, g.username())}
	}
	for name, as := range map[string]call.ICEServer{
		"expired":              good(grant{time.Now().Add(-time.Minute), of("bo", "call")}),
		"prolonged":            {Username: grant{time.Now().Add(48 * time.Hour), of("bo", "call")}.username(), Credential: bo.Credential},
		"another's password":   {Username: bo.Username, Credential: wang.Credential},
		"another's name":       {Username: wang.Username, Credential: bo.Credential},
		"forged":               {Username: bo.Username, Credential: password([]byte("a guess"), bo.Username)},
		"of a call that ended": good(grant{time.Now().Add(time.Hour), of("bo", "another")}),
		"of no user":           good(grant{time.Now().Add(time.Hour), of("", "call")}),
		"of no call":           good(grant{time.Now().Add(time.Hour), of("bo", "")}),
		"of no session":        good(grant{time.Now().Add(time.Hour), holder{"bo", "", "call"}}),
		"nonsense":             {Username: "bo", Credential: password(s.cfg.Secret, "bo")},
		"none":                 {Username: "x", Credential: "x"},
	} {
		if _, err := allocate(t, s, as); err == nil {
			t.Errorf("%s: has a relay", name)
		}
	}
	if n := s.Relays(); n != 0 {
		t.Errorf("%d relays", n)
	}
	// A user keeps a relay during the call, and nobody else can use it: the user
	// of each request must be that of the relay.
	relayed, err := allocate(t, s, bo)
	if err != nil {
		t.Fatal(err)
	}
	later.Store(int64(2 * time.Hour))
	through(t, relayed, echo(t))
	if _, err := allocate(t, s, bo); err == nil {
		t.Error("an expired credential has another relay")
	}
}

// A request of wang for bo's relay is refused even from the same address.
func TestAnothersRelay(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	c := client(t, s, login(s, "bo", "call"), nil)
	relayed, err := c.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	if !renew(t, s, c, login(s, "bo", "call")) {
		t.Error("bo's own relay is not renewed")
	}
	if renew(t, s, c, login(s, "wang", "call")) {
		t.Error("wang renews bo's relay")
	}
	if err := relayed.Close(); err != nil {
		t.Error(err)
	}
}

func TestPrivatePeersAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *Config) { c.AllowPrivate = false })
	c := client(t, s, login(s, "bo", "call"), nil)
	relayed, err := c.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = relayed.Close() })
	for _, ip := range []string{"127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"} {
		if err := c.CreatePermission(&net.UDPAddr{IP: net.ParseIP(ip), Port: 9}); err == nil {
			t.Errorf("a relay may reach %s", ip)
		}
	}
	if err := c.CreatePermission(&net.UDPAddr{IP: net.ParseIP("203.0.113.9"), Port: 9}); err != nil {
		t.Errorf("a relay may not reach the internet: %v", err)
	}
	for ip, want := range map[string]bool{"::1": false, "::": false, "fd00::1": false, "fe80::1": false, "ff02::1": false,
		"::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false,
		"2606:4700::1111": true, "8.8.8.8": true, "172.32.0.1": true} {
		if got := s.cfg.reachable(net.IP(netip.MustParseAddr(ip).AsSlice())); got != want {
			t.Errorf("reachable(%s) = %v", ip, got)
		}
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	bo, wang := login(s, "bo", "call"), login(s, "wang", "call")
	has := func(as call.ICEServer) (net.PacketConn, bool) {
		relayed, err := allocate(t, s, as)
		return relayed, err == nil
	}
	first, _ := has(bo)
	for i := range 2 {
		if _, ok := has(bo); !ok {
			t.Fatalf("bo's relay %d is refused", i+2)
		}
	}
	if _, ok := has(bo); ok {
		t.Error("bo has a fourth relay of three")
	}
	for range 2 {
		if _, ok := has(wang); !ok {
			t.Fatal("wang's relay is refused")
		}
	}
	if _, ok := has(wang); ok {
		t.Error("there is a sixth relay of five")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); s.Relays() > 4 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	if _, ok := has(bo); !ok {
		t.Error("a closed relay is still counted")
	}
}

func TestExternalServers(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Secret: []byte("ours"), Life: time.Hour,
		External: []string{"stun:a.example:3478", "turn:a.example:3478?transport=udp"}, ExternalSecret: []byte("north")})
	if err != nil {
		t.Fatal(err)
	}
	got := s.Servers(rooms.Actor{UserID: "bo", SessionID: "s"}, "call", time.Unix(1000, 0))
	if len(got.ICEServers) != 2 || got.ICEServers[0].Username != "" || got.TTL != 3600 {
		t.Fatalf("%+v", got)
	}
	// printf 4600:bo:s:call | openssl dgst -sha1 -hmac north -binary | base64
	want := call.ICEServer{URLs: []string{"turn:a.example:3478?transport=udp"}, Username: "4600:bo:s:call",
		Credential: "Mx8NUic6drnA8+KVW96bRdVOkaQ="}
	if fmt.Sprint(got.ICEServers[1]) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got.ICEServers[1], want)
	}
	if _, err := New(Config{Addr: "0.0.0.0:0", PerUser: 1, Most: 1}); err == nil {
		t.Error("a relay without a public address is accepted")
	}
	for _, bad := range []string{"", "1", "5-1", "0-9", "a-b", "1-70000"} {
		if _, _, err := Ports(bad); err == nil {
			t.Errorf("Ports(%q)", bad)
		}
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "turn.example"},
		NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// renew sends a request to renew the relay of c's address with the credential as,
// and reports whether it succeeds.
func renew(t *testing.T, s *Server, c *pion.Client, as call.ICEServer) bool {
	t.Helper()
	kind := stun.NewType(stun.MethodRefresh, stun.ClassRequest)
	unsigned, err := stun.Build(stun.TransactionID, kind)
	if err != nil {
		t.Fatal(err)
	}
	challenge, err := c.PerformTransaction(unsigned, s.udp.LocalAddr(), false)
	var nonce stun.Nonce
	if err != nil || nonce.GetFrom(challenge.Msg) != nil {
		t.Fatalf("no nonce: %v", err)
	}
	signed, err := stun.Build(stun.TransactionID, kind, stun.NewUsername(as.Username), stun.NewRealm(realm), nonce,
		stun.NewLongTermIntegrity(as.Username, realm, as.Credential))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.PerformTransaction(signed, s.udp.LocalAddr(), false)
	return err == nil && answer.Msg.Type.Class == stun.ClassSuccessResponse
}
