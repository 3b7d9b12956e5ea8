package e2e_test

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

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/server/export"
)

// exports is what someone gets who takes their data along, by the names of files.
func (p *person) exports() map[string]string {
	t := p.w.t
	t.Helper()
	got := p.w.ask(t, "GET", "/api/v1/me/export", p.Tokens().AccessToken, "")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/zip" || !strings.Contains(got.header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("the export is answered %d %v: %.300s", got.status, got.header, got.body)
	}
	archive, err := zip.NewReader(bytes.NewReader(got.body), int64(len(got.body)))
	must(t, err)
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		must(t, err)
		content, err := io.ReadAll(r)
		must(t, err)
		must(t, r.Close())
		files[f.Name] = string(content)
	}
	return files
}

// A patient gets everything that was said and shown to them and by them, whole
// and to read, and nothing that is anybody else's; that it was taken is in the
// audit log.
func TestExportOfOnesData(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.confides()
	jing := w.patient("jing")
	foreign := jing.consults(c.wang, "jing-alone-knows")
	do(jing, consultation.Invite, consultation.InviteInput{ConsultationID: foreign, UserID: c.bo.user.ID, Role: consultation.PartRelative})
	do(c.bo, consultation.Read, consultation.Input{ConsultationID: foreign}) // as a relative

	files := c.bo.exports()
	var manifest struct {
		Files []struct {
			Name, SHA256 string
			Size         int
		}
	}
	must(t, json.Unmarshal([]byte(files["manifest.json"]), &manifest))
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
		// What was taken back is gone, a draft is the doctor's, and why data is held is the admin's.
		want := word != "wolfsbane" && word != "gobbledygook" && word != "nincompoop" && !slices.Contains(doctors, word)
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
	var events []rooms.Entry
	must(t, json.Unmarshal([]byte(files[dir+"events.json"]), &events))
	if want := c.bo.log(c.id); len(events) != len(want) {
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
	must(t, json.Unmarshal([]byte(files["fhir.json"]), &bundle))
	kinds := map[string]int{}
	for _, e := range bundle.Entry {
		kinds[e.Resource.ResourceType]++
	}
	if bundle.Type != "collection" || kinds["Patient"] != 1 || kinds["Encounter"] == 0 || kinds["Condition"] == 0 {
		t.Errorf("the bundle is a %s of %v", bundle.Type, kinds)
	}

	// The doctor has no claim to what belongs to patients.
	for name, content := range c.wang.exports() {
		found := slices.DeleteFunc(lies(content), func(word string) bool { return slices.Contains(doctors, word) })
		if len(found) > 0 {
			t.Errorf("the doctor's %s has %q", name, found)
		}
	}
	log := do(w.admin, audit.List, audit.LogFilter{ActorID: c.bo.user.ID, Action: account.Export.Name})
	if len(log.Items) != 1 || log.Items[0].Subject != "user:"+string(c.bo.user.ID) {
		t.Errorf("the audit log has %+v", log.Items)
	}
}

// What someone called their file does not lead out of the folder that the
// archive is unpacked in, and what they said is not markup.
func TestExportIsHarmless(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	id := bo.consults(wang, "<script>alert(1)</script>")
	bo.says(id, "<img src=x onerror=alert(2)>")
	for _, name := range []string{`..\..\evil.txt`, "../../evil.txt", "a.b/c", "x.verylongsuffix", "con.t;t"} {
		a := bo.uploads(id, name, []byte("content of "+name))
		do(bo, chat.Send, chat.SendInput{ConsultationID: id, ClientID: name, Kind: chat.File, AttachmentID: a.ID})
	}
	for name, content := range bo.exports() {
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
	must(t, err)
	_, err = x.Begin("bo")
	code(t, err, rooms.CodeRateLimited)
	for _, other := range []rooms.UserID{"a", "b", "c"} {
		_, err := x.Begin(other)
		must(t, err)
	}
	_, err = x.Begin("d")
	code(t, err, rooms.CodeUnavailable)
	end()
	_, err = x.Begin("bo")
	must(t, err)
}
