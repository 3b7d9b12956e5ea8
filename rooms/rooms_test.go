package rooms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNewIDIsUUIDv7(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(0x0123456789ab)
	id := NewID(at)
	if len(id) != 36 || !strings.HasPrefix(id, "01234567-89ab-7") || !strings.ContainsRune("89ab", rune(id[19])) {
		t.Errorf("%s is no UUIDv7 of that time", id)
	}
	if NewID(at) == id {
		t.Error("two ids of one time are the same")
	}
}

func TestCursor(t *testing.T) {
	t.Parallel()
	c := Cursor{Key: "王", Num: 5, ID: "x"}
	back, err := ParseCursor(c.Encode())
	if err != nil || *back != c {
		t.Errorf("came back as %+v, %v", back, err)
	}
	for _, s := range []string{"!", "bm9uZQ", strings.Repeat("A", 7)} {
		if _, err := ParseCursor(s); CodeOf(err) != CodeInvalid {
			t.Errorf("%q: %v", s, err)
		}
	}
}

type input struct {
	Name string   `json:"name"`
	Size int      `json:"size"`
	Tags []string `json:"tags"`
}

func (in input) Validate() error {
	if in.Name == "" {
		return Invalid("name", "name is missing")
	}
	return nil
}

func TestCatalogueAnswers(t *testing.T) {
	t.Parallel()
	var guarded error
	command := Command[input, string]{Name: "thing:do", For: Doctors}
	c := NewCatalogue(CatalogueOptions{Guards: []Guard{func(context.Context, Actor, string) error { return guarded }}},
		[]Handler{command.Bind(func(_ context.Context, _ Actor, in input) (string, error) {
			if in.Name == "broken" {
				return "", errors.New("secret detail")
			}
			return "did " + in.Name, nil
		})})
	doctor := Actor{UserID: "d", Role: RoleDoctor}
	for name, x := range map[string]struct {
		actor   Actor
		command string
		raw     string
		code    Code
		field   string
	}{
		"well":            {doctor, "thing:do", `{"name":"it"}`, "", ""},
		"unknown field":   {doctor, "thing:do", `{"name":"it","more":1}`, "", ""},
		"unknown command": {doctor, "thing:undo", `{}`, CodeInvalid, ""},
		"guest":           {Actor{}, "thing:do", `{"name":"it"}`, CodeUnauthenticated, ""},
		"patient":         {Actor{UserID: "p", Role: RolePatient}, "thing:do", `{"name":"it"}`, CodeForbidden, ""},
		"missing":         {doctor, "thing:do", ``, CodeInvalid, "name"},
		"wrong type":      {doctor, "thing:do", `{"name":5}`, CodeInvalid, "name"},
		"wrong list":      {doctor, "thing:do", `{"tags":["a",1]}`, CodeInvalid, "tags[1]"},
		"no object":       {doctor, "thing:do", `[1]`, CodeInvalid, ""},
		"no JSON":         {doctor, "thing:do", `{"name":`, CodeInvalid, ""},
		"fraction":        {doctor, "thing:do", `{"size":1.5}`, CodeInvalid, "size"},
	} {
		out, err := c.Answer(t.Context(), x.actor, x.command, json.RawMessage(x.raw))
		var e *Error
		switch {
		case x.code == "":
			if err != nil || string(out) != `"did it"` {
				t.Errorf("%s: %s, %v", name, out, err)
			}
		case !errors.As(err, &e) || e.Code != x.code || e.Field != x.field:
			t.Errorf("%s: %v, want %s on %q", name, err, x.code, x.field)
		}
	}
	guarded = RateLimited(time.Second, "slow down")
	if _, err := c.Answer(t.Context(), doctor, "thing:do", json.RawMessage(`{"name":"it"}`)); CodeOf(err) != CodeRateLimited {
		t.Errorf("past a guard that refuses: %v", err)
	}
}

// What is not ours to tell is logged under the trace id and hidden.
func TestRefusalHidesWhatIsInternal(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	e := Refusal(t.Context(), logger, "thing:do", "trace-1", fmt.Errorf("wrapped: %w", errors.New("password of the database")))
	shown, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if e.Code != CodeInternal || strings.Contains(string(shown), "password") || !strings.Contains(string(shown), "trace-1") {
		t.Errorf("shown: %s", shown)
	}
	if !strings.Contains(log.String(), "password of the database") || !strings.Contains(log.String(), "trace-1") {
		t.Errorf("logged: %s", log.String())
	}
	conflict := Conflict("active", "no")
	if got := Refusal(t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil)), "x", "trace-2", fmt.Errorf("send: %w", conflict)); got.Code != CodeConflict || got.Status != "active" || conflict.TraceID != "" {
		t.Errorf("a conflict became %+v, and the original %+v", got, conflict)
	}
	if got := Refusal(t.Context(), logger, "x", "trace-3", context.DeadlineExceeded); got.Code != CodeUnavailable || !got.Retryable {
		t.Errorf("a deadline became %+v", got)
	}
}

func TestPresenceCountsDevices(t *testing.T) {
	t.Parallel()
	var told []string
	p := NewPresence(func(room RoomID, who Present) {
		told = append(told, fmt.Sprintf("%s %v %d", who.UserID, who.Online, who.Devices))
	}, nil)
	p.Enter("r", "bo")
	p.Enter("r", "bo")
	p.Leave("r", "bo")
	if in := p.In("r"); len(in) != 1 || in[0].Devices != 1 {
		t.Errorf("in the room: %+v", in)
	}
	p.Leave("r", "bo")
	p.Leave("r", "bo")
	if in := p.In("r"); len(in) != 0 || len(p.here) != 0 {
		t.Errorf("left behind: %+v in %d rooms", in, len(p.here))
	}
	if got := strings.Join(told, " "); got != "bo true 1 bo true 2 bo true 1 bo false 0 bo false 0" {
		t.Errorf("told: %s", got)
	}
}

// Who is on several nodes is one user; a node that is forgotten takes its
// devices with it.
func TestPresenceOnSeveralNodes(t *testing.T) {
	t.Parallel()
	var told, shared []string
	p := NewPresence(func(_ RoomID, who Present) {
		told = append(told, fmt.Sprintf("%s %v %d", who.UserID, who.Online, who.Devices))
	}, func(_ RoomID, user UserID, devices int) { shared = append(shared, fmt.Sprint(user, devices)) })
	p.Enter("r", "bo")
	p.Elsewhere("b", "r", "bo", 2)
	p.Elsewhere("b", "r", "bo", 2) // says nothing new
	p.Replace("b", Devices{"r": {"bo": 1, "li": 1}})
	if in := p.In("r"); len(in) != 2 || in[0] != (Present{"bo", true, 2}) || in[1] != (Present{"li", true, 1}) {
		t.Errorf("in the room: %+v", in)
	}
	p.Leave("r", "bo")
	p.Replace("b", nil)
	if in := p.In("r"); len(in) != 0 || len(p.elsewhere) != 0 {
		t.Errorf("left behind: %+v", in)
	}
	slices.Sort(told[5:]) // of a node that went, in any order
	if got := strings.Join(told, ", "); got != "bo true 1, bo true 3, bo true 2, li true 1, bo true 1, bo false 0, li false 0" {
		t.Errorf("told: %s", got)
	}
	if got := strings.Join(shared, " "); got != "bo1 bo0" {
		t.Errorf("shared: %s", got)
	}
}

type counter struct{ events, signals int }

func (c *counter) Published(Publication) { c.events++ }
func (c *counter) Signalled(Signal)      { c.signals++ }

// A full hub drops signals, which are worth nothing late, and never an event.
func TestHubDropsSignalsNotEvents(t *testing.T) {
	t.Parallel()
	hub, received := NewHub(HubOptions{Depth: 2}), &counter{}
	hub.Listen(received)
	for range 10 {
		hub.Signal(Signal{Room: "r", Name: "n"})
	}
	published := make(chan struct{})
	go func() {
		defer close(published)
		for range 10 {
			hub.Publish([]Publication{{Event: Event{Room: "r", Name: "e"}}}, nil)
		}
	}()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		hub.Run(ctx)
	}()
	<-published
	if err := hub.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop()
	<-done
	if received.events != 10 || received.signals != 2 {
		t.Errorf("received %d events and %d signals, want 10 and the 2 that fitted", received.events, received.signals)
	}
}

// What goes out is what encoding/json would write, whatever a client's id is
// made of.
func TestWireIsTheEntry(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)
	for _, e := range []Event{
		{},
		{Room: "consultation:0198", Seq: 7, ID: "0199", Name: "message:created", At: at, ActorID: "u", Data: json.RawMessage(`{"text":"头痛 \u003c \""}`)},
		{Room: `consultation:"\<>&`, Seq: 1 << 60, ID: "a b\u2028", Name: "头", At: at.Truncate(time.Second), ActorID: "\x7f", Data: json.RawMessage(`null`)},
	} {
		want, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.wire(); string(got) != string(want) {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}
