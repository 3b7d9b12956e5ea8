package edge

import (
	"errors"
	"net/http"
	"time"

	"github.com/zishang520/engine.io/v2/engine"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// library is zishang520's Socket.IO as we use it: it keeps clients,
// namespaces and socket ids, runs the middleware, answers CONNECT, and closes
// connections that join nothing. It is bound to our sessions as its engine,
// to our decoder as its parser, and to our rooms as its adapter.
type library struct {
	io      *socket.Server
	engine  engine.BaseServer // only its events are used
	request *types.HttpContext
}

func newLibrary(connectTimeout time.Duration) *library {
	opts := socket.DefaultServerOptions()
	opts.SetParser(parserShim{})
	opts.SetAdapter(adapterShim{})
	opts.SetConnectTimeout(connectTimeout)
	opts.SetServeClient(false)
	l := &library{io: socket.NewServer(nil, opts), engine: engine.MakeBaseServer(), request: emptyRequest()}
	l.io.Bind(l.engine)
	return l
}

// emptyRequest is the request that the library believes every connection came
// with. It would keep the true one for as long as the connection lives.
func emptyRequest() *types.HttpContext {
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	c := types.NewHttpContext(noResponse{}, r)
	c.Flush() // ends the goroutine that waits for the request's end
	return c
}

type noResponse struct{}

func (noResponse) Header() http.Header         { return http.Header{} }
func (noResponse) Write(p []byte) (int, error) { return len(p), nil }
func (noResponse) WriteHeader(int)             {}

// open makes a namespace known. The handler's judgement is the namespace's
// middleware.
func (l *library) open(n *Namespace) {
	ns := l.io.Of(n.name, nil)
	ns.Use(func(lib *socket.Socket, next func(*socket.ExtendedError)) {
		s, ok := lib.Handshake().Auth.(*Socket)
		if !ok {
			next(socket.NewExtendedError("not our connection", nil))
			return
		}
		s.library, s.id = lib, string(lib.Id())
		s.session.engine.ended.Add(1) // Close waits for the verdict, too
		go s.join(func(err error) { next(extended(err)) })
	})
	ns.On("connection", func(args ...any) {
		lib := args[0].(*socket.Socket)
		if s, ok := lib.Handshake().Auth.(*Socket); ok {
			close(s.settled)
			if s.session.ctx.Err() != nil {
				// The session ended while the library was connecting, too
				// early for it to find this socket.
				lib.Disconnect(false)
			}
		}
	})
}

// extended turns a refusal into the library's form of it.
func extended(err error) *socket.ExtendedError {
	if err == nil {
		return nil
	}
	var data any
	var with interface{ ConnectErrorData() any }
	if errors.As(err, &with) {
		data = with.ConnectErrorData()
	}
	return socket.NewExtendedError(err.Error(), data)
}

// attach introduces a session to the library as a connection.
func (l *library) attach(s *session, c *client) *link {
	k := &link{session: s, client: c, request: l.request}
	l.engine.Emit("connection", k)
	return k
}
