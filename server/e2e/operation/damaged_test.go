package operation_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// A file that is damaged or missing on disk is not sent: the request fails, the
// log has the reason, and uploading the file again repairs it.
func TestDamagedAttachment(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*app.Config){"in the clear": func(*app.Config) {}, "encrypted": atRest} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, log := recorded(t, change, private)
			bo, wang := w.Patient("bo"), w.Doctor("wang")
			id := bo.Consults(wang, "a rash")
			content := bytes.Repeat([]byte("not a word of this "), 10_000)
			a := bo.Uploads(id, "letter.txt", content)
			hasFile(bo, a)
			path := filepath.Join(w.Dir, "attachments", a.SHA256[:2], a.SHA256[2:])
			sound, err := os.ReadFile(path)
			e2e.Must(t, err)
			damage := map[string]func(){
				"a byte in the middle": func() {
					broken := bytes.Clone(sound)
					broken[len(broken)/2] ^= 1
					e2e.Must(t, os.WriteFile(path, broken, 0o600))
				},
				"the end is missing": func() { e2e.Must(t, os.WriteFile(path, sound[:len(sound)-100], 0o600)) },
				"empty":              func() { e2e.Must(t, os.WriteFile(path, nil, 0o600)) },
				"gone":               func() { e2e.Must(t, os.Remove(path)) },
			}
			asked := 0
			for what, harm := range damage {
				harm()
				for _, part := range []string{"", "bytes=0-20"} {
					asked++
					got := w.Ask(t, "GET", "/api/v1/attachments/"+string(a.ID), wang.Tokens().AccessToken, "", "Range", part)
					if got.Status != http.StatusInternalServerError || got.Problem.Code != rooms.CodeInternal || got.Problem.Retryable ||
						!strings.Contains(got.Problem.Detail, "damaged on the server's disk") || bytes.Contains(got.Body, []byte("not a word")) {
						t.Errorf("%s: answered %d %.300s", what, got.Status, got.Body)
					}
					if said := log.String(); !strings.Contains(said, got.Problem.TraceID) || !strings.Contains(said, a.SHA256) {
						t.Errorf("%s: the log has neither %s nor which file it is", what, got.Problem.TraceID)
					}
				}
			}
			if got := w.Metrics()["wenzhen_attachments_damaged_total"]; got != float64(asked) {
				t.Errorf("%v were counted, want %d", got, asked)
			}
			bo.Uploads(id, "letter.txt", content)
			hasFile(bo, a)
			_, err = client.Do(t.Context(), bo.Client, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "repaired", Kind: chat.File, AttachmentID: a.ID})
			e2e.Must(t, err)
		})
	}
}
