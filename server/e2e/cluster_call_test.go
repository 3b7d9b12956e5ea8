package e2e_test

import (
	"testing"
	"time"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	calls "wenzhen/rooms/call"
)

// A call rings on the devices of all nodes, is answered on one of them, and
// both sides hand each other their descriptions over the nodes.
func TestACallOverNodes(t *testing.T) {
	t.Parallel()
	list, _ := nodes(t, 2)
	a, b := list[0], list[1]
	bo, desk := a.patient("bo").online(), a.doctor("wang").online()
	phone := desk.on(b).online()
	id := bo.consults(desk, "headache")
	desk.accepts(id)
	onDesk, onPhone, stopped := listens(desk, calls.Rings), listens(phone, calls.Rings), listens(desk, calls.AnsweredElsewhere)
	told, toBo, toPhone, states := updates(bo), listens(bo, calls.Signalled), listens(phone, calls.Signalled), listens(phone, calls.StateChanged)

	c := call(bo, calls.Invite, calls.CallInvitation{ConsultationID: id, Medium: account.Video, DeviceID: "bo's"}).Call
	for _, rings := range []<-chan calls.Ring{onDesk, onPhone} {
		if r := await(t, "the ring", rings); r.Call.ID != c.ID || r.CallerName != bo.user.Name {
			t.Errorf("rings: %+v", r)
		}
	}
	call(phone, calls.Accept, calls.CallAnswer{CallID: c.ID, DeviceID: "phone"})
	if s := await(t, "that the desk stops", stopped); s.CallID != c.ID || s.DeviceID != "phone" {
		t.Errorf("answered: %+v", s)
	}
	callIs(t, told, calls.Active)
	call(bo, calls.Signal, calls.SignalInput{CallID: c.ID, To: desk.user.ID, Description: &calls.SessionDescription{Type: "offer", SDP: "v=0 offer"}})
	if s := await(t, "the offer", toPhone); s.From != bo.user.ID || s.ToDevice != "phone" || s.Description.SDP != "v=0 offer" {
		t.Errorf("the offer came as %+v", s)
	}
	call(phone, calls.Signal, calls.SignalInput{CallID: c.ID, To: bo.user.ID, Candidate: &calls.ICECandidate{Candidate: "candidate:1"}})
	if s := await(t, "the candidate", toBo); s.From != desk.user.ID || s.FromDevice != "phone" || s.Candidate.Candidate != "candidate:1" {
		t.Errorf("the candidate came as %+v", s)
	}
	call(bo, calls.State, calls.StateInput{CallID: c.ID, DeviceID: "bo's", Microphone: true})
	if s := await(t, "bo's state", states); s.UserID != bo.user.ID || !s.Microphone || s.Camera {
		t.Errorf("the state came as %+v", s)
	}
	call(phone, calls.End, calls.CallEnding{CallID: c.ID})
	callIs(t, told, calls.Ended)
}

// A node dies, with it the devices of one side of a call and of who has just
// called: the other node ends the one and lets the other be missed.
func TestCallsOutliveANode(t *testing.T) {
	t.Parallel()
	w, list := members(t, 2, "WENZHEN_CALL_VANISH=10s", "WENZHEN_CALL_RING=10s")
	a, b := list[0].at(w), list[1].at(w)
	a.enterAdmin()
	b.admin = a.admin
	bo, wang := a.patient("bo").online(), b.doctor("wang").online()
	mei, zhao := b.patient("mei").online(), a.doctor("zhao").online()
	talk, visit := bo.consults(wang, "headache"), mei.consults(zhao, "a cough")
	wang.accepts(talk)
	zhao.accepts(visit)
	toldBo, toldZhao := updates(bo), updates(zhao)
	goesOn := call(bo, calls.Invite, calls.CallInvitation{ConsultationID: talk, Medium: account.Voice, DeviceID: "bo's"}).Call
	call(wang, calls.Accept, calls.CallAnswer{CallID: goesOn.ID, DeviceID: "wang's"})
	callIs(t, toldBo, calls.Active)
	rings := call(mei, calls.Invite, calls.CallInvitation{ConsultationID: visit, Medium: account.Voice, DeviceID: "mei's"}).Call
	callIs(t, toldZhao, calls.Ringing)
	list[1].kill()

	var ended calls.Call
	for inVain := time.After(patience); ended.Status != calls.Ended; {
		select {
		case ended = <-toldBo:
		case <-time.After(300 * time.Millisecond): // as pages say that they are there
			_, err := client.Call(t.Context(), bo.Client, calls.State, calls.StateInput{CallID: goesOn.ID, DeviceID: "bo's", Microphone: true})
			if code := rooms.CodeOf(err); code != "" && code != rooms.CodeConflict {
				t.Fatal(err)
			}
		case <-inVain:
			t.Fatal("the call goes on without wang")
		}
	}
	for _, m := range ended.Members {
		if m.UserID == wang.user.ID && m.Status != calls.MemberVanished {
			t.Errorf("wang is %s", m.Status)
		}
	}
	if c := callIs(t, toldZhao, calls.Missed); c.ID != rings.ID {
		t.Errorf("missed: %+v", c)
	}
}
