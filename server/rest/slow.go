package rest

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// stall is how long a client may leave unread what was written to it.
func (s *server) stall() time.Duration { return 3 * s.deps.BodyTimeout }

// timely gives a request's body so long to arrive. net/http itself would wait
// for ever, even for the body of a request that was answered without it. Who
// takes a file gives it longer (arriveWithin).
func timely(next http.Handler, within time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			control := http.NewResponseController(w)
			arriveWithin(control, within)
			r.Body = arriving{r.Body, control}
		}
		next.ServeHTTP(w, r)
	})
}

// arriveWithin gives what is read from now on so long to arrive. A connection
// that cannot do it (a test's) has no deadline.
func arriveWithin(control *http.ResponseController, within time.Duration) {
	_ = control.SetReadDeadline(time.Now().Add(within))
}

// arriving is a body with a deadline, which ends with it: what the server reads
// after it, to notice that the client goes away, has none.
type arriving struct {
	io.ReadCloser
	control *http.ResponseController
}

// Read implements io.Reader.
func (a arriving) Read(b []byte) (int, error) {
	n, err := a.ReadCloser.Read(b)
	if errors.Is(err, io.EOF) {
		_ = a.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// patient writes to a client that may take its time, but must not stand still.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
}

func (s *server) patiently(w http.ResponseWriter) *patient {
	return &patient{w, http.NewResponseController(w), s.stall()}
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(p.stall)); err != nil {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}
