package edge

// Conn is a connection to an Engine without Socket.IO.
type Conn struct {
	s         *connection
	onMessage func(c *Conn, data []byte, binary bool)
}

// Send sends one message. It does not block; the error is ErrClosed if the
// connection has ended.
func (c *Conn) Send(data []byte, binary bool) error {
	if binary {
		return c.s.send(binaryFrame(data))
	}
	return c.s.send(textFrame("4" + string(data)))
}

// NewEngine returns an Engine.IO server without Socket.IO above it.
// onMessage is called with the messages of a connection one at a time, in order.
func NewEngine(cfg Config, onMessage func(c *Conn, data []byte, binary bool)) *Engine {
	if cfg.Path == "" {
		cfg.Path = "/engine.io"
	}
	return newEngine(cfg.withDefaults(), messageFunc(onMessage))
}

// messageFunc is the protocol of an engine that NewEngine returns.
type messageFunc func(c *Conn, data []byte, binary bool)

func (f messageFunc) open(s *connection) protoState { return &Conn{s, f} }

func (c *Conn) message(data []byte, binary bool) error {
	c.onMessage(c, data, binary)
	return nil
}

func (c *Conn) closed(string) {}
