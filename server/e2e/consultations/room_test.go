package consultations_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// receives collects a signal.
func receives[D any](p *e2e.Person, signal rooms.SignalType[D]) <-chan D {
	c := make(chan D, 100)
	client.On(p.Client, signal, func(d D) { c <- d })
	return c
}

// until drops what comes before what is wanted.
func until[D any](t testing.TB, what string, from <-chan D, wanted func(D) bool) D {
	t.Helper()
	for {
		if d := e2e.Await(t, what, from); wanted(d) {
			return d
		}
	}
}

// Every waiting patient is notified of their place in the queue whenever it
// changes.
func TestQueuePositionIsPushed(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	wang := w.Doctor("wang")
	var queues [3]<-chan consultation.Queue
	var ids [3]consultation.ID
	for i := range ids {
		p := w.Patient(fmt.Sprint("patient-", i)).Online()
		queues[i] = receives(p, consultation.QueueUpdated)
		ids[i] = p.Consults(wang, "a headache")
		if got := p.Joins(ids[i]).State().Consultation.Queue; got == nil || got.Position != i+1 {
			t.Errorf("patient %d joined at %+v", i, got)
		}
	}
	place := func(i, position int) {
		t.Helper()
		q := until(t, fmt.Sprintf("patient %d receives place %d", i, position), queues[i], func(q consultation.Queue) bool { return q.Position == position })
		if q.ConsultationID != ids[i] || q.EstimateMinutes <= 0 {
			t.Errorf("patient %d received %+v", i, q)
		}
	}
	for i := range ids {
		place(i, i+1)
	}
	wang.Accepts(ids[0])
	place(1, 1)
	place(2, 2)
	e2e.Do(wang, consultation.Decline, consultation.ReasonInput{ConsultationID: ids[1], Reason: "not my field"})
	place(2, 1)
}

// A participant is there from the first device to the last.
func TestPresenceCountsDevices(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	var l e2e.Lines
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	phone := bo.Again(l.Dial(), client.WithBackoff(e2e.Patience, e2e.Patience)).Online()
	id := bo.Consults(wang, "a headache")
	wang.Joins(id)
	presence := receives(wang, consultation.PresenceUpdated)
	expect := func(devices int) {
		t.Helper()
		p := until(t, fmt.Sprint(devices, " devices"), presence, func(p consultation.PresenceChange) bool { return p.UserID == bo.User.ID })
		if p.Devices != devices || p.Online != (devices > 0) || p.ConsultationID != id {
			t.Errorf("told %+v, want %d devices", p, devices)
		}
	}
	room := bo.Joins(id)
	expect(1)
	phone.Joins(id)
	expect(2)
	l.Cut() // without a goodbye
	expect(1)
	e2e.Must(t, room.Leave(t.Context()))
	expect(0)
}

func TestTyping(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id := bo.Consults(wang, "a headache")
	wang.Joins(id)
	started, stopped := receives(wang, chat.TypingStarted), receives(wang, chat.TypingStopped)
	e2e.Call(bo, chat.StartTyping, chat.TypingInput{ConsultationID: id})
	e2e.Call(bo, chat.StopTyping, chat.TypingInput{ConsultationID: id})
	for _, received := range []<-chan chat.Typing{started, stopped} {
		if in := e2e.Await(t, "typing", received); in.UserID != bo.User.ID || in.ConsultationID != id {
			t.Errorf("received %+v", in)
		}
	}
	if len(e2e.Do(bo, consultation.Events, consultation.EventsInput{ConsultationID: id}).Items) != 1 {
		t.Error("typing is in the log")
	}
}

// Receipts are watermarks: they only grow, and reading implies delivery.
func TestReceiptsOnlyGrow(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id := bo.Consults(wang, "a headache")
	var seqs []rooms.Seq
	for i := range 3 {
		seqs = append(seqs, wang.Says(id, fmt.Sprint("message ", i)).Seq)
	}
	read := func(seq rooms.Seq) rooms.Seq {
		t.Helper()
		return e2e.Call(bo, chat.MarkRead, chat.ReceiptInput{ConsultationID: id, UpToSeq: seq}).UpToSeq
	}
	if got := e2e.Call(bo, chat.MarkDelivered, chat.ReceiptInput{ConsultationID: id, UpToSeq: seqs[0]}).UpToSeq; got != seqs[0] {
		t.Errorf("delivered up to %d, want %d", got, seqs[0])
	}
	if got := read(seqs[1]); got != seqs[1] {
		t.Errorf("read up to %d, want %d", got, seqs[1])
	}
	if got := read(seqs[0]); got != seqs[1] {
		t.Errorf("reading less moved the mark to %d", got)
	}
	before := bo.Log(id)
	read(seqs[1])
	if after := bo.Log(id); len(after) != len(before) {
		t.Error("reading the same again was announced")
	}
	state := bo.Joins(id).State()
	if state.ReadUpTo != seqs[1] {
		t.Errorf("join says read up to %d", state.ReadUpTo)
	}
	for _, p := range state.Participants {
		if p.UserID == bo.User.ID && (p.ReadUpTo != seqs[1] || p.DeliveredUpTo != seqs[1]) {
			t.Errorf("the marks are %+v", p)
		}
	}
	if page := e2e.Do(bo, consultation.List, consultation.Filter{}); page.Items[0].Unread != 1 {
		t.Errorf("%d unread, want the last", page.Items[0].Unread)
	}
	var names []string
	for _, e := range before {
		if e.ActorID == bo.User.ID {
			names = append(names, fmt.Sprintf("%s %s", e.Name, strings.ReplaceAll(string(e.Data), string(id), "")))
		}
	}
	if len(names) != 3 || !strings.HasPrefix(names[1], chat.MessageDelivered.Name) || !strings.HasPrefix(names[2], chat.MessageRead.Name) {
		t.Errorf("bo's events: %q", names)
	}
}

// A message that was taken back is gone for everyone, also for who comes later.
func TestRecall(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id := bo.Consults(wang, "a headache")
	room := wang.Joins(id)
	in := e2e.TextOf(id, "a slip of the tongue")
	m := e2e.Do(bo, chat.Send, in)
	_, err := client.Call(t.Context(), wang.Client, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: m.ID})
	e2e.Code(t, err, rooms.CodeForbidden)
	left := e2e.Call(bo, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: m.ID})
	if left.RecalledAt == nil || left.Text != "" {
		t.Errorf("left is %+v", left)
	}
	again := e2e.Call(bo, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: m.ID})
	if diff := cmp.Diff(left, again); diff != "" {
		t.Errorf("a second recall: %s", diff)
	}
	live := e2e.Read(t, room, 3)
	if got, err := client.Decode(chat.MessageRecalled, live[2]); err != nil || got.ID != m.ID {
		t.Errorf("live came %+v, %v", live[2], err)
	}
	late := e2e.Do(bo, consultation.Events, consultation.EventsInput{ConsultationID: id})
	for _, e := range late.Items {
		if strings.Contains(string(e.Data), "slip") {
			t.Errorf("the log still has %s", e.Data)
		}
	}
	if got, err := client.Decode(chat.MessageCreated, late.Items[1]); err != nil || got.ID != m.ID || got.RecalledAt == nil || got.Seq != m.Seq {
		t.Errorf("the log has %+v, %v", got, err)
	}
	if h := e2e.Do(wang, chat.History, chat.HistoryInput{ConsultationID: id}); len(h.Items) != 1 || h.Items[0].Text != "" || h.Items[0].RecalledAt == nil {
		t.Errorf("the history has %+v", h.Items)
	}
	if found := e2e.Do(bo, chat.Search, chat.SearchInput{Q: "tongue"}); len(found.Items) != 0 {
		t.Errorf("the search found %+v", found.Items)
	}
	// Sent once more by a device that does not know it, it stays recalled.
	if m := e2e.Do(bo, chat.Send, in); m.RecalledAt == nil || m.Text != "" {
		t.Errorf("sent again it is %+v", m)
	}
}

// Reply-to, and history page by page.
func TestRepliesAndHistory(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	question := wang.Says(id, "since when?")
	answer := e2e.TextOf(id, "since Monday")
	answer.ReplyTo = question.ID
	if m := e2e.Do(bo, chat.Send, answer); m.ReplyTo != question.ID {
		t.Errorf("the answer is %+v", m)
	}
	var want []string
	for i := range 118 {
		want = append(want, bo.Says(id, fmt.Sprint("line ", i)).Text)
	}
	var got []string
	var pages []int
	in := chat.HistoryInput{ConsultationID: id}
	for {
		page := e2e.Do(wang, chat.History, in)
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
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id, other := bo.Consults(wang, "x"), bo.Consults(wang, "y")
	bo.Says(id, "医生您好，我头疼三天了，晚上更厉害")
	bo.Says(id, "The headache began on Monday")
	wang.Says(other, "请问有没有发烧？ Any headaches before?")
	bo.Says(id, strings.Repeat("哈", 100))
	bo.Says(id, "q p o n m l k j i h g f e d c b a")
	bo.Says(id, "r q o n m l k j i h g f e d c b a")
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
		{"一二三四五六七八九十百千万亿头尾", id, nil},
		{"疼三天了 疼", id, []string{"医生您好"}},
		{strings.Repeat("哈", 100), "", []string{"哈哈哈哈"}},
		{strings.Repeat("哈", 101), "", nil},
		{"a b c d e f g h i j k l m n o p q", "", []string{"q p "}},
		{"a b c d e f g h i j k l m n o p x", "", nil},
		{"a b c d e f g h i j k l m n o 'r q'", "", []string{"r q "}},
	} {
		page := e2e.Do(bo, chat.Search, chat.SearchInput{Q: c.q, ConsultationID: c.in})
		var got []string
		for _, m := range page.Items {
			got = append(got, string([]rune(m.Text)[:4]))
		}
		if diff := cmp.Diff(c.found, got); diff != "" {
			t.Errorf("%q: %s", c.q, diff)
		}
	}
	first := e2e.Do(bo, chat.Search, chat.SearchInput{Q: "headache", Limit: 1})
	second := e2e.Do(bo, chat.Search, chat.SearchInput{Q: "headache", Limit: 1, Cursor: first.NextCursor})
	if len(first.Items) != 1 || len(second.Items) != 1 || first.Items[0].ID == second.Items[0].ID || second.NextCursor != "" {
		t.Errorf("page by page: %+v, %+v", first, second)
	}
}
