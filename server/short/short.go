// Package short bounds what is read of the answers of other servers, which the
// libraries that parse them read whole.
package short

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"time"
)

// most is the most bytes that are read of an answer. Usual ones have some
// kilobytes.
const most = 1 << 20

// timeout bounds a request of a client that has no bound of its own.
const timeout = 30 * time.Second

// Client is a client, or the usual one for nil, that fails to read an answer
// past 1 MiB, and for longer than 30 s unless it has a timeout of its own.
func Client(of *http.Client) *http.Client {
	c := http.Client{}
	if of != nil {
		c = *of
	}
	c.Timeout = cmp.Or(c.Timeout, timeout)
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	c.Transport = transport{c.Transport}
	return &c
}

type transport struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = &body{ReadCloser: answer.Body, left: most}
	}
	return answer, err
}

type body struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the answer has more than %d bytes", most)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
