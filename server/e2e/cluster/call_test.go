package cluster_test

import (
	"testing"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	calls "wenzhen.example/rooms/call"
	"wenzhen.example/server/e2e"
)

// A call rings on the devices of all nodes, is answered on one of them, and
// both sides hand each other their descriptions over the nodes.
func TestACallOverNodes(t *testing.T) {
	t.Parallel()
	list, _ := e2e.Nodes(t, 2)
	a, b := list[0], list[1]
	bo, desk := a.Patient("bo").Online(), a.Doctor("wang").Online()
	phone := desk.On(b).Online()
	id := bo.ConsultsByVideo(desk, "headache")
	desk.Accepts(id)
	onDesk, onPhone, stopped := e2e.Listens(desk, calls.CallRinging), e2e.Listens(phone, calls.CallRinging), e2e.Listens(desk, calls.AnsweredElsewhere)
	told, toBo, toPhone, states := e2e.Updates(bo), e2e.Listens(bo, calls.SignalSent), e2e.Listens(phone, calls.SignalSent), e2e.Listens(phone, calls.StateChanged)

	c := e2e.Call(bo, calls.Invite, calls.CallInvitation{ConsultationID: id, Medium: account.Video, DeviceID: "bo's"}).Call
	for _, rings := range []<-chan calls.Ring{onDesk, onPhone} {
		if r := e2e.Await(t, "the ring", rings); r.Call.ID != c.ID || r.CallerName != bo.User.Name {
			t.Errorf("rings: %+v", r)
		}
	}
	e2e.Call(phone, calls.Accept, calls.CallAnswer{CallID: c.ID, DeviceID: "phone"})
	if s := e2e.Await(t, "that the desk stops", stopped); s.CallID != c.ID || s.DeviceID != "phone" {
		t.Errorf("answered: %+v", s)
	}
	e2e.CallIs(t, told, calls.Active)
	e2e.Call(bo, calls.Signal, calls.SignalInput{CallID: c.ID, To: desk.User.ID, Description: &calls.SessionDescription{Type: "offer", SDP: "v=0 offer"}})
	if s := e2e.Await(t, "the offer", toPhone); s.From != bo.User.ID || s.ToDevice != "phone" || s.Description.SDP != "v=0 offer" {
		t.Errorf("the offer came as %+v", s)
	}
	e2e.Call(phone, calls.Signal, calls.SignalInput{CallID: c.ID, To: bo.User.ID, Candidate: &calls.ICECandidate{Candidate: "candidate:1"}})
	if s := e2e.Await(t, "the candidate", toBo); s.From != desk.User.ID || s.FromDevice != "phone" || s.Candidate.Candidate != "candidate:1" {
		t.Errorf("the candidate came as %+v", s)
	}
	e2e.Call(bo, calls.State, calls.StateInput{CallID: c.ID, DeviceID: "bo's", Microphone: true})
	if s := e2e.Await(t, "bo's state", states); s.UserID != bo.User.ID || !s.Microphone || s.Camera {
		t.Errorf("the state came as %+v", s)
	}
	e2e.Call(phone, calls.End, calls.CallEnding{CallID: c.ID})
	e2e.CallIs(t, told, calls.Ended)
}

// A node dies, with it the devices of one side of a call and of who has just
// called: the other node ends the one and lets the other be missed.
func TestCallsOutliveANode(t *testing.T) {
	t.Parallel()
	w, list := members(t, 2, "WENZHEN_CALL_VANISH=10s", "WENZHEN_CALL_RING=10s")
	a, b := list[0].at(w), list[1].at(w)
	a.EnterAdmin()
	b.Admin = a.Admin
	bo, wang := a.Patient("bo").Online(), b.Doctor("wang").Online()
	mei, zhao := b.Patient("mei").Online(), a.Doctor("zhao").Online()
	talk, visit := bo.ConsultsByVideo(wang, "headache"), mei.ConsultsByVideo(zhao, "a cough")
	wang.Accepts(talk)
	zhao.Accepts(visit)
	toldBo, toldZhao := e2e.Updates(bo), e2e.Updates(zhao)
	goesOn := e2e.Call(bo, calls.Invite, calls.CallInvitation{ConsultationID: talk, Medium: account.Voice, DeviceID: "bo's"}).Call
	e2e.Call(wang, calls.Accept, calls.CallAnswer{CallID: goesOn.ID, DeviceID: "wang's"})
	e2e.CallIs(t, toldBo, calls.Active)
	rings := e2e.Call(mei, calls.Invite, calls.CallInvitation{ConsultationID: visit, Medium: account.Voice, DeviceID: "mei's"}).Call
	e2e.CallIs(t, toldZhao, calls.Ringing)
	list[1].Kill()

	var ended calls.Call
	for inVain := time.After(e2e.Patience); ended.Status != calls.Ended; {
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
		if m.UserID == wang.User.ID && m.Status != calls.MemberVanished {
			t.Errorf("wang is %s", m.Status)
		}
	}
	if c := e2e.CallIs(t, toldZhao, calls.Missed); c.ID != rings.ID {
		t.Errorf("missed: %+v", c)
	}
}
