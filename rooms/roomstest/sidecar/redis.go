package sidecar

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Redis starts a Redis that keeps nothing, and ends with the test.
func Redis(t testing.TB) (p *Program, port int) {
	t.Helper()
	dir, err := folder("redis", nil)
	must(t, err)
	port, err = FreePort()
	must(t, err)
	server, err := binary("redis-server")
	must(t, err)
	p, err = start(dir, "KILL", filepath.Join(dir, "log"), nil, server, "--port", strconv.Itoa(port), "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--dir", dir)
	must(t, err)
	t.Cleanup(p.Stop)
	must(t, await("Redis", p, func() error { return ping(port) }))
	return p, port
}

// ping asks a Redis whether it is there, in its own protocol.
func ping(port int) error {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer := make([]byte, 7)
	_, err = c.Read(answer)
	return err
}
