package consultation_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	. "wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
)

// step is a command that someone sends about a consultation.
type step func(patient, doctor *roomstest.Person, id ID) rooms.Code

func by(patient bool, command rooms.Command[ReasonInput, Consultation]) step {
	return func(p, d *roomstest.Person, id ID) rooms.Code {
		who := d
		if patient {
			who = p
		}
		return roomstest.Code(who, command, ReasonInput{ConsultationID: id, Reason: "because"})
	}
}

func plain(patient bool, command rooms.Command[Input, Consultation]) step {
	return func(p, d *roomstest.Person, id ID) rooms.Code {
		who := d
		if patient {
			who = p
		}
		return roomstest.Code(who, command, Input{ConsultationID: id})
	}
}

func passes(d time.Duration) step {
	return func(p, _ *roomstest.Person, _ ID) rooms.Code {
		p.W.Passes(d)
		return ""
	}
}

var steps = map[string]step{
	"accept": plain(false, Accept), "decline": by(false, Decline), "cancel": by(true, Cancel), "hold": by(false, Hold),
	"resume": plain(false, Resume), "terminate": by(false, Terminate), "reopen": plain(true, Reopen),
	"end": func(_, d *roomstest.Person, id ID) rooms.Code {
		return roomstest.Code(d, End, EndInput{ConsultationID: id})
	},
	"finish": func(p, _ *roomstest.Person, id ID) rooms.Code {
		return roomstest.Code(p, End, EndInput{ConsultationID: id})
	},
	"24h": passes(24 * time.Hour), "48h": passes(48 * time.Hour), "72h": passes(72 * time.Hour), "7d": passes(7 * 24 * time.Hour),
}

// Every state, every command and every clock: what the domain's table does not
// have is a conflict that names the present state and changes nothing.
func TestMachine(t *testing.T) {
	t.Parallel()
	reach := map[Status][]string{
		Waiting: nil, Active: {"accept"}, OnHold: {"accept", "hold"}, Ended: {"accept", "end"}, Closed: {"accept", "end", "72h"},
		Cancelled: {"cancel"}, Declined: {"decline"}, Expired: {"24h"}, Terminated: {"accept", "terminate"},
	}
	allowed := map[Status]map[string]Status{
		Waiting: {"accept": Active, "decline": Declined, "cancel": Cancelled, "24h": Expired, "48h": Expired, "72h": Expired, "7d": Expired},
		Active:  {"hold": OnHold, "end": Ended, "finish": Ended, "terminate": Terminated, "48h": Ended, "72h": Ended, "7d": Ended},
		OnHold:  {"resume": Active, "end": Ended, "finish": Ended, "terminate": Terminated, "7d": Active},
		Ended:   {"reopen": Active, "72h": Closed, "7d": Closed},
	}
	// How many are open at a time depends on the order of the map.
	w := roomstest.New(t, func(w *roomstest.World) { w.Uncapped = true })
	patient, doctor := w.Patient("bo"), w.Doctor("wang")
	for from, path := range reach {
		for name, do := range steps {
			id := patient.Consults(doctor, "headache")
			for _, s := range path {
				if code := steps[s](patient, doctor, id); code != "" {
					t.Fatalf("%s on the way to %s: %s", s, from, code)
				}
			}
			before := len(patient.Log(id))
			code := do(patient, doctor, id)
			got, after := patient.Sees(id).Status, len(patient.Log(id))
			want, ok := allowed[from][name]
			timer := name[0] >= '0' && name[0] <= '9'
			switch {
			case ok && (code != "" || got != want || after != before+1):
				t.Errorf("%s + %s = %s %q with %d events, want %s with 1", from, name, got, code, after-before, want)
			case !ok && timer && (got != from || after != before):
				t.Errorf("%s + %s = %s with %d events, want nothing to happen", from, name, got, after-before)
			case !ok && !timer && (code != rooms.CodeConflict || got != from || after != before):
				t.Errorf("%s + %s = %s %q with %d events, want a conflict that changes nothing", from, name, got, code, after-before)
			}
		}
	}
}

func TestConflictNamesThePresentState(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	_, doctor, id := w.Talk()
	_, err := roomstest.Ask(w, doctor.As, Accept, Input{ConsultationID: id})
	e, ok := err.(*rooms.Error)
	if !ok || e.Code != rooms.CodeConflict || e.Status != "active" {
		t.Errorf("accepting twice: %#v, want a conflict with status active", err)
	}
}

// Who may do what: the other side of a transition is forbidden, a stranger
// does not learn that there is anything.
func TestPermissionsOfTransitions(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	patient, doctor := w.Patient("bo"), w.Doctor("wang")
	stranger, colleague := w.Patient("jing"), w.Doctor("li")
	id := patient.Consults(doctor, "headache")
	for _, c := range []struct {
		who  *roomstest.Person
		name string
		want rooms.Code
	}{
		{patient, "accept", rooms.CodeForbidden}, {stranger, "end", rooms.CodeNotFound}, {doctor, "cancel", rooms.CodeForbidden},
		{stranger, "accept", rooms.CodeNotFound}, {stranger, "cancel", rooms.CodeNotFound}, {colleague, "accept", rooms.CodeNotFound},
	} {
		if got := steps[c.name](c.who, c.who, id); got != c.want {
			t.Errorf("%s by %s: %s, want %s", c.name, c.who.User.Name, got, c.want)
		}
	}
}

func TestHoldPausesTheClock(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	patient, doctor, id := w.Talk()
	w.Passes(40 * time.Hour) // 8 of 48 hours are left
	roomstest.Must(doctor, Hold, ReasonInput{ConsultationID: id, Reason: "blood test"})
	w.Passes(6 * 24 * time.Hour)
	roomstest.Must(doctor, Resume, Input{ConsultationID: id})
	w.Passes(7 * time.Hour)
	if s := patient.Sees(id).Status; s != Active {
		t.Fatalf("after 7 of 8 hours it is %s", s)
	}
	w.Passes(time.Hour)
	if s := patient.Sees(id).Status; s != Ended {
		t.Errorf("after 8 of 8 hours it is %s", s)
	}
}

func TestFollowupEndsWithASignedSummary(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	patient, doctor := w.Patient("bo"), w.Doctor("wang")
	open := OpenInput{DoctorID: doctor.User.ID, Service: account.Followup, Medium: account.Text, Complaint: "again"}
	if code := roomstest.Code(patient, Open, open); code != rooms.CodeInvalid {
		t.Errorf("a followup without an earlier diagnosis: %q", code)
	}
	open.PriorDiagnosis = "hypertension"
	id := roomstest.Must(patient, Open, open).Consultation.ID
	doctor.Accepts(id)
	_, err := roomstest.Ask(w, doctor.As, End, EndInput{ConsultationID: id})
	if e, ok := err.(*rooms.Error); !ok || e.Code != rooms.CodeInvalid || e.Field != "summary" {
		t.Errorf("ending without a summary: %v", err)
	}
	c := roomstest.Must(doctor, End, EndInput{ConsultationID: id, Summary: "stable"})
	if c.Summary == nil || c.Summary.SignedBy != doctor.User.ID || len(c.Summary.SHA256) != 64 {
		t.Errorf("summary %+v", c.Summary)
	}
}

// Where it is required, a followup does not begin before the patient has shown
// the earlier diagnosis: a file, or a diagnosis of before.
func TestFollowupNeedsEvidenceWhereItIsRequired(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t, func(w *roomstest.World) { w.Evidence = EvidenceRequired })
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	followup := func() ID {
		return roomstest.Must(bo, Open, OpenInput{DoctorID: wang.User.ID, Service: account.Followup, Medium: account.Text, Complaint: "again", PriorDiagnosis: "hypertension"}).Consultation.ID
	}
	refused := func(what string, id ID) {
		t.Helper()
		_, err := roomstest.Ask(w, wang.As, Accept, Input{ConsultationID: id})
		var e *rooms.Error
		if !errors.As(err, &e) || e.Code != rooms.CodeInvalid || e.Field != "documents" {
			t.Errorf("%s: %v", what, err)
		}
		if s := bo.Sees(id).Status; s != Waiting {
			t.Errorf("%s: it is %s", what, s)
		}
	}
	first := followup()
	refused("nothing", first)
	bo.Says(first, "I have it at home")
	refused("words", first)
	sends := func(clientID string) chat.Message {
		ctx := rooms.WithUpload(t.Context(), &rooms.Upload{Name: "discharge.txt", Body: strings.NewReader("hypertension, stage 1")})
		file, err := roomstest.AskWith(ctx, w, bo.As, chat.Upload, chat.UploadInput{ConsultationID: first})
		if err != nil {
			t.Fatal(err)
		}
		return roomstest.Must(bo, chat.Send, chat.SendInput{ConsultationID: first, ClientID: clientID, Kind: chat.File, AttachmentID: file.ID})
	}
	roomstest.Must(bo, chat.Recall, chat.MessageInput{ConsultationID: first, MessageID: sends("mistake").ID})
	refused("a file that was recalled", first)
	sends("right")
	wang.Accepts(first)

	second := followup()
	refused("the file of another consultation", second)
	draft := roomstest.Must(wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: first, DiagnosisInput: record.DiagnosisInput{Codes: []string{"I10"}}})
	refused("a draft", second)
	roomstest.Must(wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})
	wang.Accepts(second)
	wang.Accepts(bo.Consults(wang, "advice needs none"))
}

func TestReopenGivesTwoTurnsOnce(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	patient, doctor, id := w.Talk()
	roomstest.Must(doctor, End, EndInput{ConsultationID: id})
	w.Passes(71 * time.Hour)
	roomstest.Must(patient, Reopen, Input{ConsultationID: id})
	for turn := range 2 {
		patient.Says(id, fmt.Sprintf("question %d", turn))
		patient.Says(id, "and what belongs to it")
		doctor.Says(id, "answer")
	}
	if code := roomstest.Code(patient, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "third", Kind: chat.Text, Text: "a third"}); code != rooms.CodeConflict {
		t.Errorf("a third question: %q, want conflict", code)
	}
	w.Passes(time.Hour) // 72 hours after the end
	if s := patient.Sees(id).Status; s != Ended {
		t.Fatalf("it is %s", s)
	}
	if code := roomstest.Code(patient, Reopen, Input{ConsultationID: id}); code != rooms.CodeConflict {
		t.Errorf("reopening twice: %q, want conflict", code)
	}
}

func TestPriceWaitsForPayment(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	patient, doctor := w.Patient("bo"), w.Doctor("wang")
	c := roomstest.Must(patient, Open, OpenInput{DoctorID: doctor.User.ID, Service: account.Advice, Medium: account.Video, Complaint: "headache"}).Consultation
	if c.Status != PendingPayment || c.Price != 5000 {
		t.Fatalf("opened as %s at %d", c.Status, c.Price)
	}
	if code := roomstest.Code(doctor, Accept, Input{ConsultationID: c.ID}); code != rooms.CodeConflict {
		t.Errorf("accepting what is not paid: %q", code)
	}
	w.Passes(15 * time.Minute)
	if c = patient.Sees(c.ID); c.Status != Expired || c.Refund != NoRefund {
		t.Errorf("unpaid for 15 minutes: %s, refund %q", c.Status, c.Refund)
	}
}

func TestOpenIsIdempotent(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	patient, doctor := w.Patient("bo"), w.Doctor("wang")
	in := OpenInput{ID: "made-by-the-client", DoctorID: doctor.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "headache"}
	first := roomstest.Must(patient, Open, in).Consultation
	doctor.Accepts(first.ID)
	if again := roomstest.Must(patient, Open, in).Consultation; again.ID != first.ID || again.Status != Active {
		t.Errorf("sent again: %+v", again)
	}
	in.Complaint = "something else"
	if code := roomstest.Code(patient, Open, in); code != rooms.CodeConflict {
		t.Errorf("other content under the same id: %q", code)
	}
}

func TestQueuePositionIsPushed(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor := w.Doctor("wang")
	var ids []ID
	for _, name := range []string{"a", "b", "c"} {
		w.Passes(time.Minute)
		ids = append(ids, w.Patient(name).Consults(doctor, "headache"))
	}
	doctor.Accepts(ids[0])
	var positions []int
	for _, n := range w.Signals(ids[2].Room(), QueueUpdated.Name) {
		var q Queue
		if err := json.Unmarshal(n.Data, &q); err != nil {
			t.Fatal(err)
		}
		positions = append(positions, q.Position)
	}
	if fmt.Sprint(positions) != "[3 2]" {
		t.Errorf("the third in the queue received %v, want [3 2]", positions)
	}
}

// The doctor's devices hear of a new consultation without having joined it.
func TestParticipantsDevicesAreNotified(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	patient, doctor := w.Patient("bo"), w.Doctor("wang")
	id := patient.Consults(doctor, "headache")
	events := w.Events(id.Room())
	if len(events) != 1 || events[0].Seq != 1 || fmt.Sprint(events[0].Also) != fmt.Sprint([]rooms.RoomID{rooms.UserRoom(patient.User.ID), rooms.UserRoom(doctor.User.ID)}) {
		t.Errorf("published %+v", events)
	}
}

func TestJoinBringsWhatWasMissed(t *testing.T) {
	t.Parallel()
	patient, doctor, id := roomstest.New(t).Talk()
	for i := range 250 {
		patient.Says(id, fmt.Sprint(i))
	}
	var got []rooms.Seq
	after := rooms.Seq(1)
	for {
		j := roomstest.Must(doctor, Join, JoinInput{ConsultationID: id, After: &after})
		for _, e := range j.Events {
			got = append(got, e.Seq)
		}
		if !j.HasMore {
			break
		}
		after = got[len(got)-1]
	}
	for i, seq := range got {
		if seq != rooms.Seq(i+2) {
			t.Fatalf("event %d has seq %d", i, seq)
		}
	}
	if len(got) != 251 {
		t.Errorf("%d events after the first, want 251", len(got))
	}
	latest := roomstest.Must(doctor, Join, JoinInput{ConsultationID: id})
	if n := len(latest.Events); latest.HasMore || latest.Events[n-1].Seq != 252 || n != 200 {
		t.Errorf("without after: %d events, more %v", n, latest.HasMore)
	}
}

// An answer stays small although every message is as long as can be.
func TestJoinIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	patient, doctor := w.Patient("bo"), w.Doctor("wang")
	id := patient.Consults(doctor, "headache")
	for range 40 {
		patient.Says(id, strings.Repeat("痛", chat.TextLimit))
	}
	var after rooms.Seq
	for more := true; more; {
		j := roomstest.Must(doctor, Join, JoinInput{ConsultationID: id, After: &after})
		raw, err := json.Marshal(j.Events)
		if err != nil || len(raw) > 600<<10 {
			t.Fatalf("an answer of %d bytes, %v", len(raw), err)
		}
		if j.Events[0].Seq != after+1 {
			t.Fatalf("after %d comes %d", after, j.Events[0].Seq)
		}
		after, more = j.Events[len(j.Events)-1].Seq, j.HasMore
	}
	if after != 41 {
		t.Errorf("the last was %d, want 41", after)
	}
}

func TestListPagesByLatestChange(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	patient, doctor := w.Patient("bo"), w.Doctor("wang")
	for range 5 {
		w.Passes(time.Second)
		patient.Consults(doctor, "headache")
	}
	first := roomstest.Must(doctor, List, Filter{Limit: 3})
	w.Passes(time.Second)
	patient.Says(first.Items[2].ID, "hello")
	first = roomstest.Must(doctor, List, Filter{Limit: 3})
	if first.Items[0].Unread != 1 {
		t.Errorf("the one that was spoken in is not first, or not unread: %+v", first.Items[0])
	}
	second := roomstest.Must(doctor, List, Filter{Limit: 3, Cursor: first.NextCursor})
	seen := map[ID]bool{}
	for _, c := range append(first.Items, second.Items...) {
		seen[c.ID] = true
	}
	if len(seen) != 5 || second.NextCursor != "" {
		t.Errorf("two pages show %d of 5, then cursor %q", len(seen), second.NextCursor)
	}
	if code := roomstest.Code(doctor, List, Filter{Cursor: "nonsense"}); code != rooms.CodeInvalid {
		t.Errorf("a cursor that is none: %q", code)
	}
}
