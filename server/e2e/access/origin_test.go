package access_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// forged are claims of a client about where it is.
var forged = []http.Header{
	{},
	{"X-Forwarded-For": {"6.6.6.6"}},
	{"X-Forwarded-For": {"6.6.6.6", "7.7.7.7, 8.8.8.8"}},
	{"X-Forwarded-For": {"6.6.6.6:4711"}},
	{"X-Forwarded-For": {"2001:db8::6"}},
	{"X-Forwarded-For": {"[2001:db8::6]:4711"}},
	{"X-Forwarded-For": {"fe80::6%eth0"}},
	{"X-Forwarded-For": {"127.0.0.1"}}, // the balancer's own
	{"X-Forwarded-For": {"nonsense"}},
	{"X-Forwarded-For": {"6.6.6.6,"}},
	{"X-Forwarded-For": {""}},
	{"X-Real-Ip": {"6.6.6.6"}},
	{"Forwarded": {`for=6.6.6.6;proto=https, for="[2001:db8::6]:4711"`}},
	{"X-Forwarded-For": {"6.6.6.6", "nonsense"}, "X-Real-Ip": {"7.7.7.7"}, "Forwarded": {"for=8.8.8.8"}, "True-Client-Ip": {"9.9.9.9"}},
}

// Behind each balancer that a configuration is shipped for, whatever a client
// claims, REST, Socket.IO and the plain chat know where it is.
func TestTheAddressBehindABalancer(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) { c.TrustedProxies = []string{"127.0.0.1"} })
	address := strings.TrimPrefix(w.Base, "http://")
	there := net.IPv4(127, 0, 0, 2) // the balancers are at 127.0.0.1
	for name, run := range map[string]sidecar.Balancer{"nginx.conf": sidecar.Nginx, "haproxy.cfg": sidecar.HAProxy, "Caddyfile": sidecar.Caddy} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behind := w.From(there)
			behind.Base = fmt.Sprint("http://127.0.0.1:", run(t, "../../../deploy/"+name, [3]string{address, address, address}))
			bo := w.Patient("bo")
			for i, claims := range forged {
				agent := fmt.Sprintf("%s %d", name, i)
				logsInWith(bo, t, behind, agent, claims)
				joinsWith(behind, t, agent, claims)
			}
			for _, s := range e2e.Do(bo, account.Sessions, rooms.Nothing{}).Items {
				if strings.HasPrefix(s.UserAgent, name) && s.Address != there.String() {
					t.Errorf("%s, which claims %v, logged in from %s", s.UserAgent, forged[number(s.UserAgent)], s.Address)
				}
			}
			seen := 0
			for _, s := range e2e.Do(w.Admin, operations.Sockets, operations.SocketFilter{Namespace: rooms.Lobby, Limit: 200}).Items {
				if strings.HasPrefix(s.Agent, name) {
					if seen++; s.Address != there.String() {
						t.Errorf("%s, which claims %v, is connected from %s", s.Agent, forged[number(s.Agent)], s.Address)
					}
				}
			}
			if seen != len(forged) {
				t.Errorf("%d of %d sockets are there", seen, len(forged))
			}
		})
	}
}

func number(agent string) (n int) {
	_, last, _ := strings.Cut(agent, " ")
	_, _ = fmt.Sscan(last, &n) // of the test's own agents
	return n
}

// logsInWith logs a person in by what calls itself so.
func logsInWith(p *e2e.Person, t *testing.T, at *e2e.World, agent string, claims http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at.Base+"/api/v1/auth/login",
		strings.NewReader(fmt.Sprintf(`{"email":%q,"password":%q}`, p.User.Email, e2e.Password)))
	e2e.Must(t, err)
	r.Header = claims.Clone()
	r.Header.Set("User-Agent", agent)
	r.Header.Set("Content-Type", "application/json")
	resp, err := at.HTTP.Do(r)
	e2e.Must(t, err)
	e2e.Must(t, resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: the login is answered %s", agent, resp.Status)
	}
}

// joinsWith joins the lobby by what calls itself so, until the end of the test.
func joinsWith(w *e2e.World, t *testing.T, agent string, claims http.Header) {
	t.Helper()
	header := claims.Clone()
	header.Set("User-Agent", agent)
	dialer := websocket.Dialer{NetDialContext: e2e.DialerFrom(w.IP).DialContext, HandshakeTimeout: e2e.Patience}
	ws, _, err := dialer.DialContext(t.Context(), strings.Replace(w.Base, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket", header)
	e2e.Must(t, err)
	b := e2e.BareOn(t, ws, rooms.Lobby)
	if got := b.Connect(""); !strings.HasPrefix(got, "40"+rooms.Lobby) {
		t.Fatalf("%s: CONNECT is answered %q", agent, got)
	}
}
