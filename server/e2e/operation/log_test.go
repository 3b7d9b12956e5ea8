package operation_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
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

// recorded is a world whose server logs everything it ever would, as JSON.
func recorded(t *testing.T, change ...func(*app.Config)) (*e2e.World, *e2e.Recorder) {
	t.Helper()
	r := &e2e.Recorder{}
	w := e2e.NewWorld(t, t.TempDir())
	w.Change = change
	w.Log = slog.New(slog.NewJSONHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
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
	bo, wang := w.Patient(patient).Online(), w.Doctor(doctor).Online()
	id := bo.Consults(wang, complaint)
	wang.Accepts(id)
	wang.Joins(id)
	e2e.Call(bo, chat.Send, e2e.TextOf(id, said))
	bo.Says(id, said)
	a := bo.Uploads(id, fileName, []byte(fileText))
	e2e.Do(bo, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "f", Kind: chat.File, AttachmentID: a.ID})
	hasFile(wang, a)
	e2e.Do(bo, chat.Search, chat.SearchInput{Q: searched})
	w.Ask(t, "GET", "/api/v1/messages?q="+searched, bo.Tokens().AccessToken, "")

	// What is refused.
	_, err := client.Do(t.Context(), bo.Client, account.LogIn, account.LoginInput{Email: bo.User.Email, Password: otherPass})
	e2e.Code(t, err, rooms.CodeUnauthenticated)
	w.Ask(t, "POST", "/api/v1/consultations/"+string(id)+"/messages", bo.Tokens().AccessToken, `{"text":"`+said+`","kind":"text","clientId":{}}`)
	w.Ask(t, "POST", "/api/v1/consultations/"+string(id)+"/messages", bo.Tokens().AccessToken, `{"text":"`+said)
	w.Ask(t, "GET", "/api/v1/me", forged, "", "tracestate", "vendor="+forwarded, "baggage", "user="+forwarded,
		"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	w.Ask(t, "GET", "/nowhere/"+complaint+"?token="+forged, "", "")
	bare := bo.Bare(t)
	bare.Text(`42/consultations,1["` + said + `",{"text":"` + said + `"}]`)
	bare.Text(`42/consultations,2["message:send",{"text":"` + said + `"`)
	w.Ask(t, "GET", "/socket.io/?EIO=4&transport=polling&sid="+said, "", "")

	// What fails: the folder that uploads go to is gone.
	incoming := filepath.Join(w.Dir, "attachments", "incoming")
	e2e.Must(t, os.RemoveAll(incoming))
	e2e.Must(t, os.WriteFile(incoming, nil, 0o600))
	_, err = bo.Upload(t.Context(), id, fileName, strings.NewReader(fileText))
	e2e.Code(t, err, rooms.CodeInternal)
	if strings.Contains(err.Error(), w.Dir) || strings.Contains(err.Error(), "incoming") {
		t.Errorf("the client receives %v", err)
	}
	e2e.Do(wang, consultation.Terminate, consultation.ReasonInput{ConsultationID: id, Reason: reason})
	e2e.Do(bo, account.LogOut, account.RefreshInput{RefreshToken: bo.Tokens().RefreshToken})
	e2e.Must(t, w.Stop())

	secrets := []string{patient, doctor, complaint, said, fileName, fileText, searched, reason, otherPass, forged, e2e.Password, a.SHA256,
		bo.User.Email, wang.User.Email, "admin@wenzhen.example", "127.0.0.1:", "Go-http-client"}
	for _, p := range []*e2e.Person{bo, wang, w.Admin} {
		secrets = append(secrets, p.Tokens().AccessToken, p.Tokens().RefreshToken)
	}
	keys, err := filepath.Glob(filepath.Join(w.Dir, "*.key"))
	e2e.Must(t, err)
	for _, path := range keys {
		key, err := os.ReadFile(path)
		e2e.Must(t, err)
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
	for _, secret := range append(secrets, string(id), string(bo.User.ID), string(wang.User.ID), string(w.Admin.User.ID), string(a.ID), "127.0.0.1", w.Dir, forwarded) {
		if i := strings.Index(sent, secret); secret != "" && i >= 0 {
			t.Errorf("the traces have %q: %q", secret, sent[max(0, i-200):min(len(sent), i+200)])
		}
	}
	for _, name := range []string{"message:send", "INSERT log", "GET /api/v1/messages", "attachment:upload"} {
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
