package e2e_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/server"
)

// recorder keeps what is logged.
type recorder struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write implements io.Writer.
func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.Write(p)
}

// String is everything so far.
func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.String()
}

// recorded is a world whose server logs everything it ever would, as JSON.
func recorded(t *testing.T, change ...func(*server.Config)) (*world, *recorder) {
	t.Helper()
	r := &recorder{}
	w := newWorld(t, t.TempDir())
	w.change = change
	w.log = slog.New(slog.NewJSONHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.run("127.0.0.1:0")
	w.enterAdmin()
	return w, r
}

// Neither what people are called, nor what they say, nor what lets them in is
// in the log, whatever goes well or wrong, at the most talkative level; nor in
// traces, which do not tell either which thing a request was about.
func TestLogsHoldNoPersonalDataAndNoSecrets(t *testing.T) {
	t.Parallel()
	traces := newCollector(t)
	w, log := recorded(t, traces.settings)
	const (
		patient   = "Borislava-Quentin"
		doctor    = "Wilhelmina-Fang"
		complaint = "itching-behind-the-left-knee"
		said      = "warfarin-every-morning"
		fileName  = "colonoscopy-letter.txt"
		fileText  = "findings-of-the-colonoscopy"
		searched  = "gonorrhoea-contact"
		reason    = "please-see-a-proctologist"
		otherPass = "not-the-password-4711"
		forwarded = "what-another-site-calls-me"
		forged    = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.x"
	)
	bo, wang := w.patient(patient).online(), w.doctor(doctor).online()
	id := bo.consults(wang, complaint)
	wang.accepts(id)
	wang.joins(id)
	call(bo, chat.Send, textOf(id, said))
	bo.says(id, said)
	a := bo.uploads(id, fileName, []byte(fileText))
	do(bo, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "f", Kind: chat.File, AttachmentID: a.ID})
	wang.hasFile(a)
	do(bo, chat.Search, chat.SearchInput{Q: searched})
	w.ask(t, "GET", "/api/v1/messages?q="+searched, bo.Tokens().AccessToken, "")

	// What is refused.
	_, err := client.Do(t.Context(), bo.Client, account.LogIn, account.LoginInput{Email: bo.user.Email, Password: otherPass})
	code(t, err, rooms.CodeUnauthenticated)
	w.ask(t, "POST", "/api/v1/consultations/"+string(id)+"/messages", bo.Tokens().AccessToken, `{"text":"`+said+`","kind":"text","clientId":{}}`)
	w.ask(t, "POST", "/api/v1/consultations/"+string(id)+"/messages", bo.Tokens().AccessToken, `{"text":"`+said)
	w.ask(t, "GET", "/api/v1/me", forged, "", "tracestate", "vendor="+forwarded, "baggage", "user="+forwarded,
		"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	w.ask(t, "GET", "/nowhere/"+complaint+"?token="+forged, "", "")
	bare := bo.bare(t)
	bare.text(`42/consultations,1["` + said + `",{"text":"` + said + `"}]`)
	bare.text(`42/consultations,2["message:send",{"text":"` + said + `"`)
	w.ask(t, "GET", "/socket.io/?EIO=4&transport=polling&sid="+said, "", "")

	// What fails: the folder that uploads go to is gone.
	incoming := filepath.Join(w.dir, "attachments", "incoming")
	must(t, os.RemoveAll(incoming))
	must(t, os.WriteFile(incoming, nil, 0o600))
	_, err = bo.Upload(t.Context(), id, fileName, strings.NewReader(fileText))
	code(t, err, rooms.CodeInternal)
	if strings.Contains(err.Error(), w.dir) || strings.Contains(err.Error(), "incoming") {
		t.Errorf("the client is told of %v", err)
	}
	do(wang, consultation.Terminate, consultation.ReasonInput{ConsultationID: id, Reason: reason})
	do(bo, account.LogOut, account.RefreshInput{RefreshToken: bo.Tokens().RefreshToken})
	must(t, w.stop())

	secrets := []string{patient, doctor, complaint, said, fileName, fileText, searched, reason, otherPass, forged, password, a.SHA256,
		bo.user.Email, wang.user.Email, "admin@wenzhen.example", "127.0.0.1:", "Go-http-client"}
	for _, p := range []*person{bo, wang, w.admin} {
		secrets = append(secrets, p.Tokens().AccessToken, p.Tokens().RefreshToken)
	}
	keys, err := filepath.Glob(filepath.Join(w.dir, "*.key"))
	must(t, err)
	for _, path := range keys {
		key, err := os.ReadFile(path)
		must(t, err)
		secrets = append(secrets, strings.TrimSpace(string(key)))
	}
	if len(keys) == 0 {
		t.Error("there are no secrets to look for")
	}
	text := log.String()
	for _, secret := range secrets {
		if i := strings.Index(text, secret); secret != "" && i >= 0 {
			t.Errorf("the log has %q: …%s…", secret, text[max(0, i-200):min(len(text), i+200)])
		}
	}
	sent := traces.text()
	for _, secret := range append(secrets, string(id), string(bo.user.ID), string(wang.user.ID), string(w.admin.user.ID), string(a.ID), "127.0.0.1", w.dir, forwarded) {
		if i := strings.Index(sent, secret); secret != "" && i >= 0 {
			t.Errorf("the traces have %q: %q", secret, sent[max(0, i-200):min(len(sent), i+200)])
		}
	}
	for _, name := range []string{"message:send", "INSERT messages", "GET /api/v1/messages", "attachment:upload"} {
		if !strings.Contains(sent, name) {
			t.Errorf("the traces do not have %s", name)
		}
	}

	// It says enough all the same: every line is JSON, requests have their
	// route, and the failure is there under its trace id.
	requests, failures := 0, 0
	for line := range strings.Lines(text) {
		var entry struct {
			Msg, Route, Command, TraceID, Error string
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("a line is no JSON: %s", line)
		}
		switch {
		case entry.Msg == "request" && entry.Route != "":
			requests++
		case entry.Msg == "command failed" && entry.Command == chat.Upload.Name && entry.TraceID != "" && entry.Error != "":
			failures++
		}
	}
	if requests < 10 || failures != 1 {
		t.Errorf("the log has %d requests and %d failures:\n%s", requests, failures, text)
	}
}
