package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// stall is how long a client may leave unread what was written to it.
func (s *server) stall() time.Duration { return 3 * s.deps.BodyTimeout }

// withBodyTimeout limits the time in which the body of a request must arrive. net/http
// itself waits without a limit, even for the body of a request that was
// answered without it. Handlers of uploads allow more time (arriveWithin).
func withBodyTimeout(next http.Handler, within time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			control := http.NewResponseController(w)
			arriveWithin(control, within)
			r.Body = deadlineBody{r.Body, control}
		}
		next.ServeHTTP(w, r)
	})
}

// arriveWithin gives what is read from now on so long to arrive. A connection
// that cannot do it (a test's) has no deadline.
func arriveWithin(control *http.ResponseController, within time.Duration) {
	_ = control.SetReadDeadline(time.Now().Add(within))
}

// deadlineBody is a body with a deadline, which ends with it: what the server reads
// after it, to notice that the client goes away, has none.
type deadlineBody struct {
	io.ReadCloser
	control *http.ResponseController
}

// Read implements io.Reader.
func (a deadlineBody) Read(b []byte) (int, error) {
	n, err := a.ReadCloser.Read(b)
	if errors.Is(err, io.EOF) {
		_ = a.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// slowWriter writes to a client that may take its time, but must not stand still,
// until ctx ends.
type slowWriter struct {
	http.ResponseWriter
	ctx     context.Context
	control *http.ResponseController
	stall   time.Duration
	mu      sync.Mutex // orders deadlines
}

// writeSlowly writes to w until ctx ends; a write that waits for the client then
// fails at once. done must be called before w is given back.
func (s *server) writeSlowly(ctx context.Context, w http.ResponseWriter) (p *slowWriter, done func()) {
	p = &slowWriter{ResponseWriter: w, ctx: ctx, control: http.NewResponseController(w), stall: s.stall()}
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(over)
		p.mu.Lock()
		defer p.mu.Unlock()
		_ = p.control.SetWriteDeadline(time.Unix(1, 0)) // a connection that cannot do it waits for nobody
	})
	return p, func() {
		if !stop() {
			<-over
		}
	}
}

// Write implements io.Writer.
func (p *slowWriter) Write(b []byte) (int, error) {
	if err := p.extend(); err != nil {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}

func (p *slowWriter) extend() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := context.Cause(p.ctx); err != nil {
		return err
	}
	return p.control.SetWriteDeadline(time.Now().Add(p.stall))
}

// discardBytes is how much of a refused file is read at least: 8 MB.
const discardBytes = 8 << 20

// refuseUpload refuses a file, and then reads what is left of it and throws it
// away: as much as a file may have, at least discardBytes, within the time for a
// body. Many clients read the answer only when they have sent everything, and
// would see a connection that was reset instead. A client that waits before it
// sends (Expect) sends nothing.
func (s *server) refuseUpload(c *gin.Context, command string, err error, sent io.Reader) {
	control := http.NewResponseController(c.Writer)
	duplex := control.EnableFullDuplex() == nil // otherwise the body ends with the answer
	s.refuse(c, command, err)
	if !duplex || c.GetHeader("Expect") != "" || control.Flush() != nil {
		return
	}
	arriveWithin(control, s.deps.BodyTimeout)
	_, _ = io.CopyN(io.Discard, sent, max(s.deps.AttachmentBytes, discardBytes)+bodyBytes) // it is refused already
}
