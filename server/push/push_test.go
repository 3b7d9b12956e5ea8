package push_test

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/server/push"
	"wenzhen.example/server/push/pushtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var key = strings.Repeat("2a", 32)

func sender(t *testing.T, allow ...string) *push.Sender {
	t.Helper()
	s, err := push.New(push.Config{Key: key, Subject: "https://clinic.example", Allow: allow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func subscription(b *pushtest.Browser) notification.Subscription {
	in := b.Subscription()
	return notification.Subscription{ID: "1", Endpoint: in.Endpoint, Keys: in.Keys}
}

var parcel = notification.Parcel{ID: "0199", Kind: notification.Messages, Title: "王芳发来新消息", Body: "点击查看并回复。", Path: "/consultations/1",
	Tag: "messages:1", At: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}

// A push arrives, signed with our key and readable by the one browser alone.
func TestPush(t *testing.T) {
	t.Parallel()
	service := pushtest.Start(t)
	b, s := service.Browser(), sender(t, service.Host())
	for range 2 {
		if err := s.Send(t.Context(), subscription(b), parcel); err != nil {
			t.Fatal(err)
		}
	}
	got := b.Pushes()
	if len(got) != 2 || got[0].Parcel != parcel || got[0].Key != s.PublicKey() || got[0].Subject != "https://clinic.example" {
		t.Fatalf("pushed %+v", got)
	}
	h := got[0].Header
	if h.Get("Urgency") != "high" || len(h.Get("Topic")) != 32 || h.Get("Topic") != got[1].Header.Get("Topic") || h.Get("Content-Length") != got[1].Header.Get("Content-Length") {
		t.Errorf("headers %v", h)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	service := pushtest.Start(t)
	s := sender(t, service.Host())
	for status, want := range map[int]rooms.Code{
		http.StatusGone: rooms.CodeNotFound, http.StatusNotFound: rooms.CodeNotFound, http.StatusTooManyRequests: rooms.CodeUnavailable,
		http.StatusServiceUnavailable: rooms.CodeUnavailable, http.StatusRequestEntityTooLarge: rooms.CodeInvalid, http.StatusForbidden: rooms.CodeInvalid,
		http.StatusFound: rooms.CodeInvalid, http.StatusOK: "",
	} {
		b := service.Browser()
		b.Answer(func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "120")
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(status)
		})
		err := s.Send(t.Context(), subscription(b), parcel)
		if got := rooms.CodeOf(err); got != want {
			t.Errorf("%d: %v, want %q", status, err, want)
		}
		if e, ok := err.(*rooms.Error); ok && e.Retryable && e.RetryAfterMs != 120_000 {
			t.Errorf("%d: try again after %d ms", status, e.RetryAfterMs)
		}
	}
}

// An endpoint cannot make the server talk to its own network: neither by its
// address nor by a name that leads there.
func TestEndpointsReachNothingPrivate(t *testing.T) {
	t.Parallel()
	service := pushtest.Start(t)
	s, b := sender(t), service.Browser()
	_, port, _ := strings.Cut(service.Host(), ":")
	for _, endpoint := range []string{b.Endpoint, "http://localhost:" + port + "/push/1", "https://127.0.0.1:" + port, "https://[::1]:" + port, "https://[::ffff:127.0.0.1]:" + port,
		"https://10.0.0.1", "https://169.254.169.254/latest", "https://100.64.0.1", "https://[fd00::1]", "https://0.0.0.0:" + port, "https://[64:ff9b::7f00:1]"} {
		sub := subscription(b)
		sub.Endpoint = endpoint
		if err := s.Send(t.Context(), sub, parcel); rooms.CodeOf(err) != rooms.CodeInvalid {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	if len(b.Pushes()) > 0 {
		t.Error("a push reached a private address")
	}
	for endpoint, want := range map[string]rooms.Code{"https://push.example/1": "", "http://push.example/1": rooms.CodeInvalid, "https://user@push.example/1": rooms.CodeInvalid, b.Endpoint: rooms.CodeInvalid} {
		if got := rooms.CodeOf(s.Accepts(endpoint)); got != want {
			t.Errorf("%s is accepted with %q, want %q", endpoint, got, want)
		}
	}
	if got := rooms.CodeOf(sender(t, service.Host()).Accepts(b.Endpoint)); got != "" {
		t.Errorf("an allowed one: %q", got)
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	service := pushtest.Start(t)
	long := parcel
	long.Title = strings.Repeat("长", 4000)
	if err := sender(t, service.Host()).Send(t.Context(), subscription(service.Browser()), long); rooms.CodeOf(err) != rooms.CodeTooLarge {
		t.Errorf("%v", err)
	}
}

func TestBadKeys(t *testing.T) {
	t.Parallel()
	for _, k := range []string{"", "nonsense", key[:62], hex.EncodeToString(make([]byte, 32)), strings.Repeat("f", 64)} {
		if _, err := push.New(push.Config{Key: k}); err == nil {
			t.Errorf("%q was taken", k)
		}
	}
}
