package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// dialTimeout is how long one connection may take to open.
const dialTimeout = 10 * time.Second

// dialer opens connections to one server.
type dialer struct {
	base    string // http://…
	polling bool
	http    *http.Client
	ws      websocket.Dialer
}

func newDialer(o Options) *dialer {
	network := &net.Dialer{}
	return &dialer{base: o.Server, polling: o.Polling,
		http: &http.Client{Transport: &http.Transport{DialContext: network.DialContext, MaxIdleConnsPerHost: 4 * o.Dialers}},
		// The write buffer must hold a whole message, so that it is not sent in
		// fragments. It comes from a pool during writes.
		ws: websocket.Dialer{NetDialContext: network.DialContext,
			ReadBufferSize: 1 << 10, WriteBufferSize: o.Payload + 4<<10, WriteBufferPool: &sync.Pool{}}}
}

func (d *dialer) close() { d.http.CloseIdleConnections() }

// open opens a connection and joins the namespace, with an access token if it is not
// empty. onEvent is called with the events.
func (d *dialer) open(ctx context.Context, namespace, token string, onEvent func(body []byte)) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	join := appendPacket(nil, kindConnect, 0, namespace)
	if token != "" {
		auth, err := json.Marshal(map[string]string{"token": token})
		if err != nil {
			return nil, err
		}
		join = append(join, auth...)
	}
	c := &conn{namespace: namespace, onEvent: onEvent}
	var err error
	if d.polling {
		err = d.openPolling(ctx, c, join)
	} else {
		err = d.openWebSocket(ctx, c, join)
	}
	if err != nil {
		if c.ws != nil {
			c.ws.Close()
		}
		if ctx.Err() != nil {
			err = fmt.Errorf("load: not connected in time: %w", err)
		}
		return nil, err
	}
	c.listen()
	return c, nil
}

// openWebSocket connects with WebSocket from the start, like bots and servers.
func (d *dialer) openWebSocket(ctx context.Context, c *conn, join []byte) error {
	if err := d.upgrade(ctx, c, ""); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.ws.Close() })
	defer stop()
	if text, _, err := c.message(nil); err != nil {
		return err
	} else if len(text) == 0 || text[0] != engineOpen {
		return errPacket
	}
	if err := c.write(join); err != nil {
		return err
	}
	for {
		text, _, err := c.message(nil)
		if err != nil {
			return err
		}
		if done, err := joined(text); done || err != nil {
			return err
		}
	}
}

// joined reports whether text is the answer to CONNECT.
func joined(text []byte) (bool, error) {
	if len(text) < 2 || text[0] != engineMessage {
		return false, nil
	}
	p, ok := parsePacket(text[1:])
	switch {
	case !ok:
		return false, errPacket
	case p.kind == kindConnectError:
		return false, fmt.Errorf("load: the server refused the connection: %s", p.body)
	}
	return p.kind == kindConnect, nil
}

func (d *dialer) upgrade(ctx context.Context, c *conn, sid string) error {
	target := "ws" + strings.TrimPrefix(d.base, "http") + "/socket.io/?EIO=4&transport=websocket"
	if sid != "" {
		target += "&sid=" + sid
	}
	ws, response, err := d.ws.DialContext(ctx, target, nil)
	if err != nil {
		if response != nil {
			err = fmt.Errorf("%w: %s", err, response.Status)
		}
		return err
	}
	c.ws = ws
	return nil
}

// openPolling connects with long-polling and upgrades to WebSocket, like browsers.
func (d *dialer) openPolling(ctx context.Context, c *conn, join []byte) error {
	body, err := d.poll(ctx, http.MethodGet, "", nil)
	if err != nil {
		return err
	}
	var open struct {
		SID string `json:"sid"`
	}
	if len(body) == 0 || body[0] != engineOpen || json.Unmarshal(body[1:], &open) != nil {
		return errPacket
	}
	if _, err := d.poll(ctx, http.MethodPost, open.SID, join); err != nil {
		return err
	}
	for done := false; !done; {
		if body, err = d.poll(ctx, http.MethodGet, open.SID, nil); err != nil {
			return err
		}
		for text := range bytes.SplitSeq(body, []byte{0x1e}) {
			answer, err := joined(text)
			if err != nil {
				return err
			}
			done = done || answer
		}
	}
	if err := d.upgrade(ctx, c, open.SID); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.ws.Close() })
	defer stop()
	if err := c.write([]byte("2probe")); err != nil {
		return err
	}
	if text, _, err := c.message(nil); err != nil || string(text) != "3probe" {
		return errors.Join(err, errPacket)
	}
	return c.write([]byte("5"))
}

func (d *dialer) poll(ctx context.Context, method, sid string, body []byte) ([]byte, error) {
	target := d.base + "/socket.io/?EIO=4&transport=polling"
	if sid != "" {
		target += "&sid=" + sid
	}
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	response, err := d.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("polling: %s: %s", response.Status, answer)
	}
	return answer, err
}
