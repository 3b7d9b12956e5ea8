package operation_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/server"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
	"wenzhen.example/server/push/pushtest"
)

// traced is a world that traces to a collector.
func traced(t *testing.T, change ...func(*app.Config)) (*e2e.World, *collector) {
	t.Helper()
	c := newCollector(t)
	return e2e.Start(t, append(change, c.settings)...), c
}

// has fails unless a span has attributes, and no others.
func has(t *testing.T, s *tracepb.Span, kind tracepb.Span_SpanKind, want map[string]string) {
	t.Helper()
	if s.Kind != kind {
		t.Errorf("%s is a %s, want %s", s.Name, s.Kind, kind)
	}
	if diff := cmp.Diff(want, attributes(s.Attributes)); diff != "" {
		t.Errorf("%s has other attributes (-want +got):\n%s", s.Name, diff)
	}
	if s.EndTimeUnixNano < s.StartTimeUnixNano || time.Unix(0, int64(s.StartTimeUnixNano)).Before(time.Now().Add(-time.Hour)) {
		t.Errorf("%s lasts from %d to %d", s.Name, s.StartTimeUnixNano, s.EndTimeUnixNano)
	}
}

// system is the database of a world, as traces call it, and what a transaction
// waits for there.
func system(w *e2e.World) (name, wait string) {
	if w.Database == "sqlite" {
		return "sqlite", "wait for the writer"
	}
	return "postgresql", "wait for a connection"
}

// A REST request is one trace from the client that began it down to SQL.
func TestTraceOfARequest(t *testing.T) {
	t.Parallel()
	w, c := traced(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang")
	id := bo.Consults(wang, "a rash")
	const (
		trace, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
		route         = "POST /api/v1/consultations/:consultationId/messages"
	)
	body, err := json.Marshal(e2e.TextOf(id, "hello"))
	e2e.Must(t, err)
	if a := w.Ask(t, "POST", "/api/v1/consultations/"+string(id)+"/messages", bo.Tokens().AccessToken, string(body),
		"traceparent", "00-"+trace+"-"+caller+"-01", "tracestate", "vendor=somebody"); a.Status != http.StatusCreated || a.Header.Get("X-Request-Id") != trace {
		t.Fatalf("%d %s %s", a.Status, a.Header, a.Body)
	}

	request := c.span(trace, route)
	has(t, request, tracepb.Span_SPAN_KIND_SERVER, map[string]string{
		"http.request.method": "POST", "http.route": "/api/v1/consultations/:consultationId/messages", "http.response.status_code": "201", "url.scheme": "http"})
	if got := hex.EncodeToString(request.ParentSpanId); got != caller || request.TraceState != "" {
		t.Errorf("the request is below %s with tracestate %q, want %s and none", got, request.TraceState, caller)
	}
	has(t, c.span(trace, route, "message:send"), tracepb.Span_SPAN_KIND_INTERNAL, map[string]string{})
	has(t, c.span(trace, route, "message:send", "transaction"), tracepb.Span_SPAN_KIND_INTERNAL, map[string]string{})

	system, wait := system(w)
	waited := c.span(trace, route, "message:send", "transaction", wait)
	has(t, waited, tracepb.Span_SPAN_KIND_INTERNAL, map[string]string{})
	insert := c.span(trace, route, "message:send", "transaction", "INSERT log")
	text := attributes(insert.Attributes)["db.query.text"]
	has(t, insert, tracepb.Span_SPAN_KIND_CLIENT, map[string]string{"db.system.name": system, "db.operation.name": "INSERT", "db.collection.name": "log",
		"db.query.summary": "INSERT log", "db.query.text": text})
	if !strings.Contains(text, "INSERT INTO log") || !strings.Contains(text, "$1") || strings.Contains(text, "hello") {
		t.Errorf("the statement is %q", text)
	}
	if system == "postgresql" { // SQLite has one writer, who knows the seq of each room
		c.span(trace, route, "message:send", "transaction", "INSERT log_rooms")
	}
	commit := c.span(trace, route, "message:send", "transaction", "COMMIT")
	if waited.EndTimeUnixNano > insert.StartTimeUnixNano || insert.EndTimeUnixNano > commit.StartTimeUnixNano || commit.EndTimeUnixNano > request.EndTimeUnixNano {
		t.Error("the waiting, the statement and the commit do not follow each other within the request")
	}

	// Reading is traced as well, outside of transactions.
	w.Ask(t, "GET", "/api/v1/consultations/"+string(id)+"/messages", bo.Tokens().AccessToken, "", "traceparent", "00-"+trace+"-"+caller+"-01")
	c.span(trace, "GET /api/v1/consultations/:consultationId/messages", "message:list", "SELECT log")

	// A client that wants no trace has none, and its name for it all the same.
	const silent = "5bf92f3577b34da6a3ce929d0e0e4736"
	if a := w.Ask(t, "GET", "/api/v1/me", bo.Tokens().AccessToken, "", "traceparent", "00-"+silent+"-"+caller+"-00"); a.Header.Get("X-Request-Id") != silent {
		t.Errorf("X-Request-Id is %q", a.Header.Get("X-Request-Id"))
	}
	e2e.Must(t, w.Stop())
	if tree := c.tree(silent); tree != "" {
		t.Errorf("what should not be recorded was:\n%s", tree)
	}
	if tree := c.tree(""); strings.Contains(tree, "healthz") || strings.Contains(tree, "SELECT timers") {
		t.Errorf("there is what nobody asked for in\n%s", tree)
	}
	resource := attributes(c.resource)
	if resource["service.name"] != "wenzhen" || resource["service.version"] != server.Version || resource["service.instance.id"] == "" {
		t.Errorf("the resource is %v", resource)
	}
	if c.header.Get("X-Scope-OrgID") != "clinic" || c.header.Get("Authorization") != "Bearer abc==" {
		t.Errorf("the collector is sent %v", c.header)
	}
}

// So is a command on a socket, which begins its trace.
func TestTraceOfACommand(t *testing.T) {
	t.Parallel()
	w, c := traced(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id := bo.Consults(wang, "a rash")
	e2e.Call(bo, chat.Send, e2e.TextOf(id, "hello"))

	const name = "/consultations/message:send"
	request := c.span("", name)
	has(t, request, tracepb.Span_SPAN_KIND_SERVER, map[string]string{"rpc.system.name": "socket.io", "rpc.method": name})
	if len(request.ParentSpanId) != 0 || request.Status.GetCode() != tracepb.Status_STATUS_CODE_UNSET {
		t.Errorf("the request is %v", request)
	}
	trace := traceOf(request)
	_, wait := system(w)
	for _, path := range [][]string{{"INSERT log"}, {wait}, {"COMMIT"}} {
		c.span(trace, append([]string{name, "message:send", "transaction"}, path...)...)
	}
	c.span("", "/consultations/connect")

	// The bare WebSocket of the lobby too.
	w.LobbySocket(t, "", nil).Welcomed().Says("hello")
	has(t, c.span("", "/chat/lobby:say"), tracepb.Span_SPAN_KIND_SERVER, map[string]string{"rpc.system.name": "websocket", "rpc.method": "/chat/lobby:say"})
	c.span("", "/chat/lobby:say", "lobby:say")
}

// The span of a failed request has the code of the error, never its message,
// and its status is an error only where the server failed.
func TestTracesOfFailures(t *testing.T) {
	t.Parallel()
	w, c := traced(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang")
	id := bo.Consults(wang, "a rash")
	traceOfError := func(err error) string {
		t.Helper()
		var e *rooms.Error
		if !errors.As(err, &e) || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(e.TraceID) {
			t.Fatalf("%v has no trace", err)
		}
		return e.TraceID
	}
	refused := func(s *tracepb.Span, code rooms.Code, status tracepb.Status_StatusCode) {
		t.Helper()
		if s.Status.GetCode() != status || s.Status.GetMessage() != "" || attributes(s.Attributes)["error.type"] != string(code) || len(s.Events) != 0 {
			t.Errorf("%s ended with %v, %v, %v", s.Name, s.Status, s.Attributes, s.Events)
		}
	}
	const unset, failed = tracepb.Status_STATUS_CODE_UNSET, tracepb.Status_STATUS_CODE_ERROR

	_, err := client.Call(t.Context(), bo.Client, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "x", Kind: chat.Text})
	trace := traceOfError(err)
	refused(c.span(trace, "/consultations/message:send"), rooms.CodeInvalid, unset)
	refused(c.span(trace, "/consultations/message:send", "message:send"), rooms.CodeInvalid, failed)

	// A transaction that the domain refuses is undone.
	_, err = client.Do(t.Context(), bo.Client, consultation.Accept, consultation.Input{ConsultationID: id})
	e2e.Code(t, err, rooms.CodeForbidden)
	e2e.Do(bo, consultation.Cancel, consultation.ReasonInput{ConsultationID: id})
	_, err = client.Do(t.Context(), wang.Client, consultation.Accept, consultation.Input{ConsultationID: id})
	trace = traceOfError(err)
	const accept = "POST /api/v1/consultations/:consultationId/accept"
	refused(c.span(trace, accept), rooms.CodeConflict, unset)
	refused(c.span(trace, accept, "consultation:accept", "transaction"), rooms.CodeConflict, failed)

	// What nobody has a name for is not called by what somebody sent.
	_, err = client.Call(t.Context(), bo.Client, rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "made:up", Namespace: rooms.Consultations}, rooms.Nothing{})
	refused(c.span(traceOfError(err), "/consultations/unknown"), rooms.CodeInvalid, unset)

	// The folder that uploads go to is gone.
	incoming := filepath.Join(w.Dir, "attachments", "incoming")
	e2e.Must(t, os.RemoveAll(incoming))
	e2e.Must(t, os.WriteFile(incoming, nil, 0o600))
	other := bo.Consults(wang, "a rash")
	_, err = bo.Upload(t.Context(), other, "notes.txt", strings.NewReader("words"))
	trace = traceOfError(err)
	const upload = "POST /api/v1/consultations/:consultationId/attachments"
	refused(c.span(trace, upload), rooms.CodeInternal, failed)
	refused(c.span(trace, upload, "attachment:upload"), rooms.CodeInternal, failed)
}

// What the server does by itself has traces as well, and what others are asked.
func TestTracesOfTasks(t *testing.T) {
	t.Parallel()
	services := pushtest.Start(t)
	w, c := traced(t, func(c *app.Config) { c.PushAllow = []string{services.Host()} })
	bo, wang, browser := w.Patient("bo"), w.Costly("wang"), services.Browser()
	e2e.Do(bo, notification.Subscribe, browser.Subscription())
	opened := e2e.Do(bo, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "headache"})
	bo.Plays(opened.Order.ID, billing.PlayRepeat) // the third callback is a timer's
	has(t, c.span("", "POST /api/v1/orders/:orderId/checkout", "order:checkout", "sandbox: open payment"), tracepb.Span_SPAN_KIND_CLIENT,
		map[string]string{"service.peer.name": "sandbox"})
	has(t, c.span("", "timer/sandbox"), tracepb.Span_SPAN_KIND_INTERNAL, map[string]string{})
	c.span("", "timer/sandbox", "transaction", "COMMIT")
	e2e.Eventually(t, "the payment", func() bool {
		return e2e.Do(wang, consultation.Read, consultation.Input{ConsultationID: opened.Consultation.ID}).Status == consultation.Waiting
	})
	e2e.Do(wang, consultation.Decline, consultation.ReasonInput{ConsultationID: opened.Consultation.ID, Reason: "not my field"})
	has(t, c.span("", "billing/refund", "sandbox: refund"), tracepb.Span_SPAN_KIND_CLIENT, map[string]string{"service.peer.name": "sandbox"})
	has(t, c.span("", "notification/push", "push: send"), tracepb.Span_SPAN_KIND_CLIENT, map[string]string{"service.peer.name": "push"})
	c.span("", "notification/push", "transaction", "COMMIT")
}

// What waits when the server shuts down still reaches the collector.
func TestTracesAreFlushed(t *testing.T) {
	t.Parallel()
	w, c := traced(t)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	w.Ask(t, "GET", "/api/v1/doctors", "", "", "traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	e2e.Must(t, w.Stop())
	if !strings.Contains(c.tree(trace), "GET /api/v1/doctors") {
		t.Errorf("after the shutdown there is only\n%s", c.tree(""))
	}
}

// A collector that is away, or never answers, is nobody's trouble: what it does
// not take is dropped, counted and told once.
func TestTracesWithoutACollector(t *testing.T) {
	t.Parallel()
	hung := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hung }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(hung) }) // before: it waits for its handlers
	for name, endpoint := range map[string]string{"away": "http://127.0.0.1:1", "silent": silent.URL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &e2e.Recorder{}
			w := e2e.NewWorld(t, t.TempDir())
			w.Log = slog.New(slog.NewJSONHandler(log, nil))
			w.Change = []func(*app.Config){private, func(c *app.Config) { c.OTLPEndpoint, c.DrainTimeout = endpoint, 3*time.Second }}
			w.Run("127.0.0.1:0")
			w.EnterAdmin()
			bo, wang := w.Patient("bo").Online(), w.Doctor("wang")
			id := bo.Consults(wang, "a rash")
			for range 100 {
				e2e.Call(bo, chat.Send, e2e.TextOf(id, "hello"))
			}
			if name == "away" {
				e2e.Eventually(t, "dropped spans", func() bool { return w.Metrics()["wenzhen_spans_dropped_total"] > 0 })
			}
			if now := w.Metrics(); now["wenzhen_spans_sent_total"] != 0 {
				t.Errorf("%v spans were sent", now["wenzhen_spans_sent_total"])
			}
			e2e.Must(t, w.Stop())
			if n := strings.Count(log.String(), "traces were dropped"); n == 0 || n > 5 { // at once, perhaps after each minute, and the rest at the end
				t.Errorf("the log tells %d times:\n%s", n, log)
			}
		})
	}
}

// Nothing is traced unless it is asked for.
func TestTracesAreOffByDefault(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, private)
	if a := w.Ask(t, "GET", "/api/v1/me", "", "", "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"); len(a.Header.Get("X-Request-Id")) != 16 {
		t.Errorf("X-Request-Id is %q", a.Header.Get("X-Request-Id"))
	}
	for series := range w.Metrics() {
		if strings.HasPrefix(series, "wenzhen_span") {
			t.Errorf("there is %s", series)
		}
	}
	dir := t.TempDir()
	for setting, change := range map[string]func(*app.Config){
		"--otlp-endpoint": func(c *app.Config) { c.OTLPEndpoint = "collector:4318" },
		"--otlp-headers":  func(c *app.Config) { c.OTLPEndpoint, c.OTLPHeaders = "http://collector:4318", "secret" },
		"--trace-ratio":   func(c *app.Config) { c.TraceRatio = 1.5 },
	} {
		cfg, err := e2e.Settings(dir)
		e2e.Must(t, err)
		change(&cfg)
		if _, err := app.New(t.Context(), cfg, e2e.Quiet); err == nil || !strings.Contains(err.Error(), setting) {
			t.Errorf("a bad %s is answered by %v", setting, err)
		}
	}
}

// BenchmarkMessageSend is a message from a client's socket to its ack, through
// the whole server, both in this process.
func BenchmarkMessageSend(b *testing.B) {
	c := newCollector(b)
	for name, change := range map[string]func(*app.Config){"off": func(*app.Config) {}, "on": c.settings, "tenth": func(cfg *app.Config) {
		c.settings(cfg)
		cfg.TraceRatio = 0.1
	}} {
		b.Run(name, func(b *testing.B) {
			w := e2e.Start(b, change)
			bo, wang := w.Patient("bo").Online(), w.Doctor("wang")
			id := bo.Consults(wang, "a rash")
			b.ReportAllocs()
			for b.Loop() {
				e2e.Call(bo, chat.Send, e2e.TextOf(id, "hello"))
			}
		})
	}
}
