package edge

// Conn is a connection to a bare Engine.
type Conn struct {
	s         *session
	onMessage func(c *Conn, data []byte, binary bool)
}

// Send sends one message. It never waits; the error is ErrClosed when the
// connection has ended.
func (c *Conn) Send(data []byte, binary bool) error {
	if binary {
		return c.s.send(binaryFrame(data))
	}
	return c.s.send(textFrame("4" + string(data)))
}

// NewEngine makes a bare Engine.IO server without Socket.IO above it.
// onMessage is called for one message of a connection at a time, in order.
func NewEngine(cfg Config, onMessage func(c *Conn, data []byte, binary bool)) *Engine {
	if cfg.Path == "" {
		cfg.Path = "/engine.io"
	}
	return newEngine(cfg.withDefaults(), bare(onMessage))
}

type bare func(c *Conn, data []byte, binary bool)

func (b bare) open(s *session) speaker { return &Conn{s, b} }

func (c *Conn) message(data []byte, binary bool) error {
	c.onMessage(c, data, binary)
	return nil
}

func (c *Conn) closed(string) {}
