package operation_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
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

func private(c *app.Config) { c.MetricsAddr = "127.0.0.1:0" }

// What people do can be read off the metrics, and the names that they make up
// cannot.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, private)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id := bo.Consults(wang, "a rash")
	bo.Joins(id)
	wang.Joins(id)
	before := w.Metrics()
	const messages = 7
	for range messages {
		e2e.Call(bo, chat.Send, e2e.TextOf(id, "hello"))
	}
	wang.Says(id, "hello")
	_, err := client.Call(t.Context(), bo.Client, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "x", Kind: chat.Text})
	e2e.Code(t, err, rooms.CodeInvalid)
	_, err = client.Do(t.Context(), bo.Client, account.VerifyDoctor, account.VerifyDoctorInput{DoctorID: wang.User.ID})
	e2e.Code(t, err, rooms.CodeForbidden)
	_, err = client.Call(t.Context(), bo.Client, rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "made:up", Namespace: rooms.Consultations}, rooms.Nothing{})
	e2e.Code(t, err, rooms.CodeInvalid)
	w.Ask(t, "BREW", "/api/v1/coffee-pot", "", "")
	hasFile(bo, bo.Uploads(id, "notes.txt", []byte("words")))

	for series, more := range map[string]float64{
		`wenzhen_commands_total{code="ok",command="message:send",transport="socket"}`:                                    messages,
		`wenzhen_command_seconds_count{command="message:send",transport="socket"}`:                                       messages + 1,
		`wenzhen_commands_total{code="ok",command="message:send",transport="rest"}`:                                      1,
		`wenzhen_commands_total{code="invalid",command="message:send",transport="socket"}`:                               1,
		`wenzhen_commands_total{code="forbidden",command="doctor:verify",transport="rest"}`:                              1,
		`wenzhen_commands_total{code="invalid",command="unknown",transport="socket"}`:                                    1,
		`wenzhen_commands_total{code="ok",command="attachment:upload",transport="rest"}`:                                 1,
		`wenzhen_http_requests_total{method="GET",route="/api/v1/attachments/:attachmentId",status="200"}`:               1,
		`wenzhen_http_requests_total{method="POST",route="/api/v1/consultations/:consultationId/messages",status="201"}`: 1,
		`wenzhen_http_requests_total{method="other",route="-",status="405"}`:                                             0,
	} {
		// A socket's answer is counted after it was sent.
		e2e.Eventually(t, series, func() bool { return w.Metrics()[series]-before[series] >= more })
		if got := w.Metrics()[series] - before[series]; got > more && more > 0 {
			t.Errorf("%s grew by %v, want %v", series, got, more)
		}
	}
	e2e.Eventually(t, "the lag of every message", func() bool {
		return w.Metrics()["wenzhen_publish_lag_seconds_count"]-before["wenzhen_publish_lag_seconds_count"] >= messages+1
	})
	now := w.Metrics()
	if now["wenzhen_commit_seconds_count"] <= before["wenzhen_commit_seconds_count"] || now["wenzhen_commit_functions_sum"]-before["wenzhen_commit_functions_sum"] < messages+1 {
		t.Errorf("commits went from %v to %v", before["wenzhen_commit_seconds_count"], now["wenzhen_commit_seconds_count"])
	}
	if now["wenzhen_connections"] != 2 || now["wenzhen_sockets"] < 2 || now["wenzhen_rooms"] < 1 || now["wenzhen_handshakes_accepted_total"] < 2 {
		t.Errorf("connections %v, sockets %v, rooms %v, accepted %v", now["wenzhen_connections"], now["wenzhen_sockets"], now["wenzhen_rooms"], now["wenzhen_handshakes_accepted_total"])
	}
	for series := range now {
		for _, secret := range []string{"made:up", "coffee", "BREW", string(id), string(bo.User.ID), bo.User.Email} {
			if strings.Contains(series, secret) {
				t.Errorf("%s has %q", series, secret)
			}
		}
	}
}

// The metrics and the profiler are on their own listener and on no other.
func TestMetricsArePrivate(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, private)
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/goroutine?debug=1"} {
		if status, _ := w.Private(path); status != http.StatusOK {
			t.Errorf("%s answers %d on the private listener", path, status)
		}
		if a := w.Ask(t, "GET", path, "", ""); strings.Contains(string(a.Body), "wenzhen_") || strings.Contains(string(a.Body), "goroutine") {
			t.Errorf("%s answers %d in public: %.200s", path, a.Status, a.Body)
		}
	}
	if status, _ := w.Private("/api/v1/config"); status != http.StatusNotFound {
		t.Errorf("the API answers %d on the private listener", status)
	}
	if bare := e2e.Start(t); bare.Server.MetricsURL() != "" {
		t.Errorf("without being asked it serves %s", bare.Server.MetricsURL())
	}
}

// The dashboard and the alerts ask for metrics that there are.
func TestDashboardsNameMetricsThatExist(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, private)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang")
	e2e.Call(bo, consultation.Join, consultation.JoinInput{ConsultationID: bo.Consults(wang, "a rash")})
	there := map[string]bool{}
	for series := range w.Metrics() {
		name, _, _ := strings.Cut(series, "{")
		there[name] = true
	}
	named := 0
	for _, path := range []string{"alerts.yml", "grafana-dashboard.json"} {
		content, err := os.ReadFile(filepath.Join("../../../deploy", path))
		e2e.Must(t, err)
		for _, name := range regexp.MustCompile(`\b(wenzhen|go|process)_[a-z_]+[a-z]\b`).FindAllString(string(content), -1) {
			named++
			if !there[name] {
				t.Errorf("%s asks for %s, which is not there", path, name)
			}
		}
	}
	if named < 20 {
		t.Errorf("only %d metrics are asked for", named)
	}
}
