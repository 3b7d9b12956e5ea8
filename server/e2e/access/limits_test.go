package access_test

import (
	"fmt"
	"strings"
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// A reader who does not read for a while misses nothing, though only so much
// is kept for it.
func TestSlowReaderMissesNothing(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id := bo.Consults(wang, "a headache")
	room := wang.Joins(id)
	const messages = 800
	talk := bo.Joins(id)
	for i := range messages {
		_, err := talk.Send(t.Context(), chat.SendInput{Kind: chat.Text, Text: fmt.Sprint(i)})
		e2e.Must(t, err)
	}
	for i, e := range e2e.Read(t, room, messages+1) {
		if e.Seq != rooms.Seq(i+1) {
			t.Fatalf("event %d has seq %d", i+1, e.Seq)
		}
	}
	if room.Last() != messages+1 {
		t.Errorf("the room is at %d", room.Last())
	}
	// Who comes now begins where it likes.
	late := bo.Again().Online()
	latest, err := late.Join(t.Context(), id, client.Latest)
	e2e.Must(t, err)
	if e := e2e.Read(t, latest, messages+1); len(e) != 200 {
		t.Errorf("the latest are %d", len(e))
	}
	_, err = late.Join(t.Context(), id, 0)
	e2e.Code(t, err, rooms.CodeConflict)
}

// Past the limits every command is answered, with how long to wait; a room's
// Send waits and goes on.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) { c.CommandRate, c.CommandBurst, c.LoginFailures = 20, 20, 3 })
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	room := bo.Joins(id)
	bare := bo.Bare(t)
	const commands = 200 // ten seconds' worth
	refused := 0
	for i := range commands {
		bare.Text(fmt.Sprintf(`42/consultations,%d["typing:stop",{"consultationId":%q}]`, i, id))
	}
	for i := range commands {
		if r := bare.Acked(i); !r.OK {
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
		e2e.Must(t, err)
	}
	var err error
	for range 4 {
		e2e.Code(t, err, map[bool]rooms.Code{true: "", false: rooms.CodeUnauthenticated}[err == nil])
		_, err = w.Client().LogIn(t.Context(), account.LoginInput{Email: bo.User.Email, Password: "wrong password"})
	}
	e2e.Code(t, err, rooms.CodeRateLimited)
}

// Connecting to a namespace counts as a command: a user who does nothing else is
// refused with how long to wait. Others are not.
func TestConnectsAreLimitedLikeCommands(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) { c.CommandRate, c.CommandBurst = 0.001, 60 })
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	token, err := bo.AccessToken(t.Context())
	e2e.Must(t, err)
	bare, joined, refused := w.Bare(t), 0, 0
	for range 80 {
		switch answer := bare.Connect(token); {
		case strings.HasPrefix(answer, e2e.Joined):
			joined++
			bare.Text("41/consultations,")
		case strings.HasPrefix(answer, "44/consultations,") && strings.Contains(answer, `"rate_limited"`) && strings.Contains(answer, `"retryAfterMs"`):
			refused++
		default:
			t.Fatalf("answered %s", answer)
		}
	}
	if joined == 0 || joined > 60 || refused < 20 {
		t.Errorf("%d joined, %d refused", joined, refused)
	}
	wang.Bare(t)
}

// The same request for a consultation is one consultation.
func TestOpenIsIdempotent(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	in := consultation.OpenInput{ID: "my-request-1", DoctorID: wang.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "a headache"}
	first, again := e2e.Do(bo, consultation.Open, in), e2e.Do(bo, consultation.Open, in)
	if first.Consultation.ID != in.ID || again.Consultation.CreatedAt != first.Consultation.CreatedAt {
		t.Errorf("first %+v, again %+v", first, again)
	}
	in.Complaint = "something else"
	_, err := client.Do(t.Context(), bo.Client, consultation.Open, in)
	e2e.Code(t, err, rooms.CodeConflict)
	body := fmt.Sprintf(`{"doctorId":%q,"service":"advice","medium":"text","complaint":"by key"}`, wang.User.ID)
	for range 2 {
		if a := w.Ask(t, "POST", "/api/v1/consultations", bo.Tokens().AccessToken, body, "Idempotency-Key", "k 1/ü"); a.Status != 201 {
			t.Errorf("by key: %d %s", a.Status, a.Body)
		}
	}
	if page := e2e.Do(bo, consultation.List, consultation.Filter{}); len(page.Items) != 2 {
		t.Errorf("%d consultations, want 2", len(page.Items))
	}
}
