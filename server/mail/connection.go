package mail

import (
	"context"
	"fmt"
	"net"
	"time"
)

const (
	// answersMost bounds what is read of a server while one mail is sent, its
	// certificates included. A reply has up to 512 bytes (RFC 5321 section
	// 4.5.3.1.5), and there are fewer than ten.
	answersMost = 64 << 10
	// goodbye is how long a server that has taken a mail may take to say so to QUIT.
	goodbye = time.Second
)

// connection is one to a mail server. It ends with the context that it was made
// with, and reads no more than answersMost.
type connection struct {
	net.Conn
	left int64
	stop func() bool
}

// dial connects; the connection ends with the context.
func dial(ctx context.Context, network, address string) (*connection, error) {
	raw, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: raw, left: answersMost, stop: context.AfterFunc(ctx, func() { _ = raw.Close() })}
	return c, nil
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.stop()
	return c.Conn.Close()
}

// Read implements net.Conn.
func (c *connection) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("the mail server answers with more than %d bytes", answersMost)
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}
