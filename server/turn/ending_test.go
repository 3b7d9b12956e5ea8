package turn

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/call"
)

// A relay ends with its call, its user's membership in the call, or its session.
// Other relays stay open.
func TestRelaysEndWithTheirHolder(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *Config) { c.PerUser, c.Most = 10, 10 })
	updated := func(id call.ID, status call.CallStatus, members ...call.Member) {
		data, err := json.Marshal(call.Call{ID: id, Status: status, Members: members})
		if err != nil {
			t.Fatal(err)
		}
		s.Published(rooms.Publication{Event: rooms.Event{Room: "consultation:1", Name: call.CallUpdated.Name, Data: data}})
	}
	bo := call.Member{UserID: "bo", Status: call.MemberJoined}
	gone := bo
	gone.Status = call.MemberLeft
	wang := call.Member{UserID: "wang", Status: call.MemberJoined}
	for name, ends := range map[string]func(){
		"the call ended":     func() { updated("call", call.Ended, gone, wang) },
		"bo has left it":     func() { updated("call", call.Active, gone, wang) },
		"bo is not in it":    func() { updated("call", call.Active, wang) },
		"bo's session ended": func() { s.Signalled(rooms.Signal{Room: rooms.SessionRoom("session")}) },
	} {
		relayed, err := allocate(t, s, login(s, "bo", "call"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		peer := echo(t)
		through(t, relayed, peer)
		updated("call", call.Active, bo, wang)
		updated("another", call.Ended, gone)
		s.Signalled(rooms.Signal{Room: rooms.SessionRoom("another")})
		s.Signalled(rooms.Signal{Room: rooms.UserRoom("bo")})
		through(t, relayed, peer)
		if n := s.Relays(); n != 1 {
			t.Fatalf("%s: %d relays before", name, n)
		}
		ends()
		if n := s.Relays(); n != 0 {
			t.Errorf("%s: %d relays after", name, n)
		}
		if _, err := allocate(t, s, login(s, "bo", "another")); err == nil {
			t.Errorf("%s: bo has a relay for another call", name)
		}
	}
}

// If a call ends while its relay is being opened, the relay is closed.
func TestACallEndsWhileARelayOpens(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Addr: "127.0.0.1:0", MinPort: 20000, MaxPort: 60000, AllowPrivate: true, PerUser: 3, Most: 5,
		Secret: []byte("a key of 32 characters for tests"), Life: time.Hour, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	var checks atomic.Int32
	if err := s.Serve(func(context.Context, rooms.Actor, call.ID) bool { return checks.Add(1) == 1 }); err != nil {
		t.Fatal(err)
	}
	if _, err := allocate(t, s, login(s, "bo", "call")); err == nil {
		t.Error("there is a relay")
	}
	if n := s.Relays(); n != 0 {
		t.Errorf("%d relays", n)
	}
}
