package e2e_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/board"
	calls "wenzhen/rooms/call"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/server"
)

// scene is a consultation that goes on, with a call in it, and someone who has
// access to all of it and is about to lose it.
type scene struct {
	*world
	bo, wang *person
	id       consultation.ID
	call     calls.ID
	big      chat.Attachment // of which a reader is not sent the end until it reads
}

// bigger than what lies between a server and a client that does not read.
const bigger = 24 << 20

func (w *world) scene() *scene {
	w.t.Helper()
	s := &scene{world: w, bo: w.patient("bo").online(), wang: w.doctor("wang").online()}
	s.id = s.bo.consults(s.wang, "headache")
	s.wang.accepts(s.id)
	for range 3 {
		s.bo.says(s.id, "before")
	}
	s.big = s.bo.uploads(s.id, "big.txt", bytes.Repeat([]byte("0123456789abcde\n"), bigger/16))
	return s
}

// losing is someone with everything open.
type losing struct {
	*scene
	p        *person
	at       *bare // hears the room, and has the board open
	page     chat.MessagePage
	download *http.Response
}

// opens opens everything that there is, on a node.
func (s *scene) opens(t *testing.T, p *person, there *world) *losing {
	t.Helper()
	l := &losing{scene: s, p: p, at: there.bare(t)}
	token := p.Tokens().AccessToken
	if got := l.at.connect(token); !strings.HasPrefix(got, joined) {
		t.Fatalf("cannot connect: %s", got)
	}
	if s.call == "" {
		s.call = call(s.bo, calls.Invite, calls.CallInvitation{ConsultationID: s.id, Medium: account.Video, To: []rooms.UserID{s.wang.user.ID}}).Call.ID
		call(s.wang, calls.Accept, calls.CallAnswer{CallID: s.call})
	}
	for i, step := range []struct {
		command string
		in      any
	}{
		{consultation.Join.Name, consultation.JoinInput{ConsultationID: s.id}},
		{calls.Accept.Name, calls.CallAnswer{CallID: s.call}},
		{calls.ReadServers.Name, calls.ServersInput{CallID: s.call}},
		{board.Read.Name, board.BoardRef{ConsultationID: s.id}},
	} {
		if r := l.at.ask(i+1, step.command, step.in); !r.OK {
			t.Fatalf("%s: %v", step.command, r.Error)
		}
	}
	l.page = do(p, chat.History, chat.HistoryInput{ConsultationID: s.id, Limit: 2})
	if !l.page.HasMore {
		t.Fatal("there is no second page of the history")
	}
	l.download = there.slowly(t, "/api/v1/attachments/"+string(s.big.ID), token)
	return l
}

// slowly begins to download something over a connection that holds little.
func (w *world) slowly(t *testing.T, path, token string) *http.Response {
	t.Helper()
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10) })
	}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.base+path, nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := transport.RoundTrip(req)
	must(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the download is answered %s", resp.Status)
	}
	_, err = io.ReadFull(resp.Body, make([]byte, 1000))
	must(t, err)
	return resp
}

// lost checks that nothing of the room arrives any more, and that nothing goes
// on: mark is in what is said in the room afterwards.
func (l *losing) lost(t *testing.T, want rooms.Code, mark string, heard []string) {
	t.Helper()
	for _, packet := range heard {
		if strings.Contains(packet, mark) {
			t.Errorf("is still sent %s", packet)
		}
	}
	rest, err := io.Copy(io.Discard, l.download.Body)
	if err == nil || rest >= bigger-1000 {
		t.Errorf("the download went on: %d bytes more, %v", rest, err)
	}
	for what, err := range map[string]error{
		"the next page":  failing(l.p, chat.History, chat.HistoryInput{ConsultationID: l.id, Limit: 2, Before: l.page.Items[0].Seq}),
		"the log":        failing(l.p, consultation.Events, consultation.EventsInput{ConsultationID: l.id, After: l.page.Items[0].Seq}),
		"the credential": failing(l.p, calls.ReadServers, calls.ServersInput{CallID: l.call}),
		"a message":      failing(l.p, chat.Send, textOf(l.id, "still here")),
	} {
		if rooms.CodeOf(err) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = l.p.Upload(t.Context(), l.id, "late.txt", strings.NewReader("late"))
	code(t, err, want)
	eventually(t, "out of the call", func() bool {
		for _, c := range call(l.bo, calls.List, calls.CallFilter{}).Items {
			for _, m := range c.Members {
				if c.ID == l.call && m.UserID == l.p.user.ID {
					return m.Status == calls.MemberLeft
				}
			}
		}
		t.Fatal("the call of the others is over")
		return false
	})
}

func failing[In, Out any](p *person, command rooms.Command[In, Out], in In) error {
	_, err := client.Do(p.w.t.Context(), p.Client, command, in)
	return err
}

// shows does what others see in the room: speaks, and draws.
func (s *scene) shows(mark string) {
	s.t.Helper()
	call(s.bo, board.Commit, board.CommitInput{ConsultationID: s.id, ID: board.StrokeID(mark), Tool: board.Pen, Colour: "#1d6b62", Width: 4, Points: []float64{1, 2, 0.5}})
	call(s.bo, chat.Send, textOf(s.id, mark))
}

// wayOut is a way in which access is lost: with the login, or to this
// consultation alone.
type wayOut struct {
	lose  func(s *scene, p *person)
	alone bool
}

var waysOut = map[string]wayOut{
	"logged out": {lose: func(_ *scene, p *person) {
		do(p, account.LogOut, account.RefreshInput{RefreshToken: p.Tokens().RefreshToken})
	}},
	"revoked":              {lose: func(_ *scene, p *person) { do(p, account.RevokeSession, account.SessionInput{SessionID: current(p)}) }},
	"ended from elsewhere": {lose: func(_ *scene, p *person) { do(p.again(), account.RevokeOthers, rooms.Nothing{}) }},
	"suspended":            {lose: func(s *scene, p *person) { do(s.admin, account.SuspendUser, account.UserInput{UserID: p.user.ID}) }},
	"erased":               {lose: func(_ *scene, p *person) { do(p, account.Erase, rooms.Nothing{}) }},
	"removed": {alone: true, lose: func(s *scene, p *person) {
		do(s.bo, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: s.id, UserID: p.user.ID})
	}},
	"quit": {alone: true, lose: func(s *scene, p *person) { do(p, consultation.Quit, consultation.Input{ConsultationID: s.id}) }},
}

// The time axis of the authorization table: whatever someone has open, once
// their access is lost nothing of it arrives and nothing of it goes on.
func TestLostAccessEndsWhatIsOpen(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *server.Config) { c.AttachmentBytes = 2 * bigger })
	everyWayOut(t, w.scene(), w)
}

// So it is on another node, of which the others know only by the log.
func TestLostAccessEndsWhatIsOpenElsewhere(t *testing.T) {
	t.Parallel()
	list, wires := nodes(t, 2, func(c *server.Config) { c.AttachmentBytes = 2 * bigger })
	s := list[0].scene()
	for _, wire := range wires {
		wire.Cut()
	}
	everyWayOut(t, s, list[1])
}

func everyWayOut(t *testing.T, s *scene, there *world) {
	for name, way := range waysOut {
		t.Run(name, func(t *testing.T) {
			aunt := s.patient("aunt")
			do(s.bo, consultation.Invite, consultation.InviteInput{ConsultationID: s.id, UserID: aunt.user.ID, Role: consultation.PartRelative, History: true})
			l := s.opens(t, aunt, there)
			way.lose(s, aunt)
			mark := secret + rooms.NewID(time.Now())
			s.shows(mark)
			if way.alone { // the connection lives, and hears of other things
				l.lost(t, rooms.CodeNotFound, mark, l.at.heardUntil(string(aunt.consults(s.wang, "another matter"))))
			} else {
				l.lost(t, rooms.CodeUnauthenticated, mark, l.at.all())
			}
		})
	}
}

// all reads until the connection has ended, and returns what came.
func (b *bare) all() []string {
	b.t.Helper()
	var all []string
	for {
		packet, err := b.read()
		if errors.Is(err, errSilence) {
			b.t.Fatal("the connection was not closed")
		}
		if err != nil {
			return all
		}
		all = append(all, packet)
	}
}
