package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// poller is a client on long-polling, at an address of its own. As browsers do
// it has one GET open and sends beside it, and it opens another session when
// one has ended. It keeps no cookies.
type poller struct {
	r     *roll
	talk  *talk
	by    *http.Client
	token string
	last  atomic.Int64   // the seq up to which it has received everything
	whole bool           // it has got what it had missed when it e2e.Joined
	ahead map[int64]bool // seqs that it received before those that it had missed
}

// polls opens one more, which is subscribed to a consultation.
func (r *roll) polls(k *talk) {
	r.t.Helper()
	token, err := k.patient.AccessToken(r.ctx)
	e2e.Must(r.t, err)
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+slices.Index(r.talks, k)))}}
	transport := &http.Transport{DialContext: from.DialContext}
	p := &poller{r: r, talk: k, by: &http.Client{Transport: transport, Timeout: 2 * e2e.Patience}, token: token, ahead: map[int64]bool{}}
	k.pollers = append(k.pollers, p)
	r.tasks.Go(func() {
		defer transport.CloseIdleConnections()
		for r.ctx.Err() == nil && p.session() {
		}
	})
}

// errMoved is that the balancer sends a session to a node that does not have it.
var errMoved = errors.New("another node is asked for the session")

// session is one from its handshake to its end. It reports whether another may
// be opened: it ended as it may.
func (p *poller) session() bool {
	ctx, over := context.WithCancelCause(p.r.ctx)
	defer over(nil)
	p.whole = false
	opened, err := p.request(ctx, http.MethodGet, "", "")
	if err != nil {
		return false
	}
	p.r.sessions.Add(1)
	_, rest, _ := strings.Cut(opened, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	say := make(chan string, 16)
	p.r.tasks.Go(func() {
		for {
			select {
			case packet := <-say:
				if _, err := p.request(ctx, http.MethodPost, sid, packet); err != nil {
					over(err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	say <- fmt.Sprintf(`40%s,{"token":%q}`, rooms.Consultations, p.token)
	for {
		text, err := p.request(ctx, http.MethodGet, sid, "")
		if err != nil {
			return errors.Is(err, errMoved)
		}
		for packet := range strings.SplitSeq(text, "\x1e") {
			if packet == "1" {
				return true
			}
			p.hear(packet, say)
		}
	}
}

// request makes one, which must succeed unless its session is over.
func (p *poller) request(ctx context.Context, method, sid, body string) (string, error) {
	url := p.r.Base + "/socket.io/?EIO=4&transport=polling"
	if sid != "" {
		url += "&sid=" + sid
	}
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		p.r.fails("%v", err)
		return "", err
	}
	status, text, err := exchange(p.by, request)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err == nil && status == http.StatusOK:
		return text, nil
	case p.r.moves && sid != "" && err == nil && status == http.StatusBadRequest && strings.Contains(text, "Session ID unknown"):
		return "", errMoved
	}
	p.r.fails("polling: %s %.60s (session %q): %d %s %v", method, body, sid, status, text, err)
	return "", fmt.Errorf("status %d: %v", status, err)
}

// hear takes a packet, and answers what asks for an answer.
func (p *poller) hear(packet string, say chan<- string) {
	const joining = "43" + rooms.Consultations + ",1"
	switch {
	case packet == "2":
		say <- "3"
	case strings.HasPrefix(packet, e2e.Joined):
		p.join(say)
	case strings.HasPrefix(packet, joining):
		p.catchUp(strings.TrimPrefix(packet, joining), say)
	case strings.HasPrefix(packet, "42"+rooms.Consultations+","):
		var event []json.RawMessage
		var e rooms.Event
		if err := json.Unmarshal([]byte(strings.TrimPrefix(packet, "42"+rooms.Consultations+",")), &event); err != nil || len(event) != 2 {
			p.r.fails("polling: %s", packet)
			return
		}
		if json.Unmarshal(event[1], &e) == nil && e.Seq > 0 && e.Room == p.talk.id.Room() {
			p.take(e)
		}
	}
}

// join asks for the consultation, and for what was missed of it.
func (p *poller) join(say chan<- string) {
	say <- fmt.Sprintf(`42%s,1[%q,{"consultationId":%q,"after":%d}]`, rooms.Consultations, consultation.Join.Name, p.talk.id, p.last.Load())
}

// catchUp takes the answer to join.
func (p *poller) catchUp(answer string, say chan<- string) {
	var args []struct {
		OK   bool                `json:"ok"`
		Data consultation.Joined `json:"data"`
	}
	if err := json.Unmarshal([]byte(answer), &args); err != nil || len(args) != 1 || !args[0].OK {
		p.r.fails("polling: joining is answered %s", answer)
		return
	}
	for _, e := range args[0].Data.Events {
		p.take(e)
	}
	if p.whole = !args[0].Data.HasMore; !p.whole {
		p.join(say)
	}
}

// take takes an event. Between what was missed and what came since nothing may
// be left out.
func (p *poller) take(e rooms.Event) {
	if int64(e.Seq) <= p.last.Load() {
		return // it was among what was missed
	}
	p.ahead[int64(e.Seq)] = true
	for p.ahead[p.last.Load()+1] {
		delete(p.ahead, p.last.Add(1))
	}
	if p.whole && len(p.ahead) > 0 {
		p.r.fails("polling: event %d comes after %d", e.Seq, p.last.Load())
	}
}
