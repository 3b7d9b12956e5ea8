package account_test

import (
	"context"
	"testing"
	"time"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/roomstest"
)

func refresh(w *roomstest.World, token string) (Tokens, error) {
	return roomstest.Ask(w, guest("a"), Refresh, RefreshInput{RefreshToken: token})
}

// A refresh token that is used again ends its session: at once when what it
// was traded for is in use, and after a minute in any case.
func TestReusedRefreshToken(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(w *roomstest.World, next Tokens){
		"its successor was used": func(w *roomstest.World, next Tokens) {
			if _, err := refresh(w, next.RefreshToken); err != nil {
				w.T.Fatal(err)
			}
		},
		"a minute later":  func(w *roomstest.World, _ Tokens) { w.Passes(time.Minute + time.Second) },
		"after a restart": func(w *roomstest.World, _ Tokens) { w.Restarts(2 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			bo := w.Patient("bo")
			next, err := refresh(w, bo.RefreshToken)
			if err != nil {
				t.Fatal(err)
			}
			if code := roomstest.Code(bo, Me, rooms.Nothing{}); code != "" {
				t.Fatalf("after a refresh: %s", code)
			}
			between(w, next)
			if _, err := refresh(w, bo.RefreshToken); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
				t.Errorf("a used refresh token: %v", err)
			}
			if code := roomstest.Code(bo, Me, rooms.Nothing{}); code != rooms.CodeUnauthenticated {
				t.Errorf("the session of a stolen token still lives: %q", code)
			}
			if _, err := refresh(w, next.RefreshToken); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
				t.Errorf("the newer token of an ended session: %v", err)
			}
			if n := len(w.Signals(rooms.SessionRoom(bo.As.SessionID), SessionRevoked.Name)); n != 1 {
				t.Errorf("its sockets got the event %d times", n)
			}
		})
	}
}

// A browser may call itself anything: its name is kept as UTF-8, on both
// databases alike.
func TestUserAgentIsKeptAsText(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	from := guest("a")
	from.Agent = "X\xff\xfeY 浏览器"
	again := bo.Again(from)
	for _, s := range roomstest.Must(again, Sessions, rooms.Nothing{}).Items {
		if s.Current && s.UserAgent != "XY 浏览器" {
			t.Errorf("the browser is %q", s.UserAgent)
		}
	}
}

// An answer that is lost, with the server or the network, logs nobody out: for
// a minute the token is answered the same again, however often.
func TestLostRefreshAnswer(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	lost, err := refresh(w, bo.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	w.Restarts(30 * time.Second)
	for range 2 {
		again, err := refresh(w, bo.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		if again.RefreshToken != lost.RefreshToken {
			t.Fatal("the same token was traded for two")
		}
	}
	next, err := refresh(w, lost.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if next.RefreshToken == lost.RefreshToken || next.RefreshToken == bo.RefreshToken {
		t.Error("the token was not rotated")
	}
	if list := roomstest.Must(bo, Sessions, rooms.Nothing{}).Items; len(list) != 1 {
		t.Errorf("%d sessions", len(list))
	}
}

// Keys rotate by themselves and nobody is logged out: what an older key signed
// is good for its whole life, on every node, and no longer.
func TestSigningKeysRotate(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	elsewhere := w.Node(w.Hub)
	bo := w.Patient("bo")
	w.Passes(30*24*time.Hour - 14*time.Minute)
	old, err := refresh(w, bo.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	w.Passes(13 * time.Minute) // nearly a month: the new key is about to be made
	before, err := refresh(w, old.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	w.Passes(time.Minute) // made, not used yet
	w.Passes(2 * time.Minute)
	after, err := refresh(w, before.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := w.Keys()
	if err != nil || len(keys) != 2 {
		t.Fatalf("%d signing keys, %v", len(keys), err)
	}
	for name, token := range map[string]string{"signed before": before.AccessToken, "signed after": after.AccessToken} {
		if _, _, err := w.Accounts.Authenticate(t.Context(), token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := elsewhere.Authenticate(t.Context(), token); err != nil {
			t.Errorf("%s, on another node: %v", name, err)
		}
	}
	w.Restarts(10 * time.Minute)
	if _, _, err := w.Accounts.Authenticate(t.Context(), before.AccessToken); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	w.Passes(30 * 24 * time.Hour)
	if keys, err := w.Keys(); err != nil || len(keys) != 2 {
		t.Errorf("a month later: %d signing keys, %v", len(keys), err)
	}
}

// A token of a key that was never ours is refused.
func TestForeignSigningKey(t *testing.T) {
	t.Parallel()
	w, other := roomstest.New(t), roomstest.New(t)
	stranger := other.Patient("bo")
	w.Patient("bo")
	if _, _, err := w.Accounts.Authenticate(t.Context(), stranger.AccessToken); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("another server's token: %v", err)
	}
}

// What one node revokes, the others hear of from the database, once.
func TestRevocationReachesOtherNodes(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	second := bo.Again(guest("192.0.2.1"))
	received := &roomstest.Recorder{}
	hub := rooms.NewHub(rooms.HubOptions{Depth: 16})
	hub.Listen(received)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); hub.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	elsewhere := w.Node(hub)
	if err := elsewhere.Alive(t.Context(), second.As, ""); err != nil {
		t.Fatal(err)
	}
	roomstest.Must(bo, RevokeOthers, rooms.Nothing{})
	known, err := elsewhere.NotifyRevocations(t.Context(), nil)
	if err != nil || !known[second.As.SessionID] {
		t.Fatalf("received %v, %v", known, err)
	}
	if _, err := elsewhere.NotifyRevocations(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	if err := hub.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := received.Count(rooms.SessionRoom(second.As.SessionID), SessionRevoked.Name); n != 1 {
		t.Errorf("the sockets there got the event %d times", n)
	}
	if err := elsewhere.Alive(t.Context(), second.As, ""); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("the session there: %v", err)
	}
	if code := roomstest.Code(bo, Me, rooms.Nothing{}); code != "" {
		t.Errorf("the session that asked: %q", code)
	}
}

// A login on a new device is reported by mail and in the user's room; a login
// on a known device is not.
func TestNewDeviceNotification(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo").Verifies()
	before := len(w.Post.To(bo.User.Email))
	bo.Again(rooms.Actor{Address: "192.0.2.99"}) // the same network
	phone := rooms.Actor{Address: "2001:db8:1:2::3", Agent: "Mozilla/5.0 (iPhone)"}
	bo.Again(phone)
	bo.Again(rooms.Actor{Address: "2001:db8:1:ffff::1", Agent: phone.Agent})
	w.Passes(time.Second)
	letters := w.Post.To(bo.User.Email)[before:]
	if len(letters) != 1 || letters[0].Lines[2] != "Mozilla/5.0 (iPhone)\n2001:db8:1:2::3\n2026-11-01 12:00 UTC" {
		t.Errorf("letters: %+v", letters)
	}
	if events := w.Events(rooms.UserRoom(bo.User.ID)); len(events) != 1 || events[0].Name != SessionOpened.Name {
		t.Errorf("events: %+v", events)
	}
}

// Changes to how a user logs in require the password or second factor, unless it
// was given lately.
func TestSensitiveChangesRequireAuthentication(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	w.Passes(16 * time.Minute)
	sensitive := map[string]func() error{
		"password":       func() error { return ask(bo, ChangePassword, PasswordInput{Password: roomstest.Password}) },
		"totp":           func() error { return ask(bo, BeginTOTP, rooms.Nothing{}) },
		"totp off":       func() error { return ask(bo, RemoveTOTP, rooms.Nothing{}) },
		"recovery codes": func() error { return ask(bo, RenewRecoveryCodes, rooms.Nothing{}) },
		"passkey":        func() error { return ask(bo, BeginPasskey, rooms.Nothing{}) },
		"passkey away":   func() error { return ask(bo, RemovePasskey, PasskeyInput{PasskeyID: "x"}) },
		"export":         func() error { return ask(bo, Export, rooms.Nothing{}) },
		"identity away":  func() error { return ask(bo, Unlink, IdentityInput{IdentityID: "x"}) },
	}
	for name, try := range sensitive {
		if e, ok := try().(*rooms.Error); !ok || e.Code != rooms.CodeForbidden || e.Field != "confirm" {
			t.Errorf("%s: %v", name, e)
		}
	}
	if err := ask(bo, Confirm, ConfirmInput{Password: "a guess"}); rooms.CodeOf(err) != rooms.CodeInvalid {
		t.Errorf("confirmed with a guess: %v", err)
	}
	roomstest.Must(bo, Confirm, ConfirmInput{Password: roomstest.Password})
	for name, try := range sensitive {
		if rooms.CodeOf(try()) == rooms.CodeForbidden {
			t.Errorf("%s: still refused", name)
		}
	}
}

// ask is what became of a command.
func ask[In, Out any](p *roomstest.Person, command rooms.Command[In, Out], in In) error {
	p.W.T.Helper()
	_, err := roomstest.Ask(p.W, p.As, command, in)
	return err
}

// What a doctor does not use for the configured time ends on the server too,
// whatever the browser does by itself; a patient's does not.
func TestIdleSessionsEnd(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t, func(w *roomstest.World) { w.IdleLogOff = time.Hour })
	wang, bo := w.Doctor("wang"), w.Patient("bo")
	elsewhere := w.Node(w.Hub)
	for range 6 { // someone reads a page, and the browser says so
		w.Passes(50 * time.Minute)
		roomstest.Must(wang, KeepSession, rooms.Nothing{})
	}
	for range 6 { // on another node, which writes it down
		w.Passes(50 * time.Minute)
		if err := elsewhere.Alive(t.Context(), wang.As, Me.Name); err != nil {
			t.Fatal(err)
		}
		if err := elsewhere.WriteUses(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	desk := wang.Again(guest("192.0.2.9")) // that is used, unlike the first
	for range 6 {
		w.Passes(15 * time.Minute)
		next, err := refresh(w, wang.RefreshToken) // the browser, by itself
		if err == nil {
			wang.RefreshToken = next.RefreshToken
		}
		_ = w.Accounts.Alive(t.Context(), wang.As, "")           // its socket, which the server checks
		_ = w.Accounts.Alive(t.Context(), wang.As, Refresh.Name) // a browser that sends its access token with a refresh
		roomstest.Must(desk, Me, rooms.Nothing{})
	}
	if code := roomstest.Code(wang, Me, rooms.Nothing{}); code != rooms.CodeUnauthenticated {
		t.Errorf("the idle session: %q", code)
	}
	if n := len(w.Signals(rooms.SessionRoom(wang.As.SessionID), SessionRevoked.Name)); n != 1 {
		t.Errorf("its sockets got the event %d times", n)
	}
	if _, err := refresh(w, wang.RefreshToken); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("its refresh token: %v", err)
	}
	roomstest.Must(desk, Me, rooms.Nothing{})
	roomstest.Must(bo, Me, rooms.Nothing{})
	w.Restarts(3 * time.Hour)
	w.Passes(0)
	if code := roomstest.Code(desk, Me, rooms.Nothing{}); code != rooms.CodeUnauthenticated {
		t.Errorf("idle over a restart: %q", code)
	}
}

// A session that is not refreshed ends when it expires: its sockets are
// notified, and it leaves its calls. A refreshed session lives for the whole
// time again.
func TestExpiredSessionsEnd(t *testing.T) {
	t.Parallel()
	const life = 365 * 24 * time.Hour
	w := roomstest.New(t)
	bo, li := w.Patient("bo"), w.Patient("li")
	w.Passes(life - time.Minute)
	next, err := refresh(w, li.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	ended := func(p *roomstest.Person) int {
		return len(w.Signals(rooms.SessionRoom(p.As.SessionID), SessionRevoked.Name))
	}
	if n := ended(bo); n != 0 {
		t.Fatalf("a minute before: ended %d times", n)
	}
	w.Passes(time.Minute)
	for range 2 {
		if ended(bo) != 1 || ended(li) != 0 {
			t.Errorf("the session that was not refreshed ended %d times, the other %d times", ended(bo), ended(li))
		}
		w.Restarts(time.Second)
		w.Passes(time.Second)
	}
	roomstest.Must(li, Me, rooms.Nothing{})
	if code := roomstest.Code(bo, Me, rooms.Nothing{}); code != rooms.CodeUnauthenticated {
		t.Errorf("the expired session: %q", code)
	}
	w.RefreshLife = time.Hour
	w.Restarts(0)
	if next, err = refresh(w, next.RefreshToken); err != nil {
		t.Fatal(err)
	}
	w.Passes(time.Hour)
	if n := ended(li); n != 1 {
		t.Errorf("refreshed when logins last an hour, the other ended %d times an hour later", n)
	}
	if _, err := refresh(w, next.RefreshToken); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("its refresh token: %v", err)
	}
	for _, p := range []*roomstest.Person{bo, li} {
		entries, err := roomstest.Ask(w, rooms.Actor{Role: rooms.RoleAdmin}, audit.List, audit.LogFilter{Subject: "user:" + string(p.User.ID), Action: LogOut.Name})
		if err != nil || len(entries.Items) != 1 || entries.Items[0].Reason != "expired" || entries.Items[0].SessionID != p.As.SessionID {
			t.Errorf("the audit log has %+v, %v", entries.Items, err)
		}
	}
}
