package access_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest/prove"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// When a session is revoked, its sockets get the reason and are closed; the
// user's other sessions stay open.
func TestRevokedSessionIsCut(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	lost := bo.Again().Online()
	bare := lost.Bare(t)
	room := lost.Joins(id)
	session := e2e.Current(lost)
	told := make(chan account.SessionInput, 1)
	client.On(lost.Client, account.SessionRevoked, func(in account.SessionInput) { told <- in })

	e2e.Do(bo, account.RevokeSession, account.SessionInput{SessionID: session})
	if in := e2e.Await(t, "session:revoked", told); in.SessionID != session {
		t.Errorf("told of session %q", in.SessionID)
	}
	e2e.Await(t, "the end of the client", lost.Done())
	e2e.Code(t, lost.Err(), rooms.CodeUnauthenticated)
	_, err := client.Call(t.Context(), lost.Client, chat.Send, e2e.TextOf(id, "still me"))
	e2e.Code(t, err, rooms.CodeUnauthenticated)
	_, err = client.Do(t.Context(), lost.Client, account.Me, rooms.Nothing{})
	e2e.Code(t, err, rooms.CodeUnauthenticated)
	for _, err = range room.Events(t.Context()) {
	}
	e2e.Code(t, err, rooms.CodeUnauthenticated)

	// To a socket that is read frame by frame: the reason, DISCONNECT, the end.
	bare.Event("session:revoked")
	if got := bare.Next(); got != "41/consultations," {
		t.Errorf("then came %q, want DISCONNECT", got)
	}
	bare.Closed()
	if got := w.Bare(t).Connect(lost.Tokens().AccessToken); !strings.Contains(got, `"code":"unauthenticated"`) {
		t.Errorf("it came back: %s", got)
	}
	e2e.Call(bo, chat.Send, e2e.TextOf(id, "the other device lives"))
}

// Suspending a user ends all that the user has.
func TestSuspendedUserIsCut(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id := bo.Consults(wang, "a headache")
	second := bo.Again().Online()
	e2e.Do(w.Admin, account.SuspendUser, account.UserInput{UserID: bo.User.ID})
	for _, device := range []*e2e.Person{bo, second} {
		e2e.Await(t, "the end of a device", device.Done())
		_, err := client.Do(t.Context(), device.Client, account.Refresh, account.RefreshInput{RefreshToken: device.Tokens().RefreshToken})
		e2e.Code(t, err, rooms.CodeUnauthenticated)
	}
	_, err := w.Client().LogIn(t.Context(), account.LoginInput{Email: bo.User.Email, Password: e2e.Password})
	e2e.Code(t, err, rooms.CodeForbidden)
	if c := e2e.Do(wang, consultation.Read, consultation.Input{ConsultationID: id}); c.Status != consultation.Cancelled || c.EndedBy != consultation.EndedByClinic {
		t.Errorf("what the user had open is %s, ended by %q", c.Status, c.EndedBy)
	}
}

// Logging out ends the session of the refresh token, and its sockets.
func TestLogOut(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo := w.Patient("bo").Online()
	e2e.Do(bo, account.LogOut, account.RefreshInput{RefreshToken: bo.Tokens().RefreshToken})
	e2e.Await(t, "the end of the client", bo.Done())
	e2e.Code(t, bo.Err(), rooms.CodeUnauthenticated)
}

// With an expired token nothing can be done but refresh it, on the same socket.
func TestExpiredTokenNeedsRefresh(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) { c.AccessLife = 2 * time.Second })
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	bare := bo.Bare(t)
	in := consultation.JoinInput{ConsultationID: id}
	if r := bare.Ask(1, consultation.Join.Name, in); !r.OK {
		t.Fatalf("join: %v", r.Error)
	}
	var r e2e.Reply
	e2e.Eventually(t, "the token expires", func() bool {
		r = bare.Ask(2, consultation.Join.Name, in)
		return !r.OK
	})
	e2e.Code(t, r.Error, rooms.CodeUnauthenticated)
	fresh := e2e.Do(bo, account.Refresh, account.RefreshInput{RefreshToken: bo.Tokens().RefreshToken})
	r = bare.Ask(3, "auth:refresh", map[string]string{"token": fresh.AccessToken})
	var expiry account.Expiry
	if !r.OK || json.Unmarshal(r.Data, &expiry) != nil || time.Until(expiry.ExpiresAt) <= 0 {
		t.Fatalf("auth:refresh: %+v %s", r.Error, r.Data)
	}
	if r := bare.Ask(4, consultation.Join.Name, in); !r.OK {
		t.Errorf("then: %v", r.Error)
	}
	// Another user's token is not taken.
	e2e.Code(t, bare.Ask(5, "auth:refresh", map[string]string{"token": wang.Again().Tokens().AccessToken}).Error, rooms.CodeForbidden)
}

// A client refreshes by itself, without reconnecting and before it is refused: the
// server's clock stands still, so that no token expires however slow the test is,
// and the client counts on its own clock.
func TestClientRefreshesByItself(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Microsecond)
	w := e2e.NewWorld(t, t.TempDir())
	w.Now, w.Change = func() time.Time { return now }, []func(*app.Config){func(c *app.Config) { c.AccessLife = 2 * time.Second }}
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	var l e2e.Lines
	bo, wang := w.Patient("bo", l.Dial()).Online(), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	for range 3 {
		before := bo.Tokens().RefreshToken
		e2e.Eventually(t, "fresh tokens", func() bool { return bo.Tokens().RefreshToken != before })
		e2e.Call(bo, consultation.Join, consultation.JoinInput{ConsultationID: id})
	}
	if n := l.Count(); n != 1 {
		t.Errorf("%d connections, want the first alone", n)
	}
}

// A refresh token that is used when what it was traded for is in use was stolen
// by one of the two: its session ends for both.
func TestReusedRefreshTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo := w.Patient("bo").Online()
	old := bo.Tokens().RefreshToken
	thief, err := client.Do(t.Context(), w.Client(), account.Refresh, account.RefreshInput{RefreshToken: old})
	e2e.Must(t, err)
	thief, err = client.Do(t.Context(), w.Client(), account.Refresh, account.RefreshInput{RefreshToken: thief.RefreshToken})
	e2e.Must(t, err)
	_, err = client.Do(t.Context(), w.Client(), account.Refresh, account.RefreshInput{RefreshToken: old})
	e2e.Code(t, err, rooms.CodeUnauthenticated)
	e2e.Await(t, "the end of the client", bo.Done())
	_, err = client.Do(t.Context(), w.Client(client.WithTokens(account.Tokens{AccessToken: thief.AccessToken})), account.Me, rooms.Nothing{})
	e2e.Code(t, err, rooms.CodeUnauthenticated)
	_, err = client.Do(t.Context(), w.Client(), account.Refresh, account.RefreshInput{RefreshToken: thief.RefreshToken})
	e2e.Code(t, err, rooms.CodeUnauthenticated)
}

// A session that is ended on one node is cut on the other, which is notified of it
// from the database they share.
func TestRevokedSessionIsCutElsewhere(t *testing.T) {
	t.Parallel()
	w := e2e.StartOn(t, e2e.PostgresDatabase(t))
	bo := w.Patient("bo")
	there := *w
	there.Run("127.0.0.1:0")
	elsewhere := &e2e.Person{Client: there.Client(client.WithTokens(bo.Tokens())), World: &there, User: bo.User}
	told := make(chan account.SessionInput, 8)
	client.On(elsewhere.Client, account.SessionRevoked, func(in account.SessionInput) { told <- in })
	elsewhere.Online()
	session := e2e.Current(elsewhere)
	e2e.Do(bo, account.RevokeSession, account.SessionInput{SessionID: session})
	if in := e2e.Await(t, "session:revoked on the other node", told); in.SessionID != session {
		t.Errorf("told of session %q", in.SessionID)
	}
	e2e.Await(t, "the end of the client", elsewhere.Done())
	e2e.Code(t, elsewhere.Err(), rooms.CodeUnauthenticated)
}

// A session that is revoked is cut, on the other node as well, and within two
// seconds: only the full run judges the time, which has the machine to itself.
func TestRevokedSessionIsCutWithinTwoSeconds(t *testing.T) {
	prove.Parallel(t)
	const promised = 2 * time.Second
	w := e2e.StartOn(t, e2e.PostgresDatabase(t))
	there := *w
	there.Run("127.0.0.1:0")
	bo := w.Patient("bo")
	for range prove.Size(t, "sessions cut within two seconds", 1, 20) {
		here := bo.Again().Online()
		elsewhere := (&e2e.Person{Client: there.Client(client.WithTokens(here.Tokens())), World: &there, User: bo.User}).Online()
		session := e2e.Current(here)
		began := time.Now()
		e2e.Do(bo, account.RevokeSession, account.SessionInput{SessionID: session})
		e2e.Await(t, "the end here", here.Done())
		e2e.Await(t, "the end elsewhere", elsewhere.Done())
		if took := time.Since(began); prove.Full() && took >= promised {
			t.Errorf("the cut took %v", took)
		}
	}
}

// A doctor's session that nobody uses ends on the server, and its sockets are
// closed on every node: neither the fresh tokens that its client fetches by
// itself nor the check of all sockets every ten seconds is a use. A patient's lives.
func TestIdleSessionIsCut(t *testing.T) {
	t.Parallel()
	w := e2e.StartOn(t, e2e.PostgresDatabase(t), func(c *app.Config) { c.IdleLogOff, c.AccessLife = 11*time.Second, 3*time.Second })
	wang, bo := w.Doctor("wang").Online(), w.Patient("bo").Online()
	there := *w
	there.Run("127.0.0.1:0")
	elsewhere := (&e2e.Person{Client: there.Client(client.WithTokens(wang.Again().Tokens())), World: &there, User: wang.User}).Online()
	for _, device := range []*e2e.Person{wang, elsewhere} {
		e2e.Await(t, "the end of a device that nobody uses", device.Done())
		e2e.Code(t, device.Err(), rooms.CodeUnauthenticated)
	}
	_, err := client.Do(t.Context(), w.Client(), account.Refresh, account.RefreshInput{RefreshToken: wang.Tokens().RefreshToken})
	e2e.Code(t, err, rooms.CodeUnauthenticated)
	e2e.Call(bo, consultation.Join, consultation.JoinInput{ConsultationID: bo.Consults(wang, "a headache")})
}

// A shutdown answers what runs, tells sockets to come back, and ends in time;
// the clients go on with the next server by themselves.
func TestShutdownLosesNobody(t *testing.T) {
	t.Parallel()
	addr := e2e.FreeAddress(t)
	w := e2e.Start(t, func(c *app.Config) { c.Addr = addr })
	k := w.Open("talk")
	bare := k.Sides[0].Bare(t)
	ctx, cancel := context.WithTimeout(t.Context(), e2e.Patience)
	defer cancel()
	over := make(chan struct{})
	errs := make(chan error, 2)
	for i, s := range k.Sides {
		go func() {
			for n := 0; ; n++ {
				select {
				case <-over:
					errs <- nil
					return
				default:
				}
				if err := s.Send(ctx, string(rune('a'+i))+"-"+string(rune('0'+n%10))+rooms.NewID(time.Now())); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	received := make(chan error, 2)
	for _, s := range k.Sides {
		go func() { received <- s.Listen(ctx) }()
	}
	acked := func() int {
		k.Sides[0].Mu.Lock()
		defer k.Sides[0].Mu.Unlock()
		return len(k.Sides[0].Acked)
	}
	e2e.Eventually(t, "messages flow", func() bool { return acked() > 20 })
	kicked := make(chan bool, 1)
	go func() { kicked <- bare.Disconnected() }()
	e2e.Must(t, w.Stop()) // which fails after its deadline
	if e2e.Await(t, "the end of the bare socket", kicked) {
		t.Error("a socket was disconnected in a way that prevents reconnecting")
	}
	before := acked()
	next := *w
	next.Run(addr)
	e2e.Eventually(t, "messages flow again", func() bool { return acked() > before+20 })
	close(over)
	for range k.Sides {
		e2e.Must(t, <-errs)
	}
	e2e.Do(k.Sides[1].Person, consultation.End, consultation.EndInput{ConsultationID: k.ID})
	for range k.Sides {
		e2e.Must(t, <-received)
	}
	k.Check(t)
}
