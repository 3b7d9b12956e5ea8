package call_test

import (
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	. "wenzhen.example/rooms/call"
	"wenzhen.example/rooms/roomstest"
)

// A call goes on without the device whose login has ended, however it ended.
func TestWhoLogsOutIsOutOfTheCall(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(d *ward, aunt *roomstest.Person){
		"revoked": func(_ *ward, aunt *roomstest.Person) {
			roomstest.Must(aunt, account.RevokeSession, account.SessionInput{SessionID: aunt.As.SessionID})
		},
		"ended from another device": func(_ *ward, aunt *roomstest.Person) {
			roomstest.Must(aunt.Again(rooms.Actor{}), account.RevokeOthers, rooms.Nothing{})
		},
		"suspended": func(d *ward, aunt *roomstest.Person) {
			roomstest.Must(d.Admin("root"), account.SuspendUser, account.UserInput{UserID: aunt.User.ID})
		},
		"erased": func(_ *ward, aunt *roomstest.Person) { roomstest.Must(aunt, account.Erase, rooms.Nothing{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newWard(t)
			aunt := d.brings("aunt")
			c := d.invites(d.bo)
			for _, p := range []*roomstest.Person{d.wang, aunt} {
				roomstest.Must(p, Accept, CallAnswer{CallID: c.ID, DeviceID: "phone"})
			}
			d.Passes(time.Second)
			if got := status(d.now(), aunt.User.ID); got != MemberJoined {
				t.Fatalf("before: %s", got)
			}
			end(d, aunt)
			if n := len(d.Signals(rooms.SessionRoom(aunt.As.SessionID), account.SessionRevoked.Name)); n != 1 {
				t.Errorf("its connections got the event %d times", n)
			}
			if now := d.now(); status(now, aunt.User.ID) != MemberLeft || now.Status != Active {
				t.Errorf("afterwards: %+v", now)
			}
			d.Passes(time.Second)
			if now := d.now(); now.Status != Active {
				t.Errorf("the others' call is %s", now.Status)
			}
		})
	}
}

// A session that has ended cannot enter a call, nor begin one, where the end is
// not known yet: on another node, or to a command that was let in before.
func TestEndedSessionEntersNoCall(t *testing.T) {
	t.Parallel()
	d := newWard(t)
	aunt := d.brings("aunt")
	c := d.invites(d.bo)
	for _, p := range []*roomstest.Person{aunt, d.bo} { // this node has just asked about them
		roomstest.Must(p, account.Me, rooms.Nothing{})
	}
	elsewhere := d.Node(d.Hub)
	suspend := func(p *roomstest.Person) {
		t.Helper()
		if err := elsewhere.Administer(t.Context(), account.SuspendUser.Name, p.User.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
	suspend(aunt)
	if code := roomstest.Code(aunt, Accept, CallAnswer{CallID: c.ID, DeviceID: "phone"}); code != rooms.CodeUnauthenticated {
		t.Errorf("accepts: %q", code)
	}
	suspend(d.bo)
	if code := roomstest.Code(d.bo, Invite, CallInvitation{ConsultationID: c.ConsultationID, Medium: account.Video}); code != rooms.CodeUnauthenticated {
		t.Errorf("calls: %q", code)
	}
}
