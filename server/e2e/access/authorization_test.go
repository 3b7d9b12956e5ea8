package access_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	calls "wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
	"wenzhen.example/server/rest"
)

// house is a world with bo's things in it and everyone who should not get them.
type house struct {
	*e2e.World
	bo, wang *e2e.Person
	things   belongings
	tokens   [strangers]string
	slot     time.Time // that bo has booked with wang
}

func furnish(t *testing.T) *house {
	return furnished(e2e.Start(t, func(c *app.Config) { c.CommandRate, c.CommandBurst = 10_000, 10_000 }), t) // this asks much
}

// furnished puts a new bo, with bo's things, into the world, and new strangers.
func furnished(w *e2e.World, t testing.TB) *house {
	t.Helper()
	h := &house{World: w, bo: w.Patient("bo"), wang: w.Doctor("wang")}
	id := h.bo.Consults(h.wang, e2e.Secret+" headache")
	h.wang.Accepts(id)
	picture := h.bo.Uploads(id, e2e.Secret+".png", e2e.SomePNG(t, 8, 8))
	e2e.Do(h.bo, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "picture", Kind: chat.Image, AttachmentID: picture.ID})
	m := h.bo.Says(id, e2e.Secret+" secret text")
	h.wang.Says(id, e2e.Secret+" secret answer")
	profile := e2e.Do(h.bo, account.AddPatient, account.PatientInput{Name: e2e.Secret, Relation: "child"})

	jing, li := w.Patient("jing"), w.Doctor("li")
	jing.Consults(li, "nothing of bo's") // so that neither can be erased on the way
	h.tokens[otherPatient], h.tokens[otherDoctor] = jing.Tokens().AccessToken, li.Tokens().AccessToken

	aunt := w.Patient("aunt")
	e2e.Do(h.bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: aunt.User.ID, Role: consultation.PartRelative})
	e2e.Do(aunt, consultation.Read, consultation.Input{ConsultationID: id}) // she could
	e2e.Do(w.Admin, account.SuspendUser, account.UserInput{UserID: aunt.User.ID})
	h.tokens[suspended] = aunt.Tokens().AccessToken

	again := e2e.Do(h.bo, consultation.Open, consultation.OpenInput{DoctorID: h.wang.User.ID, Service: account.Followup, Medium: account.Text, Complaint: e2e.Secret, PriorDiagnosis: e2e.Secret}).Consultation
	h.wang.Accepts(again.ID)
	sick := record.DiagnosisInput{Codes: []string{"I10"}, Text: e2e.Secret}
	signed := e2e.Do(h.wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: again.ID, DiagnosisInput: sick})
	e2e.Do(h.wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: signed.ID})
	draft := e2e.Do(h.wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: again.ID, DiagnosisInput: sick})
	pills := e2e.Do(h.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: again.ID, PrescriptionInput: e2e.Remedy()})
	prescribed := e2e.Do(h.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: again.ID, PrescriptionInput: e2e.Remedy()})
	e2e.Do(h.wang, record.SignPrescription, record.SignPrescriptionInput{PrescriptionID: prescribed.ID})
	e2e.Do(h.bo, record.UpdateRecord, record.BackgroundInput{PatientID: again.PatientID, Allergies: []record.Allergy{{Substance: e2e.Secret}}})

	lost, kept := h.bo.Again(), h.bo.Again()
	h.tokens[revoked] = lost.Tokens().AccessToken
	e2e.Do(h.bo, account.RevokeSession, account.SessionInput{SessionID: e2e.Current(lost)})

	hours := []schedule.Rule{}
	for day := range 7 {
		hours = append(hours, schedule.Rule{Weekday: day + 1, Start: "00:00", End: "24:00", SlotMinutes: 60, Capacity: 1, Media: []account.Medium{account.Text}})
	}
	e2e.Do(h.wang, schedule.SaveSchedule, schedule.ScheduleInput{TimeZone: "UTC", Rules: hours})
	h.slot = time.Now().UTC().Truncate(time.Hour).Add(48 * time.Hour)
	booked := e2e.Do(h.bo, schedule.Book, schedule.BookInput{DoctorID: h.wang.User.ID, Start: h.slot, Medium: account.Text, Service: account.Advice, Complaint: e2e.Secret})
	off := e2e.Do(h.wang, schedule.AddException, schedule.ExceptionInput{Kind: schedule.TimeOff, Start: h.slot.Add(time.Hour), End: h.slot.Add(2 * time.Hour), Note: e2e.Secret})
	waits := e2e.Do(h.bo, schedule.JoinWaitlist, schedule.WaitInput{DoctorID: h.wang.User.ID, From: h.slot.Add(time.Hour), To: h.slot.Add(2 * time.Hour), Medium: account.Text, Service: account.Advice, Complaint: e2e.Secret})

	desk := h.wang.Again().Online()
	ring := e2e.Call(desk, calls.Invite, calls.CallInvitation{ConsultationID: id, Medium: account.Video})
	e2e.Call(desk, calls.End, calls.CallEnding{CallID: ring.Call.ID})

	h.things = belongings{diagnosis: signed.ID, prescription: prescribed.ID, draft: draft.ID, drugs: pills.ID, patient: again.PatientID,
		appointment: booked.Appointment.ID, exception: off.Exception.ID, wait: waits.ID, slot: h.slot, consultation: id, call: ring.Call.ID, message: m.ID, attachment: picture.ID, profile: profile.ID, session: e2e.Current(kept),
		user: h.bo.User.ID, doctor: h.wang.User.ID, unverified: w.Register(rooms.RoleDoctor, "quack").User.ID}
	owed := e2e.Do(h.bo, consultation.Open, consultation.OpenInput{DoctorID: w.Costly("zhao").User.ID, Service: account.Advice, Medium: account.Text, Complaint: e2e.Secret})
	h.things.order = owed.Order.ID
	return h
}

// verdict is what somebody was answered, without what differs each time.
type verdict struct {
	Code               rooms.Code
	Field, Text, State string
}

func verdictOf(e *rooms.Error) verdict {
	if e == nil {
		return verdict{}
	}
	return verdict{e.Code, e.Field, e.Message, e.Status}
}

// Every command and every route, for everyone who has no business with it:
// each is refused as if the thing did not exist, learns nothing and changes
// nothing. What is expected follows from what the command declares (rowOf).
func TestStrangersAreKeptOut(t *testing.T) {
	t.Parallel()
	h := furnish(t)
	routes := map[string][]rest.Route{}
	for _, r := range rest.Routes() {
		routes[r.Command] = append(routes[r.Command], r)
	}
	inside := map[stranger]*e2e.Bare{}
	for who := range strangers {
		b := h.Bare(t)
		switch got := b.Connect(h.tokens[who]); {
		case who == otherPatient || who == otherDoctor:
			inside[who] = b
			if !strings.HasPrefix(got, e2e.Joined) {
				t.Fatalf("the %v cannot connect: %s", who, got)
			}
			for _, namespace := range []string{rooms.Schedules, rooms.Notifications} {
				if got := b.On(namespace).Connect(h.tokens[who]); !strings.HasPrefix(got, "40"+namespace+",{") {
					t.Fatalf("the %v cannot connect to %s: %s", who, namespace, got)
				}
			}
			if got := b.On(rooms.Lobby).Connect(h.tokens[who]); !strings.HasPrefix(got, "40/lobby,{") {
				t.Fatalf("the %v cannot enter the lobby: %s", who, got)
			}
			b.On(rooms.Lobby).Event(lobby.Welcome.Name)
			if got := h.Bare(t).On(rooms.Admin).Connect(h.tokens[who]); !strings.HasPrefix(got, "44/admin,") || !strings.Contains(got, `"code":"forbidden"`) {
				t.Errorf("the %v is answered at /admin: %s", who, got)
			}
		case !strings.Contains(got, `"code":"unauthenticated"`):
			t.Errorf("the %v can connect: %s", who, got)
		}
	}
	before := h.snapshot()
	names := map[string]bool{}
	for c := range h.Server.Catalogue().All() {
		names[c.Name] = true
		row := rowOf(c)
		if c.Namespace == "" && len(routes[c.Name]) == 0 && c.Name != schedule.Calendar.Name { // that is at /calendar
			t.Errorf("%s can be reached in no way", c.Name)
		}
		for who := range strangers {
			for _, r := range routes[c.Name] {
				h.knock(t, fmt.Sprintf("%v: %s %s", who, r.Method, r.Path), row, who, func(b belongings) (verdict, string) {
					return h.overREST(t, r, h.tokens[who], row.in(b))
				})
			}
			if b := inside[who]; b != nil && c.Namespace != "" && c.Namespace != rooms.Admin { // nobody got in there
				b := b.On(c.Namespace)
				h.knock(t, fmt.Sprintf("%v: %s", who, c.Name), row, who, func(things belongings) (verdict, string) {
					r := b.Ask(1, c.Name, row.in(things))
					return verdictOf(r.Error), string(r.Data)
				})
			}
		}
		if after := h.snapshot(); !bytes.Equal(before, after) {
			t.Errorf("after %s bo's things are not as they were:\n%s", c.Name, cmp.Diff(string(before), string(after)))
			before = after
		}
	}
	for name := range maps.Keys(authorization) {
		if !names[name] {
			t.Errorf("the table of authorization has a row for %s, which does not exist", name)
		}
	}
	h.owned(t, routes)
}

// knock tries one cell of the table, and the same with things that do not exist.
func (h *house) knock(t *testing.T, name string, r row, who stranger, try func(belongings) (verdict, string)) {
	t.Helper()
	got, body := try(h.things)
	if got.Code != r.want[who] {
		t.Errorf("%s: got %q %s, want %q", name, got.Code, got.Text, r.want[who])
	}
	if strings.Contains(body, e2e.Secret) || strings.Contains(got.Text, e2e.Secret) {
		t.Errorf("%s: the answer has a secret: %s", name, body)
	}
	if got.Code == ok {
		return
	}
	if none, _ := try(nothing); none != got {
		t.Errorf("%s: tells what exists from what does not:\n%+v\n%+v", name, got, none)
	}
}

// overREST asks through a route.
func (h *house) overREST(t *testing.T, r rest.Route, token string, in any) (verdict, string) {
	t.Helper()
	raw, err := json.Marshal(in)
	e2e.Must(t, err)
	fields := map[string]any{}
	e2e.Must(t, json.Unmarshal(raw, &fields))
	path := r.Path
	for name, value := range fields {
		if strings.Contains(path, ":"+name) {
			path = strings.ReplaceAll(path, ":"+name, url.PathEscape(fmt.Sprint(value)))
			delete(fields, name)
		}
	}
	body, contentType := "", "application/json"
	switch {
	case r.Command == chat.Upload.Name:
		body, contentType = e2e.Form(t, "x.txt", []byte("let me in"))
	case r.Method == http.MethodGet:
		query := url.Values{}
		for name, value := range fields {
			query.Set(name, fmt.Sprint(value))
		}
		path += "?" + query.Encode()
	default:
		raw, err := json.Marshal(fields)
		e2e.Must(t, err)
		body = string(raw)
	}
	a := h.Ask(t, r.Method, "/api/v1"+path, token, body, "Content-Type", contentType)
	if a.Status >= 500 {
		t.Errorf("%s %s: %d %s", r.Method, path, a.Status, a.Body)
	}
	if a.Status < 300 {
		return verdict{}, string(a.Body)
	}
	return verdict{a.Problem.Code, a.Problem.Field, a.Problem.Detail, a.Problem.State}, string(a.Body)
}

// snapshot is all that is bo's, and the doctor's side of it.
func (h *house) snapshot() []byte {
	h.T.Helper()
	var all []any
	all = append(all, h.bo.Log(h.things.consultation),
		e2e.Do(h.bo, consultation.Read, consultation.Input{ConsultationID: h.things.consultation}),
		e2e.Do(h.bo, consultation.List, consultation.Filter{}),
		e2e.Do(h.bo, chat.History, chat.HistoryInput{ConsultationID: h.things.consultation}),
		e2e.Do(h.bo, account.Sessions, rooms.Nothing{}), e2e.Do(h.bo, account.Me, rooms.Nothing{}), e2e.Do(h.bo, account.Patients, rooms.Nothing{}),
		e2e.Do(h.wang, account.Me, rooms.Nothing{}), e2e.Do(h.wang, chat.QuickReplies, rooms.Nothing{}),
		e2e.Do(h.wang, consultation.List, consultation.Filter{}),
		e2e.Do(h.bo, billing.Orders, billing.OrderFilter{}),
		e2e.Do(h.bo, schedule.Appointments, schedule.AppointmentFilter{}), e2e.Do(h.bo, schedule.Waitlist, rooms.Nothing{}),
		e2e.Do(h.wang, schedule.ReadSchedule, rooms.Nothing{}), e2e.Do(h.wang, schedule.Appointments, schedule.AppointmentFilter{}),
		e2e.Do(h.wang, record.Diagnoses, record.InConsultation{ConsultationID: h.record()}), e2e.Do(h.wang, record.Prescriptions, record.InConsultation{ConsultationID: h.record()}),
		e2e.Do(h.bo, record.ReadRecord, record.PatientRef{PatientID: h.things.patient}), e2e.Do(h.Admin, record.Pharmacists, rooms.Nothing{}),
		e2e.Do(h.Admin, account.Users, account.UserFilter{Q: "quack"}))
	raw, err := json.MarshalIndent(all, "", " ")
	e2e.Must(h.T, err)
	return raw
}

// record is the consultation that bo's record was written in.
func (h *house) record() consultation.ID {
	h.T.Helper()
	return e2e.Do(h.bo, record.ReadDiagnosis, record.DiagnosisRef{DiagnosisID: h.things.diagnosis}).ConsultationID
}

// owned makes sure that the table is aimed at things that are there: for bo
// none of them is absent.
func (h *house) owned(t *testing.T, routes map[string][]rest.Route) {
	t.Helper()
	inside := h.bo.Bare(t)
	inside.On(rooms.Schedules).Connect(h.bo.Tokens().AccessToken)
	inside.On(rooms.Notifications).Connect(h.bo.Tokens().AccessToken)
	for c := range h.Server.Catalogue().All() {
		row, name := rowOf(c), c.Name
		if row.everyone || row.want[otherPatient] != absent {
			continue
		}
		for _, r := range routes[name] {
			if got, _ := h.overREST(t, r, h.bo.Tokens().AccessToken, row.in(h.things)); got.Code == absent || got.Code == login {
				t.Errorf("bo: %s %s: %+v", r.Method, r.Path, got)
			}
		}
		if c.Namespace != "" {
			if r := inside.On(c.Namespace).Ask(1, name, row.in(h.things)); !r.OK && (r.Error.Code == absent || r.Error.Code == login) {
				t.Errorf("bo: %s: %+v", name, r.Error)
			}
		}
	}
}

// Commands in the user's own consultation cannot use resources of another one
// either.
func TestThingsStayInTheirConsultation(t *testing.T) {
	t.Parallel()
	h := furnish(t)
	jing := h.Patient("jing")
	id := jing.Consults(h.wang, "mine")
	for name, in := range map[string]func(belongings) any{
		"attachment": func(b belongings) any {
			return chat.SendInput{ConsultationID: id, ClientID: "a", Kind: chat.Image, AttachmentID: b.attachment}
		},
		"reply": func(b belongings) any {
			return chat.SendInput{ConsultationID: id, ClientID: "r", Kind: chat.Text, Text: "x", ReplyTo: b.message}
		},
		"recall": func(b belongings) any { return chat.MessageInput{ConsultationID: id, MessageID: b.message} },
	} {
		route := rest.Route{Method: "POST", Path: "/consultations/:consultationId/messages", Command: chat.Send.Name}
		if name == "recall" {
			route = rest.Route{Method: "POST", Path: "/consultations/:consultationId/messages/:messageId/recall", Command: chat.Recall.Name}
		}
		got, _ := h.overREST(t, route, jing.Tokens().AccessToken, in(h.things))
		none, _ := h.overREST(t, route, jing.Tokens().AccessToken, in(nothing))
		if got.Code == ok || got != none {
			t.Errorf("%s: got %+v, and %+v where there is none", name, got, none)
		}
	}
	// Neither does a search find them.
	if found := e2e.Do(jing, chat.Search, chat.SearchInput{Q: "secret"}); len(found.Items) > 0 {
		t.Errorf("jing found %+v", found.Items)
	}
	if found := e2e.Do(h.bo, chat.Search, chat.SearchInput{Q: "secret"}); len(found.Items) != 2 {
		t.Errorf("bo found %d messages, want 2", len(found.Items))
	}
}

// A socket of a stranger receives nothing of a room, whatever is said there.
func TestStrangersReceiveNothing(t *testing.T) {
	t.Parallel()
	h := furnish(t)
	b := h.Bare(t)
	b.Connect(h.tokens[otherPatient])
	b.Ask(1, consultation.Join.Name, consultation.JoinInput{ConsultationID: h.things.consultation})
	h.bo.Online()
	room := h.bo.Joins(h.things.consultation)
	h.wang.Says(h.things.consultation, e2e.Secret)
	e2e.Call(h.bo, chat.StartTyping, chat.TypingInput{ConsultationID: h.things.consultation})
	e2e.Read(t, room, h.bo.Log(h.things.consultation)[len(h.bo.Log(h.things.consultation))-1].Seq)
	// The next packet is the answer to this and nothing before it.
	b.Text(`42/consultations,2["consultation:join",{"consultationId":"none"}]`)
	if got := b.Next(); !strings.HasPrefix(got, "43/consultations,2[") {
		t.Errorf("a stranger received %s", got)
	}
}

// The client's table of routes is the server's.
func TestClientKnowsTheRoutes(t *testing.T) {
	t.Parallel()
	var want []client.Route
	for _, r := range rest.Routes() {
		want = append(want, client.Route{Method: r.Method, Path: r.Path, Command: r.Command, Anonymous: r.Anonymous})
	}
	if diff := cmp.Diff(want, client.Routes()); diff != "" {
		t.Error(diff)
	}
}
