package server

import (
	"net/http"
	"testing"
)

func TestClientAddress(t *testing.T) {
	t.Parallel()
	p, err := readProxies([]string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, want string
		forwarded  []string
	}{
		{"203.0.113.9:5000", "203.0.113.9", nil},
		{"203.0.113.9:5000", "203.0.113.9", []string{"198.51.100.1"}}, // who is not trusted may claim what they like
		{"10.1.2.3:5000", "10.1.2.3", nil},
		{"10.1.2.3:5000", "198.51.100.1", []string{"198.51.100.1"}},
		{"10.1.2.3:5000", "198.51.100.1", []string{"127.0.0.1, 198.51.100.1"}},          // the client made up the first
		{"10.1.2.3:5000", "198.51.100.1", []string{"127.0.0.1", "198.51.100.1"}},        // in a header of its own
		{"10.1.2.3:5000", "198.51.100.1", []string{"198.51.100.1, 192.0.2.7,10.9.9.9"}}, // through three proxies
		{"10.1.2.3:5000", "10.1.2.3", []string{"nonsense"}},
		{"10.1.2.3:5000", "10.9.9.9", []string{"nonsense, 10.9.9.9"}},
		{"[2001:db8::1]:5000", "2a00::1", []string{"2a00::1"}},
		{"[::ffff:10.1.2.3]:5000", "198.51.100.1", []string{"::ffff:198.51.100.1"}},
		{"@", "@", []string{"198.51.100.1"}},
	} {
		r := &http.Request{RemoteAddr: c.from, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := p.client(r); got != c.want {
			t.Errorf("from %s, forwarded for %v: %s, want %s", c.from, c.forwarded, got, c.want)
		}
	}
	if _, err := readProxies([]string{"proxy.example"}); err == nil {
		t.Error("a name was taken for an address")
	}
}
