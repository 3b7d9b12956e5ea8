package operation_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
	"wenzhen.example/server/export"
)

// exports is what someone gets who takes their data along, by the names of files.
func exports(p *e2e.Person) map[string]string {
	t := p.World.T
	t.Helper()
	got := p.World.Ask(t, "GET", "/api/v1/me/export", p.Tokens().AccessToken, "")
	if got.Status != http.StatusOK || got.Header.Get("Content-Type") != "application/zip" || !strings.Contains(got.Header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("the export is answered %d %v: %.300s", got.Status, got.Header, got.Body)
	}
	archive, err := zip.NewReader(bytes.NewReader(got.Body), int64(len(got.Body)))
	e2e.Must(t, err)
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		e2e.Must(t, err)
		content, err := io.ReadAll(r)
		e2e.Must(t, err)
		e2e.Must(t, r.Close())
		files[f.Name] = string(content)
	}
	return files
}

// A patient gets everything that was said and shown to them and by them, whole
// and to read, and nothing that is anybody else's; that it was taken is in the
// audit log.
func TestExportOfOwnData(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	c := confide(w)
	jing := w.Patient("jing")
	foreign := jing.Consults(c.wang, "jing-alone-knows")
	e2e.Do(jing, consultation.Invite, consultation.InviteInput{ConsultationID: foreign, UserID: c.bo.User.ID, Role: consultation.PartRelative})
	e2e.Do(c.bo, consultation.Read, consultation.Input{ConsultationID: foreign}) // as a relative

	files := exports(c.bo)
	var manifest struct {
		Files []struct {
			Name, SHA256 string
			Size         int
		}
	}
	e2e.Must(t, json.Unmarshal([]byte(files["manifest.json"]), &manifest))
	if len(manifest.Files) != len(files)-1 {
		t.Errorf("the manifest has %d of %d files", len(manifest.Files), len(files))
	}
	var all strings.Builder
	for _, f := range manifest.Files {
		sum := sha256.Sum256([]byte(files[f.Name]))
		if hex.EncodeToString(sum[:]) != f.SHA256 || len(files[f.Name]) != f.Size {
			t.Errorf("%s is not what the manifest says", f.Name)
		}
		all.WriteString(files[f.Name])
		if strings.HasSuffix(f.Name, ".json") && !json.Valid([]byte(files[f.Name])) {
			t.Errorf("%s is no JSON: %.300s", f.Name, files[f.Name])
		}
	}
	// The doctor's own: quick replies, the note of a day off, templates.
	doctors := []string{"lollygag", "malarkey", "obstreperous"}
	for _, word := range secrets {
		// What was recalled is gone, a draft is the doctor's, why data is held is the
		// admin's, and the address of someone who was invited is theirs.
		want := !slices.Contains([]string{"wolfsbane", "gobbledygook", "nincompoop", "paronomasia"}, word) && !slices.Contains(doctors, word)
		if strings.Contains(all.String(), word) != want {
			t.Errorf("%q is in the export: %v", word, !want)
		}
	}
	for _, never := range []string{"jing-alone-knows", c.bo.Tokens().RefreshToken, "/calendar/"} {
		if strings.Contains(all.String(), never) {
			t.Errorf("the export has %q", never)
		}
	}
	dir := "consultations/" + string(c.id) + "/"
	if got := files[dir+"files/"+string(c.attachment.ID)+".txt"]; got != strings.Repeat("letter about Dvořák\n", 10_000) {
		t.Errorf("the file came as %d bytes", len(got))
	}
	var events []rooms.Event
	e2e.Must(t, json.Unmarshal([]byte(files[dir+"events.json"]), &events))
	if want := c.bo.Log(c.id); len(events) != len(want) {
		t.Errorf("the export has %d of %d events", len(events), len(want))
	}
	if pdf := files[dir+"documents/diagnosis-"+string(c.diagnosis.ID)+".pdf"]; !strings.HasPrefix(pdf, "%PDF-") {
		t.Errorf("the diagnosis came as %.20q", pdf)
	}
	for page, words := range map[string][]string{"index.html": {"bo", "consultations/" + string(c.id) + "/index.html"}, dir + "index.html": {"zymurgist 腹腔镜", "kumquat.txt", "documents/diagnosis-"}} {
		for _, word := range words {
			if !strings.Contains(files[page], word) {
				t.Errorf("%s does not tell %q", page, word)
			}
		}
	}
	var bundle struct {
		ResourceType, Type string
		Entry              []struct{ Resource struct{ ResourceType string } }
	}
	e2e.Must(t, json.Unmarshal([]byte(files["fhir.json"]), &bundle))
	kinds := map[string]int{}
	for _, e := range bundle.Entry {
		kinds[e.Resource.ResourceType]++
	}
	if bundle.Type != "collection" || kinds["Patient"] != 1 || kinds["Encounter"] == 0 || kinds["Condition"] == 0 {
		t.Errorf("the bundle is a %s of %v", bundle.Type, kinds)
	}

	// The doctor has no claim to what belongs to patients.
	for name, content := range exports(c.wang) {
		found := slices.DeleteFunc(lies(content), func(word string) bool { return slices.Contains(doctors, word) })
		if len(found) > 0 {
			t.Errorf("the doctor's %s has %q", name, found)
		}
	}
	log := e2e.Do(w.Admin, audit.List, audit.LogFilter{ActorID: c.bo.User.ID, Action: audit.ExportRead})
	if len(log.Items) != 1 || log.Items[0].Subject != "user:"+string(c.bo.User.ID) {
		t.Errorf("the audit log has %+v", log.Items)
	}
}

// What someone called their file does not lead out of the folder that the
// archive is unpacked in, and what they said is not markup.
func TestExportIsHarmless(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "<script>alert(1)</script>")
	bo.Says(id, "<img src=x onerror=alert(2)>")
	for _, name := range []string{`..\..\evil.txt`, "../../evil.txt", "a.b/c", "x.verylongsuffix", "con.t;t"} {
		a := bo.Uploads(id, name, []byte("content of "+name))
		e2e.Do(bo, chat.Send, chat.SendInput{ConsultationID: id, ClientID: name, Kind: chat.File, AttachmentID: a.ID})
	}
	for name, content := range exports(bo) {
		if strings.Contains(name, "..") || strings.Contains(name, `\`) || strings.HasPrefix(name, "/") {
			t.Errorf("a file is called %q", name)
		}
		if strings.HasSuffix(name, ".html") && (strings.Contains(content, "<script") || strings.Contains(content, "<img")) {
			t.Errorf("%s has markup of someone's", name)
		}
	}
}

// One export of a user at a time, and not many of all.
func TestExportsAreBounded(t *testing.T) {
	t.Parallel()
	x := export.New(nil, nil, nil, nil, nil)
	end, err := x.Begin("bo")
	e2e.Must(t, err)
	_, err = x.Begin("bo")
	e2e.Code(t, err, rooms.CodeRateLimited)
	for _, other := range []rooms.UserID{"a", "b", "c"} {
		_, err := x.Begin(other)
		e2e.Must(t, err)
	}
	_, err = x.Begin("d")
	e2e.Code(t, err, rooms.CodeUnavailable)
	end()
	_, err = x.Begin("bo")
	e2e.Must(t, err)
}
