package record_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
)

// log is a page of the audit log as an admin reads it who has a reason.
func (c *clinic) log(f audit.LogFilter) audit.LogPage {
	c.T.Helper()
	var page audit.LogPage
	if err := json.Unmarshal(c.asks(audit.Enter.Name, audit.EnterLogInput{LogFilter: f, Reason: "a complaint"}), &page); err != nil {
		c.T.Fatal(err)
	}
	return page
}

// An access lasts 15 minutes. Further pages that are read within them are entered
// in the audit log only; every other read is announced in the room and to the
// patient.
func TestBreakGlassAccessEndsAfter15Minutes(t *testing.T) {
	t.Parallel()
	c := open(t)
	admin := &roomstest.Person{W: c.World, As: c.admin}
	told := func() (times int) {
		for _, n := range c.bo.Inbox() {
			if n.Topic == notification.ConsultationEntered {
				times++
			}
		}
		said := 0
		for _, m := range roomstest.Must(c.bo, chat.History, chat.HistoryInput{ConsultationID: c.id}).Items {
			if m.Kind == chat.System && m.SenderID == c.admin.UserID {
				said++
			}
		}
		if said != times {
			t.Errorf("announced %d times in the room, %d times to the patient", said, times)
		}
		return times
	}
	access := func(after rooms.Seq) record.BreakGlassView {
		c.Turns(time.Second)
		return roomstest.Must(admin, record.EnterConsultation, record.EnterInput{ConsultationID: c.id, Reason: "a complaint", After: after})
	}
	for i, step := range []struct {
		wait  time.Duration
		after rooms.Seq
		told  int
	}{{0, 1, 1}, {0, 2, 1}, {14 * time.Minute, 3, 1}, {time.Minute, 3, 2}, {0, 0, 3}, {0, 1, 3}} {
		c.Turns(step.wait)
		g := access(step.after)
		if got := told(); got != step.told || !g.Until.After(c.Now()) || g.Until.Sub(c.Now()) > 15*time.Minute {
			t.Errorf("step %d: told %d times, want %d; until %v at %v", i, got, step.told, g.Until, c.Now())
		}
	}
	if page := c.log(audit.LogFilter{Action: record.EnterConsultation.Name}); len(page.Items) != 6 {
		t.Errorf("%d accesses in the audit log", len(page.Items))
	}
}

// Between two times the log is in the order of its times, page by page, also
// where the clock went back.
func TestPagesOfTheAuditLogBetweenTimes(t *testing.T) {
	t.Parallel()
	c := open(t)
	patient := c.bo.Sees(c.id).PatientID
	since := c.Now()
	for _, turn := range []time.Duration{2 * time.Hour, -90 * time.Minute, 2 * time.Hour} {
		c.Turns(turn)
		roomstest.Must(&roomstest.Person{W: c.World, As: c.admin}, record.EnterRecord, record.EnterRecordInput{PatientID: patient, Reason: "a court order"})
	}
	until := c.Now().Add(time.Minute)
	c.Turns(time.Hour) // reading is entered too
	var want, got []audit.LogLine
	for _, e := range c.log(audit.LogFilter{Limit: 200}).Items {
		if !e.At.Before(since) && e.At.Before(until) {
			want = append(want, e)
		}
	}
	slices.SortStableFunc(want, func(a, b audit.LogLine) int { return b.At.Compare(a.At) })
	for f := (audit.LogFilter{From: &since, To: &until, Limit: 1}); ; {
		page := c.log(f)
		got = append(got, page.Items...)
		if f.Cursor = page.NextCursor; f.Cursor == "" {
			break
		}
	}
	if len(want) < 3 || !cmp.Equal(got, want) {
		t.Errorf("%d entries by pages, not %d:\n%s", len(got), len(want), cmp.Diff(want, got))
	}
}

func TestTheAuditLogIsSearched(t *testing.T) {
	t.Parallel()
	c := open(t)
	patient := c.bo.Sees(c.id).PatientID
	before := c.Now()
	roomstest.Must(c.wang, record.ReadRecord, record.PatientRef{PatientID: patient})
	c.Turns(time.Hour)
	roomstest.Must(c.bo, record.ReadRecord, record.PatientRef{PatientID: patient})
	roomstest.Must(&roomstest.Person{W: c.World, As: c.admin}, record.EnterRecord, record.EnterRecordInput{PatientID: patient, Reason: "a 100% sure court order"})
	later := c.Now()
	first := audit.LogFilter{Subject: "patient:" + string(patient)}
	for name, x := range map[string]struct {
		change func(*audit.LogFilter)
		want   int
	}{
		"all of a patient": {func(*audit.LogFilter) {}, 3},
		"an action":        {func(f *audit.LogFilter) { f.Action = record.EnterRecord.Name }, 1},
		"a name":           {func(f *audit.LogFilter) { f.Q = "WANG" }, 1},
		"an address":       {func(f *audit.LogFilter) { f.Q = c.bo.User.Email }, 1},
		"a reason":         {func(f *audit.LogFilter) { f.Q = "100% Sure" }, 1},
		"no pattern":       {func(f *audit.LogFilter) { f.Q = "100_sure" }, 0},
		"part of the id":   {func(f *audit.LogFilter) { f.Q = string(patient[3:20]) }, 3},
		"from":             {func(f *audit.LogFilter) { f.From = &later }, 2},
		"to":               {func(f *audit.LogFilter) { f.To = &later }, 1},
		"before it all":    {func(f *audit.LogFilter) { f.To = &before }, 0},
		"somebody":         {func(f *audit.LogFilter) { f.ActorID = c.wang.User.ID }, 1},
	} {
		f := first
		x.change(&f)
		page := c.log(f)
		if len(page.Items) != x.want || page.NextCursor != "" {
			t.Errorf("%s: %d entries, want %d", name, len(page.Items), x.want)
		}
		for _, e := range page.Items {
			if e.ActorID == c.wang.User.ID && e.ActorName != "wang" {
				t.Errorf("%s: done by %q", name, e.ActorName)
			}
		}
	}
	var nums []int64
	for f := (audit.LogFilter{Subject: first.Subject, Limit: 1}); ; {
		page := c.log(f)
		for _, e := range page.Items {
			nums = append(nums, e.Num)
		}
		if f.Cursor = page.NextCursor; f.Cursor == "" {
			break
		}
	}
	if len(nums) != 3 || nums[0] <= nums[1] || nums[1] <= nums[2] {
		t.Errorf("by pages: %v", nums)
	}
	admin := &roomstest.Person{W: c.World, As: c.admin}
	for field, f := range map[string]audit.LogFilter{"q": {Q: strings.Repeat("x", 101)}, "to": {From: &later, To: &before}, "limit": {Limit: 201}, "cursor": {Cursor: "!"}} {
		_, err := roomstest.Ask(c.World, admin.As, audit.List, f)
		_, entered := roomstest.Ask(c.World, admin.As, audit.Enter, audit.EnterLogInput{LogFilter: f, Reason: "a complaint"})
		for _, err := range []error{err, entered} {
			var e *rooms.Error
			if !errors.As(err, &e) || e.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
	}
}

// An admin finds consultations by who and when, without a word of what is in
// them.
func TestAnAdminFindsConsultations(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.Turns(time.Second)
	other := c.bo.Consults(c.wang, "a secret complaint")
	find := func(f consultation.CaseFilter) consultation.CasePage {
		t.Helper()
		raw := c.asks(consultation.Cases.Name, f)
		if strings.Contains(string(raw), "secret") || strings.Contains(string(raw), "complaint") || strings.Contains(string(raw), string(c.wang.User.ID)) {
			t.Errorf("it says %s", raw)
		}
		var page consultation.CasePage
		if err := json.Unmarshal(raw, &page); err != nil {
			t.Fatal(err)
		}
		return page
	}
	for name, x := range map[string]struct {
		f    consultation.CaseFilter
		want []consultation.ID
	}{
		"all":      {consultation.CaseFilter{}, []consultation.ID{other, c.id}},
		"waiting":  {consultation.CaseFilter{Status: "waiting,closed"}, []consultation.ID{other}},
		"an id":    {consultation.CaseFilter{Q: string(c.id)}, []consultation.ID{c.id}},
		"a name":   {consultation.CaseFilter{Q: " " + strings.ToUpper(c.bo.User.Name) + " "}, []consultation.ID{other, c.id}},
		"a doctor": {consultation.CaseFilter{Q: "wan"}, nil},
		"nobody":   {consultation.CaseFilter{Q: "%"}, nil},
		"one page": {consultation.CaseFilter{Limit: 1}, []consultation.ID{other}},
	} {
		var got []consultation.ID
		page := find(x.f)
		for _, one := range page.Items {
			got = append(got, one.ID)
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if page.NextCursor != "" {
			if rest := find(consultation.CaseFilter{Limit: 1, Cursor: page.NextCursor}); len(rest.Items) != 1 || rest.Items[0].ID != c.id {
				t.Errorf("%s: the rest is %+v", name, rest)
			}
		}
	}
}
