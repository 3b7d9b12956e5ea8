package e2e_test

import (
	"fmt"
	"testing"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/server"
)

// A reader who does not read for a while misses nothing, though only so much
// is kept for it.
func TestSlowReaderMissesNothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo").online(), w.doctor("wang").online()
	id := bo.consults(wang, "a headache")
	room := wang.joins(id)
	const messages = 800
	talk := bo.joins(id)
	for i := range messages {
		_, err := talk.Send(t.Context(), chat.SendInput{Kind: chat.Text, Text: fmt.Sprint(i)})
		must(t, err)
	}
	for i, e := range read(t, room, messages+1) {
		if e.Seq != rooms.Seq(i+1) {
			t.Fatalf("event %d has seq %d", i+1, e.Seq)
		}
	}
	if room.Last() != messages+1 {
		t.Errorf("the room is at %d", room.Last())
	}
	// Who comes now begins where it likes.
	late := bo.again().online()
	latest, err := late.Join(t.Context(), id, client.Latest)
	must(t, err)
	if e := read(t, latest, messages+1); len(e) != 200 {
		t.Errorf("the latest are %d", len(e))
	}
	_, err = late.Join(t.Context(), id, 0)
	code(t, err, rooms.CodeConflict)
}

// Past the limits every command is answered, with how long to wait; a room's
// Send waits and goes on.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *server.Config) { c.CommandRate, c.CommandBurst, c.LoginFailures = 20, 20, 3 })
	bo, wang := w.patient("bo").online(), w.doctor("wang")
	id := bo.consults(wang, "a headache")
	room := bo.joins(id)
	bare := bo.bare(t)
	const commands = 200 // ten seconds' worth
	refused := 0
	for i := range commands {
		bare.text(fmt.Sprintf(`42/consultations,%d["typing:stop",{"consultationId":%q}]`, i, id))
	}
	for i := range commands {
		if r := bare.acked(i); !r.OK {
			refused++
			if r.Error.Code != rooms.CodeRateLimited || !r.Error.Retryable || r.Error.RetryAfterMs <= 0 {
				t.Errorf("answered %+v", r.Error)
			}
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
	for i := range 30 {
		_, err := room.Send(t.Context(), chat.SendInput{Kind: chat.Text, Text: fmt.Sprint(i)})
		must(t, err)
	}
	var err error
	for range 4 {
		code(t, err, map[bool]rooms.Code{true: "", false: rooms.CodeUnauthenticated}[err == nil])
		_, err = w.client().LogIn(t.Context(), account.LoginInput{Email: bo.user.Email, Password: "wrong password"})
	}
	code(t, err, rooms.CodeRateLimited)
}

// The same request for a consultation is one consultation.
func TestOpenIsIdempotent(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	in := consultation.OpenInput{ID: "my-request-1", DoctorID: wang.user.ID, Service: account.Advice, Medium: account.Text, Complaint: "a headache"}
	first, again := do(bo, consultation.Open, in), do(bo, consultation.Open, in)
	if first.Consultation.ID != in.ID || again.Consultation.CreatedAt != first.Consultation.CreatedAt {
		t.Errorf("first %+v, again %+v", first, again)
	}
	in.Complaint = "something else"
	_, err := client.Do(t.Context(), bo.Client, consultation.Open, in)
	code(t, err, rooms.CodeConflict)
	body := fmt.Sprintf(`{"doctorId":%q,"service":"advice","medium":"text","complaint":"by key"}`, wang.user.ID)
	for range 2 {
		if a := w.ask(t, "POST", "/api/v1/consultations", bo.Tokens().AccessToken, body, "Idempotency-Key", "k 1/ü"); a.status != 201 {
			t.Errorf("by key: %d %s", a.status, a.body)
		}
	}
	if page := do(bo, consultation.List, consultation.Filter{}); len(page.Items) != 2 {
		t.Errorf("%d consultations, want 2", len(page.Items))
	}
}
