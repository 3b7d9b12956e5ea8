package identity

import (
	"fmt"
	"io"
	"net/http"
)

// answerMost is the most bytes that are read of an answer of a provider: what it
// says about itself, its keys, a token. Usual ones have some kilobytes.
const answerMost = 1 << 20

// short is a transport that fails to read an answer past answerMost: the
// libraries that parse answers read them whole.
type short struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (s short) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.Transport.RoundTrip(r)
	if err == nil {
		answer.Body = &shortBody{ReadCloser: answer.Body, left: answerMost}
	}
	return answer, err
}

type shortBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *shortBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the answer has more than %d bytes", answerMost)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
