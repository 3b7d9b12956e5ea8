package consultations_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	calls "wenzhen.example/rooms/call"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// talking is a consultation that goes on, between two who are online. Their devices
// do not send call:state by themselves, so silence ends no call.
func talking(t *testing.T, change ...func(*app.Config)) (w *e2e.World, bo, wang *e2e.Person, id consultation.ID) {
	t.Helper()
	w = e2e.Start(t, append([]func(*app.Config){func(c *app.Config) { c.CallVanish = time.Hour }}, change...)...)
	bo, wang = w.Patient("bo").Online(), w.Doctor("wang").Online()
	id = bo.ConsultsByVideo(wang, "headache")
	wang.Accepts(id)
	return w, bo, wang, id
}

// A call rings on every device of the doctor, is answered on one, and both
// hand each other their descriptions.
func TestACallOnManyDevices(t *testing.T) {
	t.Parallel()
	_, bo, desk, id := talking(t)
	phone := desk.Again().Online()
	onDesk, onPhone := e2e.Listens(desk, calls.CallRinging), e2e.Listens(phone, calls.CallRinging)
	stopped, told := e2e.Listens(phone, calls.AnsweredElsewhere), e2e.Updates(bo)
	toBo, toDesk := e2e.Listens(bo, calls.SignalSent), e2e.Listens(desk, calls.SignalSent)
	invited := e2e.Call(bo, calls.Invite, calls.CallInvitation{ConsultationID: id, Medium: account.Video, DeviceID: "bo's"})
	c := invited.Call
	for _, rings := range []<-chan calls.Ring{onDesk, onPhone} {
		if r := e2e.Await(t, "the ring", rings); r.Call.ID != c.ID || r.CallerName != bo.User.Name {
			t.Errorf("rings: %+v", r)
		}
	}
	if live := e2e.Do(desk, calls.List, calls.CallFilter{}).Items; len(live) != 1 || live[0].ID != c.ID {
		t.Errorf("a device that comes now finds %+v", live)
	}
	e2e.Call(desk, calls.Accept, calls.CallAnswer{CallID: c.ID, DeviceID: "desk"})
	if a := e2e.Await(t, "that the phone stops", stopped); a.DeviceID != "desk" {
		t.Errorf("answered: %+v", a)
	}
	e2e.CallIs(t, told, calls.Active)
	if _, err := client.Call(t.Context(), phone.Client, calls.Accept, calls.CallAnswer{CallID: c.ID, DeviceID: "phone"}); rooms.CodeOf(err) != rooms.CodeConflict {
		t.Errorf("the phone answers too: %v", err)
	}
	e2e.Call(bo, calls.Signal, calls.SignalInput{CallID: c.ID, To: desk.User.ID, Description: &calls.SessionDescription{Type: "offer", SDP: "v=0 offer"}})
	if s := e2e.Await(t, "the offer", toDesk); s.Description.SDP != "v=0 offer" || s.From != bo.User.ID || s.FromDevice != "bo's" || s.ToDevice != "desk" {
		t.Errorf("the offer came as %+v", s)
	}
	for i := range 20 {
		e2e.Call(desk, calls.Signal, calls.SignalInput{CallID: c.ID, To: bo.User.ID, Candidate: &calls.ICECandidate{Candidate: strings.Repeat("c", i+1)}})
	}
	for i := range 20 {
		if s := e2e.Await(t, "a candidate", toBo); len(s.Candidate.Candidate) != i+1 {
			t.Fatalf("candidate %d came as %+v", i, s)
		}
	}
	e2e.Call(bo, calls.End, calls.CallEnding{CallID: c.ID})
	e2e.CallIs(t, told, calls.Ended)
}

// A flood of candidates is refused, and the call stays active.
func TestAFloodOfCandidates(t *testing.T) {
	t.Parallel()
	_, bo, wang, id := talking(t)
	c := e2e.Call(bo, calls.Invite, calls.CallInvitation{ConsultationID: id, Medium: account.Voice}).Call
	e2e.Call(wang, calls.Accept, calls.CallAnswer{CallID: c.ID})
	in := calls.SignalInput{CallID: c.ID, To: wang.User.ID, Candidate: &calls.ICECandidate{Candidate: "candidate:1"}}
	// Many are under way at once: one after the other they could be slower, on a
	// busy machine, than the limit allows.
	const senders = 50
	refusals := make(chan error, senders)
	for range senders {
		go func() {
			var err error
			for i := 0; i < 100 && err == nil; i++ {
				_, err = client.Call(t.Context(), bo.Client, calls.Signal, in)
			}
			refusals <- err
		}()
	}
	var refused error
	for range senders {
		if err := <-refusals; err != nil {
			refused = err
		}
	}
	e, _ := refused.(*rooms.Error)
	if rooms.CodeOf(refused) != rooms.CodeRateLimited || e.RetryAfterMs <= 0 || !strings.Contains(e.Message, calls.Signal.Name) {
		t.Errorf("the flood is answered with %v", refused)
	}
	if live := e2e.Do(wang, calls.List, calls.CallFilter{}).Items; len(live) != 1 || live[0].Status != calls.Active {
		t.Errorf("afterwards: %+v", live)
	}
}

// A call goes on while the server restarts: its state does not change,
// signalling resumes, and it ends with its duration.
func TestACallOutlivesTheServer(t *testing.T) {
	t.Parallel()
	w, bo, wang, id := talking(t)
	c := e2e.Call(bo, calls.Invite, calls.CallInvitation{ConsultationID: id, Medium: account.Video, DeviceID: "a"}).Call
	e2e.Call(wang, calls.Accept, calls.CallAnswer{CallID: c.ID, DeviceID: "b"})
	offers, told := e2e.Listens(wang, calls.SignalSent), e2e.Updates(wang)
	e2e.Must(t, w.Stop())
	w.Run(strings.TrimPrefix(w.Base, "http://"))
	state := calls.StateInput{CallID: c.ID, DeviceID: "a", Microphone: true}
	e2e.Eventually(t, "bo is back", func() bool {
		_, err := client.Call(t.Context(), bo.Client, calls.State, state)
		return err == nil
	})
	in := calls.SignalInput{CallID: c.ID, To: wang.User.ID, DeviceID: "a", Description: &calls.SessionDescription{Type: "offer", SDP: "restart"}}
	e2e.Eventually(t, "wang receives", func() bool { // wang's device may come back later than bo's
		e2e.Call(bo, calls.Signal, in)
		select {
		case s := <-offers:
			return s.Description.SDP == "restart"
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
	if live := e2e.Do(bo, calls.List, calls.CallFilter{ConsultationID: id}).Items; len(live) != 1 || live[0].Status != calls.Active || live[0].Members[0].DeviceID != "a" {
		t.Errorf("after the restart: %+v", live)
	}
	e2e.Call(wang, calls.End, calls.CallEnding{CallID: c.ID})
	if ended := e2e.CallIs(t, told, calls.Ended); ended.AnsweredAt == nil || ended.EndedAt == nil {
		t.Errorf("ended: %+v", ended)
	}
}

// Users who may be in a call get its ICE servers, with credentials of their
// own. The demo has a relay without a setting.
func TestServersForACall(t *testing.T) {
	t.Parallel()
	w, bo, wang, id := talking(t, func(c *app.Config) {
		c.TurnAddr = "127.0.0.1:0"
		c.IceServers, c.IceSecret = []string{"turn:turn.example:3478?transport=udp"}, "north"
	})
	invited := e2e.Call(bo, calls.Invite, calls.CallInvitation{ConsultationID: id, Medium: account.Video})
	of := func(p *e2e.Person) calls.ICEServers {
		return e2e.Do(p, calls.ReadServers, calls.ServersInput{CallID: invited.Call.ID})
	}
	bos, wangs := of(bo), of(wang)
	if len(bos.ICEServers) != 3 || bos.TTL != 600 || !slices.EqualFunc(bos.ICEServers, invited.ICEServers, func(a, b calls.ICEServer) bool { return slices.Equal(a.URLs, b.URLs) }) {
		t.Errorf("bo's servers: %+v", bos)
	}
	if name := bos.ICEServers[1].Username; !strings.HasSuffix(name, ":"+string(bo.User.ID)+":"+string(e2e.Current(bo))+":"+string(invited.Call.ID)) || name == wangs.ICEServers[1].Username {
		t.Errorf("credentials for %s and %s", name, wangs.ICEServers[1].Username)
	}
	if _, err := client.Do(t.Context(), w.Patient("jing").Client, calls.ReadServers, calls.ServersInput{CallID: invited.Call.ID}); rooms.CodeOf(err) != rooms.CodeNotFound {
		t.Errorf("a stranger: %v", err)
	}
	if alone := e2e.Do(bo, calls.ReadServers, calls.ServersInput{}); len(alone.ICEServers) != 1 || alone.ICEServers[0].Credential != "" {
		t.Errorf("for a test of devices: %+v", alone)
	}
	aunt := w.Patient("aunt")
	e2e.Do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: aunt.User.ID, Role: consultation.PartRelative})
	if _, err := client.Do(t.Context(), aunt.Client, calls.ReadServers, calls.ServersInput{CallID: invited.Call.ID}); rooms.CodeOf(err) != rooms.CodeConflict {
		t.Errorf("who is not in the call: %v", err)
	}
	e2e.Call(bo, calls.End, calls.CallEnding{CallID: invited.Call.ID})
	if _, err := client.Do(t.Context(), bo.Client, calls.ReadServers, calls.ServersInput{CallID: invited.Call.ID}); rooms.CodeOf(err) != rooms.CodeConflict {
		t.Errorf("after the end: %v", err)
	}
}
