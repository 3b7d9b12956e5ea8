package notification_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	. "wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/rooms/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// topics are what someone's inbox tells of, the oldest first; read ones in
// brackets. That a doctor was verified, which every fixture is, is left out.
func topics(p *roomstest.Person) string {
	p.W.T.Helper()
	var list []string
	for _, n := range p.Inbox() {
		if n.Topic == DoctorVerified {
			continue
		}
		topic := string(n.Topic)
		if n.ReadAt != nil {
			topic = "(" + topic + ")"
		}
		list = append(list, topic)
	}
	return strings.Join(list, " ")
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func unread(p *roomstest.Person) int {
	p.W.T.Helper()
	p.W.Notifies()
	return roomstest.Must(p, List, InboxInput{}).Unread
}

// Each side is notified of what the other did, and not of their own actions.
func TestConsultationNotifications(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, zhao := w.Patient("bo"), w.Doctor("wang"), w.Patient("zhao")
	c := bo.Consults(wang, "headache")
	wang.Accepts(c)
	bo.Says(c, "since Monday")
	wang.Says(c, "take a rest")
	w.Passes(time.Second)
	roomstest.Must(bo, consultation.Invite, consultation.InviteInput{ConsultationID: c, UserID: zhao.User.ID, Role: consultation.PartRelative})
	wang.Says(c, "both of you")
	roomstest.Must(wang, consultation.Hold, consultation.ReasonInput{ConsultationID: c})
	roomstest.Must(wang, consultation.Resume, consultation.Input{ConsultationID: c})
	roomstest.Must(wang, consultation.End, consultation.EndInput{ConsultationID: c})
	roomstest.Must(bo, consultation.Reopen, consultation.Input{ConsultationID: c})
	expect(t, "bo", topics(bo), "consultation_accepted message message consultation_on_hold consultation_resumed consultation_ended")
	expect(t, "wang", topics(wang), "consultation_requested message consultation_reopened")
	expect(t, "zhao", topics(zhao), "consultation_invited message")

	first := zhao.Inbox()[0]
	if first.Path != "/consultations/"+string(c) || first.ConsultationID != c || first.Kind != Consultations {
		t.Errorf("leads to %q about %q", first.Path, first.ConsultationID)
	}
}

// Texts are in the present language of the reader, and contain no message text.
func TestWords(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang := w.Patient("张波"), w.Doctor("王芳")
	c := bo.Consults(wang, "头痛")
	wang.Accepts(c)
	wang.Says(c, "这是秘密")
	for locale, want := range map[string]string{
		"zh-CN": "王芳医生已接诊/问诊已开始，您可以与医生交流了。 王芳发来新消息/点击查看并回复。",
		"en":    "Dr 王芳 accepted your consultation/Your consultation has started. New message from 王芳/Open the site to read and answer it.",
	} {
		roomstest.Must(bo, account.UpdateMe, account.MeInput{Locale: &locale})
		var got []string
		for _, n := range bo.Inbox() {
			got = append(got, n.Title+"/"+n.Text)
		}
		expect(t, locale, strings.Join(got, " "), want)
	}
}

// Every topic has words in every language.
func TestEveryTopicHasWords(t *testing.T) {
	t.Parallel()
	for language, missing := range Unworded() {
		t.Errorf("%s has no words for %v", language, missing)
	}
}

// A user who looks at a consultation is not notified of its events:
// notifications are stored as read, and messages do not enter the inbox at all.
func TestViewingStoresNotificationsAsRead(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	roomstest.Must(bo, Subscribe, roomstest.Browser("https://push.example/bo"))
	c := bo.Consults(wang, "headache")
	w.Presence.Enter(rooms.View(c.Room()), bo.User.ID)
	wang.Accepts(c)
	wang.Says(c, "seen at once")
	w.Notifies()
	expect(t, "looking", topics(bo), "(consultation_accepted)")
	w.Presence.Leave(rooms.View(c.Room()), bo.User.ID)
	wang.Says(c, "not seen")
	w.Notifies()
	expect(t, "not looking", topics(bo), "(consultation_accepted) message")
	w.Passes(time.Minute)
	w.Notifies()
	if got := w.Outside.Pushes("https://push.example/bo"); len(got) != 1 || got[0].Kind != Messages {
		t.Errorf("pushed %+v", got)
	}
}

// What was read in the room is read in the inbox, up to there and no further.
func TestReadingTheRoomReadsTheInbox(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	c := bo.Consults(wang, "headache")
	other := bo.Consults(wang, "and my back")
	wang.Accepts(c)
	wang.Accepts(other)
	first := wang.Says(c, "one")
	wang.Says(c, "two")
	wang.Says(other, "three")
	w.Notifies()
	roomstest.Must(bo, chat.MarkRead, chat.ReceiptInput{ConsultationID: c, UpToSeq: first.Seq})
	expect(t, "inbox", topics(bo), "(consultation_accepted) consultation_accepted (message) message message")
	// Read before notifications read the log: it never enters.
	last := wang.Says(c, "four")
	roomstest.Must(bo, chat.MarkRead, chat.ReceiptInput{ConsultationID: c, UpToSeq: last.Seq})
	expect(t, "after reading all", topics(bo), "(consultation_accepted) consultation_accepted (message) (message) message")
}

func TestMarkingRead(t *testing.T) {
	t.Parallel()
	bo, wang, c := roomstest.New(t).Talk()
	for i := range 4 {
		wang.Says(c, fmt.Sprint(i))
	}
	in := bo.Inbox()
	r := roomstest.Must(bo, Read, MarkReadInput{IDs: []ID{in[2].ID, in[3].ID, in[3].ID, "nonsense"}})
	if r.Unread != 3 || len(r.IDs) != 2 || !slices.Contains(r.IDs, in[2].ID) {
		t.Errorf("two ids: %+v", r)
	}
	again := roomstest.Must(bo, Read, MarkReadInput{IDs: []ID{in[2].ID}})
	if again.Unread != 3 || len(again.IDs) != 0 || again.Seq != r.Seq {
		t.Errorf("again: %+v after %+v", again, r)
	}
	if r = roomstest.Must(bo, Read, MarkReadInput{UpToID: in[3].ID}); r.Unread != 1 || len(r.IDs) != 2 {
		t.Errorf("up to the fourth: %+v", r)
	}
	// Nobody marks what is someone else's, nor learns that it is there.
	if code := roomstest.Code(wang, Read, MarkReadInput{UpToID: in[4].ID}); code != rooms.CodeNotFound {
		t.Errorf("someone else's: %q", code)
	}
	if r := roomstest.Must(wang, Read, MarkReadInput{IDs: []ID{in[4].ID}}); len(r.IDs) != 0 || unread(bo) != 1 {
		t.Errorf("someone else's, by id: %+v", r)
	}
	if left := roomstest.Must(bo, List, InboxInput{Unread: true}); len(left.Items) != 1 || left.Items[0].ID != in[4].ID {
		t.Errorf("unread: %+v", left)
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	bo, wang, c := roomstest.New(t).Talk()
	for i := range 24 {
		wang.Says(c, fmt.Sprint(i))
	}
	all := bo.Inbox()
	slices.Reverse(all)
	var paged []Notification
	for in := (InboxInput{Limit: 10}); ; {
		page := roomstest.Must(bo, List, in)
		paged = append(paged, page.Items...)
		if page.Unread != 25 {
			t.Errorf("unread %d", page.Unread)
		}
		if in.Cursor = page.NextCursor; in.Cursor == "" {
			break
		}
	}
	if len(paged) != 25 || !slices.EqualFunc(paged, all, func(a, b Notification) bool { return a.ID == b.ID }) {
		t.Errorf("%d notifications in pages, %d in all", len(paged), len(all))
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	after, minus := rooms.Seq(3), rooms.Seq(-1)
	fields := func(name string, err error, field string) {
		t.Helper()
		if code := rooms.CodeOf(err); code != rooms.CodeInvalid && code != rooms.CodeTooLarge || !strings.Contains(err.Error(), "("+field+")") {
			t.Errorf("%s: %v, want field %s", name, err, field)
		}
	}
	for name, x := range map[string]struct {
		in    InboxInput
		field string
	}{
		"limit": {InboxInput{Limit: 101}, "limit"}, "cursor": {InboxInput{Cursor: "!"}, "cursor"}, "after": {InboxInput{After: &minus}, "after"},
		"both": {InboxInput{After: &after, Cursor: rooms.Cursor{Num: 1}.Encode()}, "after"},
	} {
		_, err := roomstest.Ask(w, bo.As, List, x.in)
		fields(name, err, x.field)
	}
	for name, in := range map[string]MarkReadInput{"nothing": {}, "both": {UpToID: "a", IDs: []ID{"b"}}, "many": {IDs: make([]ID, 501)}} {
		_, err := roomstest.Ask(w, bo.As, Read, in)
		fields(name, err, "ids")
	}
	for field, p := range map[string]Preferences{
		"kinds":               {Kinds: []KindPreference{{Kind: "weather"}}},
		"quietHours.from":     {QuietHours: &QuietHours{From: "25:00", To: "07:00", TimeZone: "UTC"}},
		"quietHours.to":       {QuietHours: &QuietHours{From: "22:00", To: "22:00", TimeZone: "UTC"}},
		"quietHours.timeZone": {QuietHours: &QuietHours{From: "22:00", To: "7:00", TimeZone: "UTC"}},
	} {
		if field == "quietHours.timeZone" {
			p.QuietHours = &QuietHours{From: "22:00", To: "07:00", TimeZone: "Mars/Base"}
		}
		_, err := roomstest.Ask(w, bo.As, SavePreferences, p)
		fields(field, err, field)
	}
	good := roomstest.Browser("https://push.example/1")
	for field, change := range map[string]func(*SubscribeInput){
		"endpoint":    func(in *SubscribeInput) { in.Endpoint = "not a URL" },
		"keys.p256dh": func(in *SubscribeInput) { in.Keys.P256dh = in.Keys.P256dh[1:] },
		"keys.auth":   func(in *SubscribeInput) { in.Keys.Auth = "AAAA" },
	} {
		in := good
		change(&in)
		_, err := roomstest.Ask(w, bo.As, Subscribe, in)
		fields(field, err, field)
	}
}

// Every event is notified once, also if several nodes read the log at once
// and across restarts.
func TestEveryEventNotifiesOnce(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, c := w.Talk()
	const said = 40
	for round := range 4 {
		for i := range said / 4 {
			wang.Says(c, fmt.Sprint(round, i))
		}
		var nodes sync.WaitGroup
		for range 3 {
			nodes.Go(w.Notifies)
		}
		nodes.Wait()
		w.Restarts(time.Second)
	}
	in := bo.Inbox()
	seqs := map[rooms.Seq]bool{}
	for _, n := range in {
		seqs[n.Seq] = true
	}
	if len(in) != 1+said || len(seqs) != 1+said || unread(bo) != 1+said {
		t.Errorf("%d notifications, %d seqs, %d unread; want %d", len(in), len(seqs), unread(bo), 1+said)
	}
}

// Both sides of an appointment are notified, with the data for calendars.
func TestAppointmentNotifications(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang := w.Patient("bo").Verifies(), w.Doctor("wang").Verifies()
	roomstest.Must(wang, schedule.SaveSchedule, schedule.ScheduleInput{TimeZone: "Asia/Shanghai", Rules: []schedule.Rule{
		{Weekday: 2, Start: "09:00", End: "12:00", SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Text}}}})
	nine := time.Date(2026, 11, 3, 1, 0, 0, 0, time.UTC) // in Shanghai
	zone := "Asia/Shanghai"
	roomstest.Must(bo, account.UpdateMe, account.MeInput{TimeZone: &zone})
	b := roomstest.Must(bo, schedule.Book, schedule.BookInput{DoctorID: wang.User.ID, Start: nine, Medium: account.Text, Service: account.Advice, Complaint: "headache"})
	if got := bo.Inbox(); len(got) != 1 || !strings.Contains(got[0].Text, "09:00") || got[0].Path != "/appointments" {
		t.Errorf("bo's: %+v", got)
	}
	roomstest.Must(bo, schedule.Reschedule, schedule.RescheduleInput{AppointmentID: b.Appointment.ID, Start: nine.Add(time.Hour)})
	roomstest.Must(wang, schedule.Cancel, schedule.CancelInput{AppointmentID: b.Appointment.ID})
	expect(t, "bo", topics(bo), "(appointment_booked) (appointment_moved) appointment_cancelled")
	expect(t, "wang", topics(wang), "appointment_booked appointment_moved appointment_cancelled")

	// Mails about the user's own actions go out at once, too, and have the same
	// calendar data as the feed.
	w.Notifies()
	for _, p := range []*roomstest.Person{bo, wang} {
		var got []string
		for _, m := range w.Outside.Mails(p) {
			if !m.Notification.Invites() || m.Event.Name != schedule.AppointmentUpdated.Name {
				t.Errorf("%s was mailed %s, which is no invitation", p.User.Name, m.Notification.Topic)
			}
			got = append(got, string(m.Notification.Topic))
		}
		slices.Sort(got)
		expect(t, p.User.Name+"'s mails", strings.Join(got, " "), "appointment_booked appointment_cancelled appointment_moved")
	}
}

// The notification of a signed document has none of its content, and a missed
// call is notified once.
func TestDocumentAndCallNotifications(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang := w.Patient("bo").Verifies(), w.Doctor("wang")
	c := roomstest.Must(bo, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: account.Followup, Medium: account.Text,
		Complaint: "again", PriorDiagnosis: "hypertension"}).Consultation.ID
	wang.Accepts(c)
	draft := roomstest.Must(wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: c, DiagnosisInput: record.DiagnosisInput{Codes: []string{"J06.9"}, Text: "a secret"}})
	roomstest.Must(wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})
	roomstest.Must(wang, call.Invite, call.CallInvitation{ConsultationID: c, Medium: account.Voice})
	w.Passes(time.Minute)
	expect(t, "bo", topics(bo), "consultation_accepted diagnosis_signed call_missed")
	expect(t, "wang", topics(wang), "consultation_requested")
	for _, n := range bo.Inbox() {
		if n.Title == "" || strings.Contains(n.Title+n.Text, "secret") || strings.Contains(n.Title+n.Text, "J06") {
			t.Errorf("%s says %q %q", n.Topic, n.Title, n.Text)
		}
	}
	w.Passes(roomstest.MailDelay)
	w.Notifies()
	if mails := w.Outside.Mails(bo); len(mails) != 3 {
		t.Errorf("%d mails", len(mails))
	}
}
