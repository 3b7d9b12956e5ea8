package e2e_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/chat"
	"wenzhen/server"
)

// A file that was damaged on disk, or is gone, is not sent: whoever asks for it
// is told, the operator too, and to upload it again mends it.
func TestDamagedAttachment(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*server.Config){"in the clear": func(*server.Config) {}, "encrypted": atRest} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, log := recorded(t, change, private)
			bo, wang := w.patient("bo"), w.doctor("wang")
			id := bo.consults(wang, "a rash")
			content := bytes.Repeat([]byte("not a word of this "), 10_000)
			a := bo.uploads(id, "letter.txt", content)
			bo.hasFile(a)
			path := filepath.Join(w.dir, "attachments", a.SHA256[:2], a.SHA256[2:])
			sound, err := os.ReadFile(path)
			must(t, err)
			damage := map[string]func(){
				"a byte in the middle": func() {
					broken := bytes.Clone(sound)
					broken[len(broken)/2] ^= 1
					must(t, os.WriteFile(path, broken, 0o600))
				},
				"the end is missing": func() { must(t, os.WriteFile(path, sound[:len(sound)-100], 0o600)) },
				"empty":              func() { must(t, os.WriteFile(path, nil, 0o600)) },
				"gone":               func() { must(t, os.Remove(path)) },
			}
			asked := 0
			for what, harm := range damage {
				harm()
				for _, part := range []string{"", "bytes=0-20"} {
					asked++
					got := w.ask(t, "GET", "/api/v1/attachments/"+string(a.ID), wang.Tokens().AccessToken, "", "Range", part)
					if got.status != http.StatusInternalServerError || got.problem.Code != rooms.CodeInternal || got.problem.Retryable ||
						!strings.Contains(got.problem.Detail, "damaged on the server's disk") || bytes.Contains(got.body, []byte("not a word")) {
						t.Errorf("%s: answered %d %.300s", what, got.status, got.body)
					}
					if said := log.String(); !strings.Contains(said, got.problem.TraceID) || !strings.Contains(said, a.SHA256) {
						t.Errorf("%s: the log has neither %s nor which file it is", what, got.problem.TraceID)
					}
				}
			}
			if got := w.metrics()["wenzhen_attachments_damaged_total"]; got != float64(asked) {
				t.Errorf("%v were counted, want %d", got, asked)
			}
			bo.uploads(id, "letter.txt", content)
			bo.hasFile(a)
			_, err = client.Do(t.Context(), bo.Client, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "mended", Kind: chat.File, AttachmentID: a.ID})
			must(t, err)
		})
	}
}
