package e2e_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	calls "wenzhen/rooms/call"
	"wenzhen/rooms/consultation"
	"wenzhen/server"
)

// listens collects a signal on a device, from now on.
func listens[D any](p *person, signal rooms.Signal[D]) <-chan D {
	heard := make(chan D, 100)
	client.On(p.Client, signal, func(d D) { heard <- d })
	return heard
}

// updates are the calls as a device is told of them, from now on.
func updates(p *person) <-chan calls.Call {
	heard := make(chan calls.Call, 100)
	client.OnEvent(p.Client, calls.Updated, func(_ rooms.Entry, c calls.Call) { heard <- c })
	return heard
}

// callIs waits for a call to be in a state.
func callIs(t *testing.T, from <-chan calls.Call, want calls.CallStatus) calls.Call {
	t.Helper()
	for {
		if c := await(t, "a call that is "+string(want), from); c.Status == want {
			return c
		}
	}
}

// talking is a consultation that goes on, between two who are online.
func talking(t *testing.T, change ...func(*server.Config)) (w *world, bo, wang *person, id consultation.ID) {
	t.Helper()
	w = start(t, change...)
	bo, wang = w.patient("bo").online(), w.doctor("wang").online()
	id = bo.consults(wang, "headache")
	wang.accepts(id)
	return w, bo, wang, id
}

// A call rings on every device of the doctor, is answered on one, and both
// hand each other their descriptions.
func TestACallOnManyDevices(t *testing.T) {
	t.Parallel()
	_, bo, desk, id := talking(t)
	phone := desk.again().online()
	onDesk, onPhone := listens(desk, calls.Rings), listens(phone, calls.Rings)
	stopped, told := listens(phone, calls.AnsweredElsewhere), updates(bo)
	toBo, toDesk := listens(bo, calls.Signalled), listens(desk, calls.Signalled)
	invited := call(bo, calls.Invite, calls.CallInvitation{ConsultationID: id, Medium: account.Video, DeviceID: "bo's"})
	c := invited.Call
	for _, rings := range []<-chan calls.Ring{onDesk, onPhone} {
		if r := await(t, "the ring", rings); r.Call.ID != c.ID || r.CallerName != bo.user.Name {
			t.Errorf("rings: %+v", r)
		}
	}
	if live := do(desk, calls.List, calls.CallFilter{}).Items; len(live) != 1 || live[0].ID != c.ID {
		t.Errorf("a device that comes now finds %+v", live)
	}
	call(desk, calls.Accept, calls.CallAnswer{CallID: c.ID, DeviceID: "desk"})
	if a := await(t, "that the phone stops", stopped); a.DeviceID != "desk" {
		t.Errorf("answered: %+v", a)
	}
	callIs(t, told, calls.Active)
	if _, err := client.Call(t.Context(), phone.Client, calls.Accept, calls.CallAnswer{CallID: c.ID, DeviceID: "phone"}); rooms.CodeOf(err) != rooms.CodeConflict {
		t.Errorf("the phone answers too: %v", err)
	}
	call(bo, calls.Signal, calls.SignalInput{CallID: c.ID, To: desk.user.ID, Description: &calls.SessionDescription{Type: "offer", SDP: "v=0 offer"}})
	if s := await(t, "the offer", toDesk); s.Description.SDP != "v=0 offer" || s.From != bo.user.ID || s.FromDevice != "bo's" || s.ToDevice != "desk" {
		t.Errorf("the offer came as %+v", s)
	}
	for i := range 20 {
		call(desk, calls.Signal, calls.SignalInput{CallID: c.ID, To: bo.user.ID, Candidate: &calls.ICECandidate{Candidate: strings.Repeat("c", i+1)}})
	}
	for i := range 20 {
		if s := await(t, "a candidate", toBo); len(s.Candidate.Candidate) != i+1 {
			t.Fatalf("candidate %d came as %+v", i, s)
		}
	}
	call(bo, calls.End, calls.CallEnding{CallID: c.ID})
	callIs(t, told, calls.Ended)
}

// A flood of candidates is refused, and its victim hears no more than the
// limit; the call goes on.
func TestAFloodOfCandidates(t *testing.T) {
	t.Parallel()
	_, bo, wang, id := talking(t)
	c := call(bo, calls.Invite, calls.CallInvitation{ConsultationID: id, Medium: account.Voice}).Call
	call(wang, calls.Accept, calls.CallAnswer{CallID: c.ID})
	in := calls.SignalInput{CallID: c.ID, To: wang.user.ID, Candidate: &calls.ICECandidate{Candidate: "candidate:1"}}
	var refused error
	for range 5000 {
		if _, refused = client.Call(t.Context(), bo.Client, calls.Signal, in); refused != nil {
			break
		}
	}
	e, _ := refused.(*rooms.Error)
	if rooms.CodeOf(refused) != rooms.CodeRateLimited || e.RetryAfterMs <= 0 || !strings.Contains(e.Message, calls.Signal.Name) {
		t.Errorf("the flood is answered with %v", refused)
	}
	if live := do(wang, calls.List, calls.CallFilter{}).Items; len(live) != 1 || live[0].Status != calls.Active {
		t.Errorf("afterwards: %+v", live)
	}
}

// Over a restart of the server a call goes on: nobody is told otherwise,
// signalling resumes, and it ends with its duration.
func TestACallOutlivesTheServer(t *testing.T) {
	t.Parallel()
	w, bo, wang, id := talking(t)
	c := call(bo, calls.Invite, calls.CallInvitation{ConsultationID: id, Medium: account.Video, DeviceID: "a"}).Call
	call(wang, calls.Accept, calls.CallAnswer{CallID: c.ID, DeviceID: "b"})
	offers, told := listens(wang, calls.Signalled), updates(wang)
	must(t, w.stop())
	w.run(strings.TrimPrefix(w.base, "http://"))
	state := calls.StateInput{CallID: c.ID, DeviceID: "a", Microphone: true}
	eventually(t, "bo is back", func() bool {
		_, err := client.Call(t.Context(), bo.Client, calls.State, state)
		return err == nil
	})
	in := calls.SignalInput{CallID: c.ID, To: wang.user.ID, DeviceID: "a", Description: &calls.SessionDescription{Type: "offer", SDP: "restart"}}
	eventually(t, "wang hears", func() bool { // wang's device may come back later than bo's
		call(bo, calls.Signal, in)
		select {
		case s := <-offers:
			return s.Description.SDP == "restart"
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
	if live := do(bo, calls.List, calls.CallFilter{ConsultationID: id}).Items; len(live) != 1 || live[0].Status != calls.Active || live[0].Members[0].DeviceID != "a" {
		t.Errorf("after the restart: %+v", live)
	}
	call(wang, calls.End, calls.CallEnding{CallID: c.ID})
	if ended := callIs(t, told, calls.Ended); ended.AnsweredAt == nil || ended.EndedAt == nil {
		t.Errorf("ended: %+v", ended)
	}
}

// Servers are told to who may be in the call, with credentials of their own;
// the demo has a relay without being asked.
func TestServersForACall(t *testing.T) {
	t.Parallel()
	w, bo, wang, id := talking(t, func(c *server.Config) {
		c.TurnAddr = "127.0.0.1:0"
		c.IceServers, c.IceSecret = []string{"turn:turn.example:3478?transport=udp"}, "north"
	})
	invited := call(bo, calls.Invite, calls.CallInvitation{ConsultationID: id, Medium: account.Video})
	of := func(p *person) calls.ICEServers {
		return do(p, calls.ReadServers, calls.ServersInput{CallID: invited.Call.ID})
	}
	bos, wangs := of(bo), of(wang)
	if len(bos.ICEServers) != 3 || bos.TTL != 600 || !slices.EqualFunc(bos.ICEServers, invited.ICEServers, func(a, b calls.ICEServer) bool { return slices.Equal(a.URLs, b.URLs) }) {
		t.Errorf("bo's servers: %+v", bos)
	}
	if name := bos.ICEServers[1].Username; !strings.HasSuffix(name, ":"+string(bo.user.ID)+":"+string(current(bo))+":"+string(invited.Call.ID)) || name == wangs.ICEServers[1].Username {
		t.Errorf("credentials for %s and %s", name, wangs.ICEServers[1].Username)
	}
	if _, err := client.Do(t.Context(), w.patient("jing").Client, calls.ReadServers, calls.ServersInput{CallID: invited.Call.ID}); rooms.CodeOf(err) != rooms.CodeNotFound {
		t.Errorf("a stranger: %v", err)
	}
	if alone := do(bo, calls.ReadServers, calls.ServersInput{}); len(alone.ICEServers) != 1 || alone.ICEServers[0].Credential != "" {
		t.Errorf("for a test of devices: %+v", alone)
	}
	aunt := w.patient("aunt")
	do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: aunt.user.ID, Role: consultation.PartRelative})
	if _, err := client.Do(t.Context(), aunt.Client, calls.ReadServers, calls.ServersInput{CallID: invited.Call.ID}); rooms.CodeOf(err) != rooms.CodeConflict {
		t.Errorf("who is not in the call: %v", err)
	}
	call(bo, calls.End, calls.CallEnding{CallID: invited.Call.ID})
	if _, err := client.Do(t.Context(), bo.Client, calls.ReadServers, calls.ServersInput{CallID: invited.Call.ID}); rooms.CodeOf(err) != rooms.CodeConflict {
		t.Errorf("after the end: %v", err)
	}
}
