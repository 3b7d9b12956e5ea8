package edge

import (
	"net/http"
	"net/url"
	"strings"
	"unique"
)

// kept are the headers of a handshake that outlive it.
var kept = []string{
	"Origin", "User-Agent", "Accept-Language", "Authorization", "Cookie",
	"X-Request-Id", "Traceparent", "X-Forwarded-For",
}

// shared are those of them that thousands of clients send alike; one copy
// serves them all.
var shared = map[string]bool{"Origin": true, "User-Agent": true, "Accept-Language": true}

// peer is what is remembered of a client's first request. The request itself
// is let go: it holds buffers of several kilobytes.
type peer struct {
	address string
	fields  []string // header names and values in turn
	query   string
}

func newPeer(address string, r *http.Request) peer {
	p := peer{
		address: strings.Clone(address),
		query:   unique.Make(strings.Clone(r.URL.RawQuery)).Value(),
	}
	n := 0
	for _, name := range kept {
		n += 2 * len(r.Header[name])
	}
	if n > 0 {
		p.fields = make([]string, 0, n)
	}
	for _, name := range kept {
		for _, value := range r.Header[name] {
			value = strings.Clone(value)
			if shared[name] {
				value = unique.Make(value).Value()
			}
			p.fields = append(p.fields, name, value)
		}
	}
	return p
}

func (p peer) header() http.Header {
	h := make(http.Header, len(p.fields)/2)
	for i := 0; i+1 < len(p.fields); i += 2 {
		h.Add(p.fields[i], p.fields[i+1])
	}
	return h
}

func (p peer) values() url.Values {
	v, _ := url.ParseQuery(p.query)
	return v
}
