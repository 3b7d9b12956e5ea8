package edge

import (
	"errors"
	"net/http"
	"time"

	"github.com/zishang520/engine.io/v2/engine"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// library wraps zishang520's Socket.IO server, which keeps clients, namespaces
// and socket ids, runs the middleware, answers CONNECT, and closes connections
// that join no namespace. Our sessions are its engine, our decoder is its
// parser, and our rooms are its adapter.
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

// emptyRequest returns the request that the library gets for every connection.
// It would keep the real one in memory while the connection is open.
func emptyRequest() *types.HttpContext {
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	c := types.NewHttpContext(noResponse{}, r)
	c.Flush() // ends the goroutine that waits for the end of the request
	return c
}

type noResponse struct{}

func (noResponse) Header() http.Header         { return http.Header{} }
func (noResponse) Write(p []byte) (int, error) { return len(p), nil }
func (noResponse) WriteHeader(int)             {}

// open registers a namespace. Its middleware calls Handler.Connect.
func (l *library) open(n *Namespace) {
	ns := l.io.Of(n.name, nil)
	ns.Use(func(lib *socket.Socket, next func(*socket.ExtendedError)) {
		s, ok := lib.Handshake().Auth.(*Socket)
		if !ok {
			next(socket.NewExtendedError("not our connection", nil))
			return
		}
		s.library, s.id = lib, string(lib.Id())
		s.conn.engine.ended.Add(1) // Close waits for the result too
		go s.join(func(err error) { next(extended(err)) })
	})
	ns.On("connection", func(args ...any) {
		lib := args[0].(*socket.Socket)
		if s, ok := lib.Handshake().Auth.(*Socket); ok {
			close(s.settled)
			if s.conn.ctx.Err() != nil {
				// The session ended while the library was connecting. It
				// could not find this socket then.
				lib.Disconnect(false)
			}
		}
	})
}

// extended converts the error of Handler.Connect to the library's type.
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

// attach adds a session to the library as a connection.
func (l *library) attach(s *connection, c *client) *libraryConn {
	k := &libraryConn{conn: s, client: c, request: l.request}
	l.engine.Emit("connection", k)
	return k
}
