package call_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	. "wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
)

// ward is a consultation that goes on, between bo and wang.
type ward struct {
	*roomstest.World
	bo, wang *roomstest.Person
	id       consultation.ID
}

func newWard(t *testing.T) *ward {
	w := roomstest.New(t)
	d := &ward{World: w, bo: w.Patient("bo"), wang: w.Doctor("wang")}
	free := []account.DoctorService{{Service: account.Advice, Medium: account.Video, Currency: "CNY", Minutes: 20}}
	roomstest.Must(d.wang, account.UpdateDoctor, account.DoctorChange{Services: &free})
	d.id = consults(d.bo, d.wang, account.Video)
	d.wang.Accepts(d.id)
	return d
}

// consults opens a consultation of a medium.
func consults(patient, doctor *roomstest.Person, medium account.Medium) consultation.ID {
	patient.W.T.Helper()
	return roomstest.Must(patient, consultation.Open, consultation.OpenInput{DoctorID: doctor.User.ID, Service: account.Advice,
		Medium: medium, Complaint: "headache"}).Consultation.ID
}

func (d *ward) invites(p *roomstest.Person) Call {
	d.T.Helper()
	return roomstest.Must(p, Invite, CallInvitation{ConsultationID: d.id, Medium: account.Video}).Call
}

// brings a third and a fourth one into the consultation.
func (d *ward) brings(name string) *roomstest.Person {
	d.T.Helper()
	d.Turns(time.Second) // they come one after the other
	p := d.Patient(name)
	roomstest.Must(d.bo, consultation.Invite, consultation.InviteInput{ConsultationID: d.id, UserID: p.User.ID, Role: consultation.PartRelative})
	return p
}

// now is the call as bo finds it in the log.
func (d *ward) now() Call {
	d.T.Helper()
	var c Call
	for _, e := range d.bo.Log(d.id) {
		if e.Name == CallUpdated.Name {
			if err := json.Unmarshal(e.Data, &c); err != nil {
				d.T.Fatal(err)
			}
		}
	}
	return c
}

// left is what the calls so far left in the conversation.
func (d *ward) left() []CallSummary {
	d.T.Helper()
	var list []CallSummary
	for _, m := range roomstest.Must(d.wang, chat.History, chat.HistoryInput{ConsultationID: d.id}).Items {
		if m.Kind == chat.Call {
			var s CallSummary
			if err := json.Unmarshal(m.Detail, &s); err != nil {
				d.T.Fatal(err)
			}
			list = append(list, s)
		}
	}
	return list
}

func status(c Call, user rooms.UserID) MemberStatus {
	for _, m := range c.Members {
		if m.UserID == user {
			return m.Status
		}
	}
	return ""
}

func TestACallFromRingToEnd(t *testing.T) {
	t.Parallel()
	d := newWard(t)
	c := d.invites(d.bo)
	if c.Status != Ringing || status(c, d.wang.User.ID) != MemberRinging || status(c, d.bo.User.ID) != MemberJoined {
		t.Fatalf("rings: %+v", c)
	}
	rings := d.Signals(rooms.UserRoom(d.wang.User.ID), CallRinging.Name)
	var ring Ring
	if len(rings) != 1 || json.Unmarshal(rings[0].Data, &ring) != nil || ring.CallerName != "bo" || ring.Call.ID != c.ID {
		t.Fatalf("wang's devices ring: %s", rings)
	}
	d.Passes(5 * time.Second)
	answered := roomstest.Must(d.wang, Accept, CallAnswer{CallID: c.ID, DeviceID: "phone"})
	if answered.Status != Active || answered.AnsweredAt == nil {
		t.Fatalf("answered: %+v", answered)
	}
	if elsewhere := d.Signals(rooms.UserRoom(d.wang.User.ID), AnsweredElsewhere.Name); len(elsewhere) != 1 || !strings.Contains(string(elsewhere[0].Data), `"deviceId":"phone"`) {
		t.Errorf("wang's other devices: %s", elsewhere)
	}
	if d.bo.Sees(d.id).AnsweredAt == nil {
		t.Error("a doctor who talks has answered the patient")
	}
	d.Passes(30 * time.Second)
	roomstest.Must(d.wang, State, StateInput{CallID: c.ID, Microphone: true})
	ended := roomstest.Must(d.bo, End, CallEnding{CallID: c.ID})
	if ended.Status != Ended || ended.EndedBy != d.bo.User.ID || ended.Seconds() != 30 {
		t.Errorf("ended: %+v", ended)
	}
	if again := roomstest.Must(d.wang, End, CallEnding{CallID: c.ID}); again.Status != Ended || again.EndedBy != d.bo.User.ID {
		t.Errorf("ended twice: %+v", again)
	}
	if left := d.left(); len(left) != 1 || left[0] != (CallSummary{CallID: c.ID, Medium: account.Video, Outcome: Ended, Seconds: 30}) {
		t.Errorf("left in the conversation: %+v", left)
	}
	m := roomstest.Must(d.bo, chat.History, chat.HistoryInput{ConsultationID: d.id}).Items[0]
	if code := roomstest.Code(d.bo, chat.Recall, chat.MessageInput{ConsultationID: d.id, MessageID: m.ID}); code != rooms.CodeForbidden {
		t.Errorf("a call can be recalled: %q", code)
	}
	if c := d.invites(d.wang); c.Status != Ringing || c.ID == ended.ID {
		t.Errorf("the next call: %+v", c)
	}
}

func TestInvitingTwiceIsInvitingOnce(t *testing.T) {
	t.Parallel()
	d := newWard(t)
	in := CallInvitation{ConsultationID: d.id, Medium: account.Voice, CallID: "mine"}
	first := roomstest.Must(d.bo, Invite, in).Call
	if again := roomstest.Must(d.bo, Invite, in); again.Call.ID != first.ID || len(again.ICEServers) == 0 {
		t.Errorf("resent: %+v", again)
	}
	if other := d.invites(d.wang); other.ID != first.ID || other.Status != Ringing {
		t.Errorf("both call at once: %+v", other)
	}
	if n := len(d.Signals(rooms.UserRoom(d.wang.User.ID), CallRinging.Name)); n != 1 {
		t.Errorf("wang's devices were rung %d times", n)
	}
	roomstest.Must(d.bo, End, CallEnding{CallID: first.ID})
	if late := roomstest.Must(d.bo, Invite, in).Call; late.Status != Missed {
		t.Errorf("an invitation that comes again late begins a call: %+v", late)
	}
	if code := roomstest.Code(d.wang, Invite, in); code != rooms.CodeConflict {
		t.Errorf("another's callId: %q", code)
	}
}

func TestUnansweredCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(d *ward, c Call)
		want    CallStatus
		by      bool // ended by someone
	}{
		"declined":         {func(d *ward, c Call) { roomstest.Must(d.wang, Decline, CallRef{CallID: c.ID}) }, Declined, true},
		"missed":           {func(d *ward, _ Call) { d.Passes(45 * time.Second) }, Missed, false},
		"the caller hangs": {func(d *ward, c Call) { roomstest.Must(d.bo, Leave, CallRef{CallID: c.ID}) }, Missed, true},
		"the caller ends":  {func(d *ward, c Call) { roomstest.Must(d.bo, End, CallEnding{CallID: c.ID}) }, Missed, true},
		"terminated": {func(d *ward, _ Call) {
			roomstest.Must(d.wang, consultation.Terminate, consultation.ReasonInput{ConsultationID: d.id, Reason: "be seen"})
		}, Missed, false},
		"restarted": {func(d *ward, _ Call) { d.Restarts(time.Hour); d.Passes(0) }, Missed, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newWard(t)
			rings := d.invites(d.bo)
			c.happens(d, rings)
			if got := d.now(); got.Status != c.want || (got.EndedBy != "") != c.by || got.EndedAt == nil {
				t.Errorf("got %+v", got)
			}
			if left := d.left(); len(left) != 1 || left[0].Outcome != c.want || left[0].Seconds != 0 {
				t.Errorf("left in the conversation: %+v", left)
			}
			if code := roomstest.Code(d.wang, Accept, CallAnswer{CallID: rings.ID}); code != rooms.CodeConflict {
				t.Errorf("a late accept: %q", code)
			}
		})
	}
}

// A ring is over when its time is, whether its timer has fired or not.
func TestAcceptingTooLate(t *testing.T) {
	t.Parallel()
	d := newWard(t)
	c := d.invites(d.bo)
	d.Turns(46 * time.Second)
	_, err := roomstest.Ask(d.World, d.wang.As, Accept, CallAnswer{CallID: c.ID})
	if rooms.CodeOf(err) != rooms.CodeConflict || d.now().Status != Missed {
		t.Errorf("%v, and the call is %s", err, d.now().Status)
	}
}

func TestOneDeviceAnswers(t *testing.T) {
	t.Parallel()
	d := newWard(t)
	c := d.invites(d.bo)
	phone := CallAnswer{CallID: c.ID, DeviceID: "phone"}
	roomstest.Must(d.wang, Accept, phone)
	roomstest.Must(d.wang, Accept, phone) // sent again
	desk := CallAnswer{CallID: c.ID, DeviceID: "desk"}
	if code := roomstest.Code(d.wang, Accept, desk); code != rooms.CodeConflict {
		t.Errorf("the second device: %q", code)
	}
	if code := roomstest.Code(d.wang, Leave, CallRef{CallID: c.ID, DeviceID: "desk"}); code != rooms.CodeConflict {
		t.Errorf("the second device hangs up: %q", code)
	}
	if code := roomstest.Code(d.wang, Signal, SignalInput{CallID: c.ID, To: d.bo.User.ID, DeviceID: "desk", Candidate: &ICECandidate{}}); code != rooms.CodeConflict {
		t.Errorf("the second device signals: %q", code)
	}
	desk.Move = true
	if moved := roomstest.Must(d.wang, Accept, desk); moved.Status != Active || moved.Members[1].DeviceID != "desk" {
		t.Errorf("moved: %+v", moved)
	}
	roomstest.Must(d.wang, Leave, CallRef{CallID: c.ID, DeviceID: "desk"})
	if got := d.now(); got.Status != Ended {
		t.Errorf("with one left: %+v", got)
	}
}

func TestWhoIsInAnotherCallIsBusy(t *testing.T) {
	t.Parallel()
	d := newWard(t)
	jing := d.Patient("jing")
	other := consults(jing, d.wang, account.Video)
	d.wang.Accepts(other)
	c := d.invites(d.bo)
	roomstest.Must(d.wang, Accept, CallAnswer{CallID: c.ID})
	busy := roomstest.Must(jing, Invite, CallInvitation{ConsultationID: other, Medium: account.Voice}).Call
	if busy.Status != Busy || status(busy, d.wang.User.ID) != MemberBusy {
		t.Errorf("jing calls wang: %+v", busy)
	}
	if code := roomstest.Code(d.wang, Invite, CallInvitation{ConsultationID: other, Medium: account.Voice}); code != rooms.CodeConflict {
		t.Errorf("wang calls jing meanwhile: %q", code)
	}
	roomstest.Must(d.bo, End, CallEnding{CallID: c.ID})
	if free := roomstest.Must(jing, Invite, CallInvitation{ConsultationID: other, Medium: account.Voice}).Call; free.Status != Ringing {
		t.Errorf("afterwards: %+v", free)
	}
}

func TestAMeshOfFour(t *testing.T) {
	t.Parallel()
	d := newWard(t)
	aunt, uncle, cousin := d.brings("aunt"), d.brings("uncle"), d.brings("cousin")
	c := d.invites(d.bo)
	if len(c.Members) != 4 || c.Members[1].Role != consultation.PartDoctor {
		t.Fatalf("rung: %+v", c.Members)
	}
	if code := roomstest.Code(cousin, Accept, CallAnswer{CallID: c.ID}); code != rooms.CodeConflict {
		t.Errorf("who is not rung answers: %q", code)
	}
	roomstest.Must(d.wang, Accept, CallAnswer{CallID: c.ID})
	roomstest.Must(aunt, Accept, CallAnswer{CallID: c.ID})
	roomstest.Must(uncle, Decline, CallRef{CallID: c.ID})
	if got := d.now(); got.Status != Active {
		t.Fatalf("one declined: %+v", got)
	}
	roomstest.Must(cousin, Accept, CallAnswer{CallID: c.ID}) // joins what goes on
	if code := roomstest.Code(uncle, Accept, CallAnswer{CallID: c.ID}); code != rooms.CodeConflict {
		t.Errorf("the fifth: %q", code)
	}
	if code := roomstest.Code(aunt, End, CallEnding{CallID: c.ID}); code != rooms.CodeForbidden {
		t.Errorf("the aunt ends it for all: %q", code)
	}
	roomstest.Must(aunt, Leave, CallRef{CallID: c.ID})
	roomstest.Must(d.wang, Leave, CallRef{CallID: c.ID})
	if got := d.now(); got.Status != Active {
		t.Errorf("two are left: %+v", got)
	}
	again := roomstest.Must(d.bo, Invite, CallInvitation{ConsultationID: d.id, Medium: account.Video, To: []rooms.UserID{aunt.User.ID}}).Call
	if again.ID != c.ID || status(again, aunt.User.ID) != MemberRinging {
		t.Errorf("the aunt is rung again: %+v", again)
	}
	roomstest.Must(cousin, Leave, CallRef{CallID: c.ID})
	roomstest.Must(aunt, Decline, CallRef{CallID: c.ID})
	if got := d.now(); got.Status != Ended {
		t.Errorf("bo alone: %+v", got)
	}
}

// A member who is not seen for a while has left the call; a restart gives everyone that
// while anew.
func TestAbsentMembersLeaveTheCall(t *testing.T) {
	t.Parallel()
	d := newWard(t)
	c := d.invites(d.bo)
	roomstest.Must(d.wang, Accept, CallAnswer{CallID: c.ID})
	heartbeat := func(people ...*roomstest.Person) {
		for _, p := range people {
			roomstest.Must(p, State, StateInput{CallID: c.ID, Microphone: true, Camera: true})
		}
	}
	for range 8 {
		d.Passes(10 * time.Second)
		heartbeat(d.bo, d.wang)
	}
	d.Restarts(10 * time.Minute)
	d.Passes(time.Second)
	if got := d.now(); got.Status != Active {
		t.Fatalf("a restart ends calls: %+v", got)
	}
	heartbeat(d.bo)
	for range 5 {
		d.Passes(10 * time.Second)
		if d.now().Status == Active {
			heartbeat(d.bo)
		}
	}
	got := d.now()
	if got.Status != Ended || status(got, d.wang.User.ID) != MemberVanished || got.EndedBy != "" {
		t.Errorf("wang vanished: %+v", got)
	}
}

func TestSignalling(t *testing.T) {
	t.Parallel()
	d := newWard(t)
	stranger, aunt := d.Patient("stranger"), d.brings("aunt")
	c := d.invites(d.bo)
	roomstest.Must(d.wang, Accept, CallAnswer{CallID: c.ID, DeviceID: "desk"})
	offer := &SessionDescription{Type: "offer", SDP: "v=0"}
	for name, s := range map[string]struct {
		who  *roomstest.Person
		in   SignalInput
		code rooms.Code
		name string
	}{
		"a stranger":               {stranger, SignalInput{To: d.bo.User.ID, Description: offer}, rooms.CodeNotFound, ""},
		"who is not in the call":   {aunt, SignalInput{To: d.bo.User.ID, Description: offer}, rooms.CodeConflict, ""},
		"to who is not in it":      {d.bo, SignalInput{To: aunt.User.ID, Description: offer}, rooms.CodeInvalid, "to"},
		"to a stranger":            {d.bo, SignalInput{To: stranger.User.ID, Description: offer}, rooms.CodeInvalid, "to"},
		"to nobody":                {d.bo, SignalInput{To: "nobody", Description: offer}, rooms.CodeInvalid, "to"},
		"to the sender":            {d.bo, SignalInput{To: d.bo.User.ID, Description: offer}, rooms.CodeInvalid, "to"},
		"nothing":                  {d.bo, SignalInput{To: d.wang.User.ID}, rooms.CodeInvalid, "description"},
		"both":                     {d.bo, SignalInput{To: d.wang.User.ID, Description: offer, Candidate: &ICECandidate{}}, rooms.CodeInvalid, "description"},
		"a type of no description": {d.bo, SignalInput{To: d.wang.User.ID, Description: &SessionDescription{Type: "bid", SDP: "v=0"}}, rooms.CodeInvalid, "description.type"},
		"an empty description":     {d.bo, SignalInput{To: d.wang.User.ID, Description: &SessionDescription{Type: "offer"}}, rooms.CodeInvalid, "description.sdp"},
		"too large a description":  {d.bo, SignalInput{To: d.wang.User.ID, Description: &SessionDescription{Type: "offer", SDP: strings.Repeat("x", 65<<10)}}, rooms.CodeTooLarge, "description.sdp"},
		"too large a candidate":    {d.bo, SignalInput{To: d.wang.User.ID, Candidate: &ICECandidate{Candidate: strings.Repeat("x", 3<<10)}}, rooms.CodeTooLarge, "candidate"},
	} {
		s.in.CallID = c.ID
		_, err := roomstest.Ask(d.World, s.who.As, Signal, s.in)
		if e, _ := err.(*rooms.Error); rooms.CodeOf(err) != s.code || (s.name != "" && e.Field != s.name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	roomstest.Must(d.bo, Signal, SignalInput{CallID: c.ID, To: d.wang.User.ID, Description: offer})
	received := d.Signals(rooms.UserRoom(d.wang.User.ID), SignalSent.Name)
	var s Signalling
	if len(received) != 1 || json.Unmarshal(received[0].Data, &s) != nil || s.From != d.bo.User.ID || s.ToDevice != "desk" || s.Description.SDP != "v=0" {
		t.Errorf("wang received %s", received)
	}
	for _, p := range []*roomstest.Person{stranger, aunt, d.bo} {
		if received := d.Signals(rooms.UserRoom(p.User.ID), SignalSent.Name); len(received) > 0 {
			t.Errorf("%s received %s", p.User.Name, received)
		}
	}
	roomstest.Must(d.bo, End, CallEnding{CallID: c.ID})
	if code := roomstest.Code(d.bo, Signal, SignalInput{CallID: c.ID, To: d.wang.User.ID, Description: offer}); code != rooms.CodeConflict {
		t.Errorf("after the end: %q", code)
	}
}

func TestCallsNeedAConsultationThatGoesOn(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := consults(bo, wang, account.Voice)
	in := CallInvitation{ConsultationID: id, Medium: account.Voice}
	if code := roomstest.Code(bo, Invite, in); code != rooms.CodeConflict {
		t.Errorf("while waiting: %q", code)
	}
	wang.Accepts(id)
	c := roomstest.Must(bo, Invite, in).Call
	roomstest.Must(wang, Accept, CallAnswer{CallID: c.ID})
	if live := roomstest.Must(bo, List, CallFilter{}).Items; len(live) != 1 || live[0].ID != c.ID {
		t.Errorf("live: %+v", live)
	}
	roomstest.Must(wang, consultation.End, consultation.EndInput{ConsultationID: id})
	if live := roomstest.Must(bo, List, CallFilter{ConsultationID: id}).Items; len(live) != 0 {
		t.Errorf("live after the end of the consultation: %+v", live)
	}
	if code := roomstest.Code(bo, Invite, in); code != rooms.CodeConflict {
		t.Errorf("after the end: %q", code)
	}
}

// 20 devices answer at once: one has it.
func TestAnsweringAtOnce(t *testing.T) {
	t.Parallel()
	d := newWard(t)
	c := d.invites(d.bo)
	codes := make(chan rooms.Code, 20)
	for i := range cap(codes) {
		go func() {
			_, err := roomstest.Ask(d.World, d.wang.As, Accept, CallAnswer{CallID: c.ID, DeviceID: fmt.Sprintf("device-%d", i)})
			codes <- rooms.CodeOf(err)
		}()
	}
	got := map[rooms.Code]int{}
	for range cap(codes) {
		got[<-codes]++
	}
	if got[""] != 1 || got[rooms.CodeConflict] != cap(codes)-1 {
		t.Errorf("answered: %v", got)
	}
}

// A patient starts the calls that the consultation includes; a doctor starts any,
// and the patient may then join it and have others rung.
func TestCallsAreThoseOfTheService(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	for _, c := range []struct{ of, medium, want string }{
		{"text", "voice", "forbidden"}, {"text", "video", "forbidden"},
		{"voice", "voice", ""}, {"voice", "video", "forbidden"},
	} {
		id := consults(bo, wang, account.Medium(c.of))
		wang.Accepts(id)
		in := CallInvitation{ConsultationID: id, Medium: account.Medium(c.medium)}
		made, err := roomstest.Ask(w, bo.As, Invite, in)
		if rooms.CodeOf(err) != rooms.Code(c.want) {
			t.Errorf("a %s call in a %s consultation: %v, want %q", c.medium, c.of, err, c.want)
		}
		if err == nil {
			roomstest.Must(bo, End, CallEnding{CallID: made.Call.ID})
		}
		rung := roomstest.Must(wang, Invite, in).Call
		if again := roomstest.Must(bo, Invite, in).Call; again.ID != rung.ID {
			t.Errorf("the doctor's call is %s, the patient finds %s", rung.ID, again.ID)
		}
		roomstest.Must(bo, Accept, CallAnswer{CallID: rung.ID})
		roomstest.Must(wang, End, CallEnding{CallID: rung.ID})
		roomstest.Must(wang, consultation.End, consultation.EndInput{ConsultationID: id})
	}
}
