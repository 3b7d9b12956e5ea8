package httpserver

import (
	"net/http"
	"testing"
)

// The client's address is read from all forms of X-Forwarded-For. Other headers
// are ignored.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	p, err := ReadProxies([]string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::ffff:172.16.0.0/108", "fe80::9%eth0"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, want string
		forwarded  []string
	}{
		{"203.0.113.9:5000", "203.0.113.9", nil},
		{"203.0.113.9:5000", "203.0.113.9", []string{"198.51.100.1"}}, // an address that is not trusted may claim anything
		{"10.1.2.3:5000", "10.1.2.3", nil},
		{"10.1.2.3:5000", "198.51.100.1", []string{"198.51.100.1"}},
		{"10.1.2.3:5000", "198.51.100.1", []string{"127.0.0.1, 198.51.100.1"}},          // the client made up the first
		{"10.1.2.3:5000", "198.51.100.1", []string{"127.0.0.1", "198.51.100.1"}},        // in a line before
		{"10.1.2.3:5000", "198.51.100.1", []string{"6.6.6.6, 7.7.7.7", "198.51.100.1"}}, // several
		{"10.1.2.3:5000", "198.51.100.1", []string{"198.51.100.1, 192.0.2.7,10.9.9.9"}}, // through three proxies
		{"10.1.2.3:5000", "198.51.100.1", []string{"198.51.100.1", "192.0.2.7", "10.9.9.9"}},
		{"10.1.2.3:5000", "10.4.5.6", []string{"10.4.5.6"}}, // a client in a trusted network
		{"10.1.2.3:5000", "10.1.2.3", []string{"nonsense"}},
		{"10.1.2.3:5000", "10.1.2.3", []string{"198.51.100.1, nonsense"}},
		{"10.1.2.3:5000", "10.1.2.3", []string{"198.51.100.1,"}},
		{"10.1.2.3:5000", "10.1.2.3", []string{""}},
		{"10.1.2.3:5000", "10.1.2.3", []string{"unknown"}},
		{"10.1.2.3:5000", "10.1.2.3", []string{"300.1.1.1"}},
		{"10.1.2.3:5000", "10.1.2.3", []string{"010.1.1.1"}},
		{"10.1.2.3:5000", "10.1.2.3", []string{"for=198.51.100.1"}},
		{"10.1.2.3:5000", "10.1.2.3", []string{`"198.51.100.1"`}},
		{"10.1.2.3:5000", "10.1.2.3", []string{"[198.51.100.1]"}}, // brackets are for IPv6
		{"10.1.2.3:5000", "10.9.9.9", []string{"nonsense, 10.9.9.9"}},
		{"10.1.2.3:5000", "198.51.100.1", []string{" \t198.51.100.1 "}},
		{"10.1.2.3:5000", "198.51.100.1", []string{"198.51.100.1:4711"}},
		{"10.1.2.3:5000", "2a00::1", []string{"2a00::1"}},
		{"10.1.2.3:5000", "2a00::1", []string{"2A00:0:0::0001"}}, // one spelling of each
		{"10.1.2.3:5000", "2a00::1", []string{"[2a00::1]"}},
		{"10.1.2.3:5000", "2a00::1", []string{"[2a00::1]:4711"}},
		{"10.1.2.3:5000", "fe80::1", []string{"fe80::1%eth0"}},
		{"10.1.2.3:5000", "fe80::1", []string{"[fe80::1%eth0]:4711"}},
		{"10.1.2.3:5000", "198.51.100.1", []string{"::ffff:198.51.100.1"}},
		{"[2001:db8::1]:5000", "2a00::1", []string{"2a00::1"}},
		{"[2001:db8::1%eth0]:5000", "2a00::1", []string{"2a00::1"}},
		{"[::ffff:10.1.2.3]:5000", "198.51.100.1", []string{"::ffff:198.51.100.1"}},
		{"[::ffff:172.16.1.1]:5000", "198.51.100.1", []string{"198.51.100.1"}}, // trusted as ::ffff:172.16.0.0/108
		{"[fe80::9%eth1]:5000", "198.51.100.1", []string{"198.51.100.1"}},      // trusted as fe80::9%eth0
		{"@", "@", []string{"198.51.100.1"}},
	} {
		r := &http.Request{RemoteAddr: c.from, Header: http.Header{"X-Forwarded-For": c.forwarded,
			"X-Real-Ip": {"6.6.6.6"}, "Forwarded": {"for=6.6.6.6"}, "True-Client-Ip": {"6.6.6.6"}, "Cf-Connecting-Ip": {"6.6.6.6"}}}
		if got := p.Client(r); got != c.want {
			t.Errorf("from %s, forwarded for %v: %s, want %s", c.from, c.forwarded, got, c.want)
		}
	}
	if _, err := ReadProxies([]string{"proxy.example"}); err == nil {
		t.Error("a name is accepted as an address")
	}
}
