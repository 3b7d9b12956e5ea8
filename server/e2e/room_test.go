package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
)

// hears collects a signal.
func hears[D any](p *person, signal rooms.Signal[D]) <-chan D {
	c := make(chan D, 100)
	client.On(p.Client, signal, func(d D) { c <- d })
	return c
}

// until drops what comes before what is wanted.
func until[D any](t testing.TB, what string, from <-chan D, wanted func(D) bool) D {
	t.Helper()
	for {
		if d := await(t, what, from); wanted(d) {
			return d
		}
	}
}

// Everyone who waits is told the place in the queue, whenever it moves.
func TestQueuePositionIsPushed(t *testing.T) {
	t.Parallel()
	w := start(t)
	wang := w.doctor("wang")
	var queues [3]<-chan consultation.Queue
	var ids [3]consultation.ID
	for i := range ids {
		p := w.patient(fmt.Sprint("patient-", i)).online()
		queues[i] = hears(p, consultation.QueueUpdated)
		ids[i] = p.consults(wang, "a headache")
		if got := p.joins(ids[i]).State().Consultation.Queue; got == nil || got.Position != i+1 {
			t.Errorf("patient %d joined at %+v", i, got)
		}
	}
	place := func(i, position int) {
		t.Helper()
		q := until(t, fmt.Sprintf("patient %d is told of place %d", i, position), queues[i], func(q consultation.Queue) bool { return q.Position == position })
		if q.ConsultationID != ids[i] || q.EstimateMinutes <= 0 {
			t.Errorf("patient %d was told %+v", i, q)
		}
	}
	for i := range ids {
		place(i, i+1)
	}
	wang.accepts(ids[0])
	place(1, 1)
	place(2, 2)
	do(wang, consultation.Decline, consultation.ReasonInput{ConsultationID: ids[1], Reason: "not my field"})
	place(2, 1)
}

// A participant is there from the first device to the last.
func TestPresenceCountsDevices(t *testing.T) {
	t.Parallel()
	w := start(t)
	var l lines
	bo, wang := w.patient("bo").online(), w.doctor("wang").online()
	phone := bo.again(l.dial(), client.WithBackoff(patience, patience)).online()
	id := bo.consults(wang, "a headache")
	wang.joins(id)
	presence := hears(wang, consultation.PresenceUpdated)
	expect := func(devices int) {
		t.Helper()
		p := until(t, fmt.Sprint(devices, " devices"), presence, func(p consultation.PresenceChange) bool { return p.UserID == bo.user.ID })
		if p.Devices != devices || p.Online != (devices > 0) || p.ConsultationID != id {
			t.Errorf("told %+v, want %d devices", p, devices)
		}
	}
	room := bo.joins(id)
	expect(1)
	phone.joins(id)
	expect(2)
	l.cut() // without a goodbye
	expect(1)
	must(t, room.Leave(t.Context()))
	expect(0)
}

func TestTyping(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo").online(), w.doctor("wang").online()
	id := bo.consults(wang, "a headache")
	wang.joins(id)
	started, stopped := hears(wang, chat.TypingStarted), hears(wang, chat.TypingStopped)
	call(bo, chat.StartTyping, chat.TypingInput{ConsultationID: id})
	call(bo, chat.StopTyping, chat.TypingInput{ConsultationID: id})
	for _, heard := range []<-chan chat.Typing{started, stopped} {
		if in := await(t, "typing", heard); in.UserID != bo.user.ID || in.ConsultationID != id {
			t.Errorf("heard %+v", in)
		}
	}
	if len(do(bo, consultation.Events, consultation.EventsInput{ConsultationID: id}).Items) != 1 {
		t.Error("typing is in the log")
	}
}

// Receipts are watermarks: they only grow, and reading implies delivery.
func TestReceiptsOnlyGrow(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo").online(), w.doctor("wang").online()
	id := bo.consults(wang, "a headache")
	var seqs []rooms.Seq
	for i := range 3 {
		seqs = append(seqs, wang.says(id, fmt.Sprint("message ", i)).Seq)
	}
	read := func(seq rooms.Seq) rooms.Seq {
		t.Helper()
		return call(bo, chat.MarkRead, chat.ReceiptInput{ConsultationID: id, UpToSeq: seq}).UpToSeq
	}
	if got := call(bo, chat.MarkDelivered, chat.ReceiptInput{ConsultationID: id, UpToSeq: seqs[0]}).UpToSeq; got != seqs[0] {
		t.Errorf("delivered up to %d, want %d", got, seqs[0])
	}
	if got := read(seqs[1]); got != seqs[1] {
		t.Errorf("read up to %d, want %d", got, seqs[1])
	}
	if got := read(seqs[0]); got != seqs[1] {
		t.Errorf("reading less moved the mark to %d", got)
	}
	before := bo.log(id)
	read(seqs[1])
	if after := bo.log(id); len(after) != len(before) {
		t.Error("reading the same again was announced")
	}
	state := bo.joins(id).State()
	if state.ReadUpTo != seqs[1] {
		t.Errorf("join says read up to %d", state.ReadUpTo)
	}
	for _, p := range state.Participants {
		if p.UserID == bo.user.ID && (p.ReadUpTo != seqs[1] || p.DeliveredUpTo != seqs[1]) {
			t.Errorf("the marks are %+v", p)
		}
	}
	if page := do(bo, consultation.List, consultation.Filter{}); page.Items[0].Unread != 1 {
		t.Errorf("%d unread, want the last", page.Items[0].Unread)
	}
	var names []string
	for _, e := range before {
		if e.ActorID == bo.user.ID {
			names = append(names, fmt.Sprintf("%s %s", e.Name, strings.ReplaceAll(string(e.Data), string(id), "")))
		}
	}
	if len(names) != 3 || !strings.HasPrefix(names[1], chat.Delivered.Name) || !strings.HasPrefix(names[2], chat.WasRead.Name) {
		t.Errorf("bo's events: %q", names)
	}
}

// A message that was taken back is gone for everyone, also for who comes later.
func TestRecall(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo").online(), w.doctor("wang").online()
	id := bo.consults(wang, "a headache")
	room := wang.joins(id)
	in := textOf(id, "a slip of the tongue")
	m := do(bo, chat.Send, in)
	_, err := client.Call(t.Context(), wang.Client, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: m.ID})
	code(t, err, rooms.CodeForbidden)
	left := call(bo, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: m.ID})
	if left.RecalledAt == nil || left.Text != "" {
		t.Errorf("left is %+v", left)
	}
	again := call(bo, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: m.ID})
	if diff := cmp.Diff(left, again); diff != "" {
		t.Errorf("a second recall: %s", diff)
	}
	live := read(t, room, 3)
	if got, err := client.Decode(chat.WasRecalled, live[2]); err != nil || got.ID != m.ID {
		t.Errorf("live came %+v, %v", live[2], err)
	}
	late := do(bo, consultation.Events, consultation.EventsInput{ConsultationID: id})
	for _, e := range late.Items {
		if strings.Contains(string(e.Data), "slip") {
			t.Errorf("the log still has %s", e.Data)
		}
	}
	if got, err := client.Decode(chat.Created, late.Items[1]); err != nil || got.ID != m.ID || got.RecalledAt == nil || got.Seq != m.Seq {
		t.Errorf("the log has %+v, %v", got, err)
	}
	if h := do(wang, chat.History, chat.HistoryInput{ConsultationID: id}); len(h.Items) != 1 || h.Items[0].Text != "" || h.Items[0].RecalledAt == nil {
		t.Errorf("the history has %+v", h.Items)
	}
	if found := do(bo, chat.Search, chat.SearchInput{Q: "tongue"}); len(found.Items) != 0 {
		t.Errorf("the search found %+v", found.Items)
	}
	// Sent once more by a device that has not heard of it, it stays recalled.
	if m := do(bo, chat.Send, in); m.RecalledAt == nil || m.Text != "" {
		t.Errorf("sent again it is %+v", m)
	}
}

// Reply-to, and history page by page.
func TestRepliesAndHistory(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	id := bo.consults(wang, "a headache")
	question := wang.says(id, "since when?")
	answer := textOf(id, "since Monday")
	answer.ReplyTo = question.ID
	if m := do(bo, chat.Send, answer); m.ReplyTo != question.ID {
		t.Errorf("the answer is %+v", m)
	}
	var want []string
	for i := range 118 {
		want = append(want, bo.says(id, fmt.Sprint("line ", i)).Text)
	}
	var got []string
	var pages []int
	in := chat.HistoryInput{ConsultationID: id}
	for {
		page := do(wang, chat.History, in)
		var texts []string
		for _, m := range page.Items {
			texts = append(texts, m.Text)
		}
		got = append(texts, got...)
		pages = append(pages, len(page.Items))
		if !page.HasMore {
			break
		}
		in.Before = page.Items[0].Seq
	}
	if diff := cmp.Diff(append([]string{"since when?", "since Monday"}, want...), got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{50, 50, 20}, pages); diff != "" {
		t.Errorf("pages: %s", diff)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	id, other := bo.consults(wang, "x"), bo.consults(wang, "y")
	bo.says(id, "医生您好，我头疼三天了，晚上更厉害")
	bo.says(id, "The headache began on Monday")
	wang.says(other, "请问有没有发烧？ Any headaches before?")
	for _, c := range []struct {
		q     string
		in    consultation.ID
		found []string // by their first words
	}{
		{"头疼", "", []string{"医生您好"}},
		{"疼头", "", nil},
		{"三天 厉害", "", []string{"医生您好"}},
		{"headache", "", []string{"请问有没", "The "}},
		{"HEADACHE monday", "", []string{"The "}},
		{"head", "", []string{"请问有没", "The "}},
		{"headache", id, []string{"The "}},
		{"发烧", other, []string{"请问有没"}},
		{`"quoted" OR * NEAR(`, "", nil},
		{"！？", "", nil},
	} {
		page := do(bo, chat.Search, chat.SearchInput{Q: c.q, ConsultationID: c.in})
		var got []string
		for _, m := range page.Items {
			got = append(got, string([]rune(m.Text)[:4]))
		}
		if diff := cmp.Diff(c.found, got); diff != "" {
			t.Errorf("%q: %s", c.q, diff)
		}
	}
	first := do(bo, chat.Search, chat.SearchInput{Q: "headache", Limit: 1})
	second := do(bo, chat.Search, chat.SearchInput{Q: "headache", Limit: 1, Cursor: first.NextCursor})
	if len(first.Items) != 1 || len(second.Items) != 1 || first.Items[0].ID == second.Items[0].ID || second.NextCursor != "" {
		t.Errorf("page by page: %+v, %+v", first, second)
	}
}
