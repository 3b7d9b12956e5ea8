package edge

import (
	"net/http"
	"net/url"
	"strings"
	"unique"
)

// keptHeaders are the headers of a handshake that Socket.Header returns.
var keptHeaders = []string{
	"Origin", "User-Agent", "Accept-Language", "Authorization", "Cookie",
	"X-Request-Id", "Traceparent", "X-Forwarded-For",
}

// internedHeaders are those whose values many clients have in common. They are
// interned to save memory.
var internedHeaders = map[string]bool{"Origin": true, "User-Agent": true, "Accept-Language": true}

// peer has the parts of a client's first request that are kept. The request
// itself is not, because it holds buffers of several kilobytes.
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
	for _, name := range keptHeaders {
		n += 2 * len(r.Header[name])
	}
	if n > 0 {
		p.fields = make([]string, 0, n)
	}
	for _, name := range keptHeaders {
		for _, value := range r.Header[name] {
			value = strings.Clone(value)
			if internedHeaders[name] {
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
