package operation_test

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the tests that read the database need a driver

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/board"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/app"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

const masterKey = "a master key of 32 characters for tests"

// atRest is the change of a configuration that turns encryption on.
func atRest(c *app.Config) { c.EncryptionKey = masterKey }

// storedIn is all that lies on disk: every file of the data folder and, with
// PostgreSQL, every row of every table.
func storedIn(w *e2e.World) string {
	w.T.Helper()
	var all strings.Builder
	e2e.Must(w.T, filepath.WalkDir(w.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all.Write(content)
		return err
	}))
	if w.Database != "sqlite" {
		all.WriteString(rowsOf(w))
	}
	return all.String()
}

// rowsOf is every row of every table.
func rowsOf(w *e2e.World) string {
	w.T.Helper()
	driver, source := "pgx", w.Database
	tables, row := `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`, `SELECT t::text FROM %s t`
	if w.Database == "sqlite" {
		driver, source = "sqlite", filepath.Join(w.Dir, "wenzhen.db")
		tables, row = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'message_words%'`, `SELECT * FROM %s`
	}
	db, err := sql.Open(driver, source)
	e2e.Must(w.T, err)
	defer db.Close()
	var all strings.Builder
	read := func(query string) (list []string) {
		rows, err := db.QueryContext(w.T.Context(), query)
		e2e.Must(w.T, err)
		defer rows.Close()
		columns, err := rows.Columns()
		e2e.Must(w.T, err)
		for rows.Next() {
			values := make([]sql.NullString, len(columns))
			to := make([]any, len(columns))
			for i := range values {
				to[i] = &values[i]
			}
			e2e.Must(w.T, rows.Scan(to...))
			var line strings.Builder
			for _, v := range values {
				line.WriteString(v.String)
			}
			list = append(list, line.String())
		}
		e2e.Must(w.T, rows.Err())
		return list
	}
	for _, table := range read(tables) {
		for _, line := range read(fmt.Sprintf(row, `"`+table+`"`)) {
			all.WriteString(line + "\n")
		}
	}
	return all.String()
}

// confided is a consultation in which a secret word is everywhere that someone
// can put words.
type confided struct {
	bo, wang   *e2e.Person
	admin      *e2e.Person
	id         consultation.ID
	patient    account.PatientID
	attachment chat.Attachment
	picture    chat.Attachment
	diagnosis  record.Diagnosis
}

// secrets are the words. None of them is in anything else.
var secrets = []string{"xylophagous", "quixotry", "zymurgist", "jabberwock", "wolfsbane", "kumquat", "腹腔镜", "Dvořák", "flummery", "gobbledygook", "hornswoggle", "ipecacuanha",
	"lollygag", "malarkey", "nincompoop", "obstreperous", "paronomasia"}

func confide(w *e2e.World) confided {
	w.T.Helper()
	c := confided{admin: w.Admin, bo: w.Patient("bo").Online(), wang: w.Doctor("wang").Online()}
	c.bo.Joins((e2e.Do(c.bo, consultation.Open, consultation.OpenInput{DoctorID: c.wang.User.ID, Service: account.Followup, Medium: account.Text,
		Complaint: "xylophagous", PriorDiagnosis: "quixotry"})).Consultation.ID)
	opened := e2e.Do(c.bo, consultation.List, consultation.Filter{}).Items[0]
	c.id, c.patient = opened.ID, opened.PatientID
	c.wang.Accepts(c.id)
	c.bo.Says(c.id, "zymurgist 腹腔镜")
	e2e.Call(c.wang, chat.Send, e2e.TextOf(c.id, "jabberwock"))
	recalled := c.bo.Says(c.id, "wolfsbane")
	e2e.Do(c.bo, chat.Recall, chat.MessageInput{ConsultationID: c.id, MessageID: recalled.ID})
	c.attachment = c.bo.Uploads(c.id, "kumquat.txt", []byte(strings.Repeat("letter about Dvořák\n", 10_000)))
	c.picture = c.bo.Uploads(c.id, "a.png", e2e.SomePNG(w.T, 900, 600))
	for _, a := range []chat.Attachment{c.attachment, c.picture} {
		e2e.Do(c.bo, chat.Send, chat.SendInput{ConsultationID: c.id, ClientID: string(a.ID), Kind: a.Kind, AttachmentID: a.ID})
	}
	c.diagnosis = c.wang.Diagnoses(c.id, record.DiagnosisInput{Codes: []string{"I10"}, Text: "flummery"})
	e2e.Do(c.wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: c.id, DiagnosisInput: record.DiagnosisInput{Codes: []string{"I10"}, Text: "gobbledygook"}})
	e2e.Do(c.bo, consultation.Invite, consultation.InviteInput{ConsultationID: c.id, Email: "paronomasia@review.example", Role: consultation.PartRelative})
	prescription := c.wang.Prescribes(c.id, e2e.Remedy())
	e2e.Do(c.wang, record.VoidPrescription, record.PrescriptionReason{PrescriptionID: prescription.ID, Reason: "hornswoggle"})
	e2e.Call(c.bo, board.Commit, board.CommitInput{ConsultationID: c.id, ID: board.StrokeID(rooms.NewID(opened.CreatedAt)), Tool: board.Label, Colour: "#000000", Width: 10,
		Points: []float64{1, 1, 1}, Text: "ipecacuanha"})
	e2e.Do(c.wang, chat.SaveQuickReplies, chat.QuickReplyList{Items: []chat.QuickReply{{ID: "q", Text: "lollygag"}}})
	away := opened.CreatedAt.AddDate(0, 1, 0)
	e2e.Do(c.wang, schedule.AddException, schedule.ExceptionInput{Kind: schedule.TimeOff, Start: away, End: away.Add(time.Hour), Note: "malarkey"})
	e2e.Do(w.Admin, account.PlaceLegalHold, account.LegalHoldInput{UserID: c.bo.User.ID, Reason: "nincompoop"})
	e2e.Do(c.wang, record.SaveTemplates, record.TemplateList{Items: []record.Template{{ID: "t", Name: "obstreperous", Diagnosis: &record.DiagnosisInput{Codes: []string{"I10"}}}}})
	return c
}

// reads checks that everything can be read as it was said.
func (c confided) reads(w *e2e.World) {
	t := w.T
	t.Helper()
	bo := onServer(c.bo, w)
	for words, want := range map[string]int{"zymurgist": 1, "ZYMUR": 1, "腹腔": 1, "腔腹": 0, "zymurgist 腹腔镜": 1, "jabberwock": 1, "wolfsbane": 0, "nowhere": 0} {
		if found := e2e.Do(bo, chat.Search, chat.SearchInput{Q: words}); len(found.Items) != want {
			t.Errorf("%q is found %d times, want %d", words, len(found.Items), want)
		}
	}
	hasFile(bo, c.attachment)
	hasFile(bo, c.picture)
	thumbnail, err := bo.Thumbnail(t.Context(), c.picture.ID)
	e2e.Must(t, err)
	e2e.Must(t, thumbnail.Close())
	part := w.Ask(t, "GET", "/api/v1/attachments/"+string(c.attachment.ID), bo.Tokens().AccessToken, "", "Range", "bytes=150000-150020")
	if want := strings.Repeat("letter about Dvořák\n", 10_000)[150000:150021]; string(part.Body) != want {
		t.Errorf("a range of the file is %q, want %q", part.Body, want)
	}
	if list := e2e.Do(onServer(c.wang, w), chat.QuickReplies, rooms.Nothing{}).Items; len(list) != 1 || list[0].Text != "lollygag" {
		t.Errorf("quick replies %+v", list)
	}
	admin := onServer(c.admin, w)
	if list := e2e.Do(admin, audit.List, audit.LogFilter{Q: "NINCOM"}).Items; len(list) != 1 || list[0].Reason != "nincompoop" {
		t.Errorf("entries of the audit log with a reason %+v", list)
	}
	if v := e2e.Do(admin, audit.Verify, rooms.Nothing{}); !v.OK {
		t.Errorf("the audit log verifies as %+v", v)
	}
	if v := w.Verifies(t, record.KindDiagnosis, c.diagnosis.Head); !v.Intact || !v.Matches {
		t.Errorf("the diagnosis verifies as %+v", v)
	}
}

// lies tells which of the secrets lie in the clear.
func lies(stored string) (found []string) {
	for _, s := range secrets {
		if strings.Contains(stored, s) {
			found = append(found, s)
		}
	}
	return found
}

// Nothing that patients and doctors say or show to each other lies on disk in
// the clear; everything works as it does without encryption.
func TestEncryptionAtRest(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, atRest)
	c := confide(w)
	c.reads(w)
	before := c.bo.Log(c.id)
	stored := storedIn(w)
	if found := lies(stored); len(found) > 0 {
		t.Errorf("in the clear lie %q", found)
	}
	if !strings.Contains(stored, "wz1$") || !strings.Contains(stored, "\x00wz1file") {
		t.Error("nothing is encrypted: the search above means nothing")
	}
	e2e.Must(t, w.Stop())
	for what, change := range map[string]func(*app.Config){
		"the data is encrypted, and no key was given":          func(*app.Config) {},
		"not the one that the data was encrypted with":         func(c *app.Config) { c.EncryptionKey = strings.Repeat("another key", 3) },
		"/nowhere/kms unwrap: fork/exec /nowhere/kms: no such": func(c *app.Config) { c.EncryptionCommand = "/nowhere/kms --key x" },
	} {
		cfg, err := e2e.Settings(w.Dir)
		e2e.Must(t, err)
		cfg.Database = w.Database
		change(&cfg)
		if _, err := app.New(t.Context(), cfg, e2e.Quiet); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("the start fails with %v, want %q in it", err, what)
		}
	}
	w.Run("127.0.0.1:0")
	if after := onServer(c.bo, w).Log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("after a restart the log is another")
	}
	c.reads(w)
}

// A server that kept everything in the clear is given a key: what is said from
// then on is encrypted, what was there is after a while, and nobody notices.
func TestEncryptionIsTurnedOn(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	c := confide(w)
	before := c.bo.Log(c.id)
	if found := lies(storedIn(w)); len(found) != len(secrets) {
		t.Errorf("in the clear lie only %q: the search below means nothing", found)
	}
	e2e.Must(t, w.Stop())
	w.Change = append(w.Change, atRest)
	w.Run("127.0.0.1:0")
	if after := onServer(c.bo, w).Log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("the log is another")
	}
	e2e.Eventually(t, "everything is encrypted", func() bool { return len(lies(storedIn(w))) == 0 })
	if after := onServer(c.bo, w).Log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("the log is another once it is encrypted")
	}
	c.reads(w)
}

// While people talk, another process makes a new data key: what is said is
// encrypted with it, everything is moved over to it, and nothing is left that
// the old one would open. Then the master key is another.
func TestKeysAreRotatedWhilePeopleTalk(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, atRest)
	c := confide(w)
	room := c.wang.Joins(c.id)
	at := placeOf(w)
	at.EncryptionKey = masterKey
	keys, err := cli.EncryptionKeys(t.Context(), at, e2e.Quiet)
	e2e.Must(t, err)
	old := keys[len(keys)-1].ID
	key, err := cli.RotateEncryptionKey(t.Context(), at, e2e.Quiet)
	e2e.Must(t, err)
	for n := 0; ; n++ { // until the server has followed
		m := c.bo.Says(c.id, "and on")
		e2e.Read(t, room, m.Seq)
		if strings.Contains(rowsOf(w), "wz1$"+key.ID+"$") {
			break
		}
		if n > 5000 {
			t.Fatal("the server never used the new key")
		}
	}
	before := c.bo.Log(c.id)
	e2e.Eventually(t, "nothing is left of the old key", func() bool {
		_, err := cli.EncryptAnew(t.Context(), at, e2e.Quiet)
		e2e.Must(t, err)
		return !strings.Contains(rowsOf(w), "wz1$"+old+"$") && !strings.Contains(storedIn(w), "\x00wz1file"+old)
	})
	c.reads(w)
	if after := c.bo.Log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("the log is another")
	}

	const next = "another master key of 32 characters"
	n, err := cli.RewrapEncryptionKeys(t.Context(), at, next, "", e2e.Quiet)
	e2e.Must(t, err)
	if n != 2 {
		t.Errorf("%d keys were wrapped again", n)
	}
	c.bo.Says(c.id, "the server goes on")
	e2e.Must(t, w.Stop())
	w.Change = append(w.Change, func(c *app.Config) { c.EncryptionKey = next })
	w.Run("127.0.0.1:0")
	c.reads(w)
}

// A backup has neither what was said in the clear nor the master key, and with
// that key everything is there again.
func TestBackupOfWhatIsEncrypted(t *testing.T) {
	t.Parallel()
	w := e2e.OnSQLite(t, atRest)
	e2e.Must(t, os.WriteFile(filepath.Join(w.Dir, "encryption.key"), []byte(masterKey), 0o600)) // someone did not listen
	c := confide(w)
	at := placeOf(w)
	var without bytes.Buffer // a machine that saves needs no key
	m, err := cli.Backup(t.Context(), at, &without)
	e2e.Must(t, err)
	at.EncryptionKey = masterKey
	path := filepath.Join(w.Dir, "attachments", c.picture.SHA256[:2], c.picture.SHA256[2:])
	sound, err := os.ReadFile(path)
	e2e.Must(t, err)
	e2e.Must(t, os.WriteFile(path, append(bytes.Clone(sound[:len(sound)-1]), sound[len(sound)-1]+1), 0o600))
	var with bytes.Buffer
	damaged, err := cli.Backup(t.Context(), at, &with)
	e2e.Must(t, err)
	if len(m.Problems) != 0 || len(damaged.Problems) != 1 || !strings.Contains(damaged.Problems[0], c.picture.SHA256) {
		t.Errorf("problems: %v without the key, %v with the key and a damaged file", m.Problems, damaged.Problems)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(without.Bytes()))
	e2e.Must(t, err)
	content, err := io.ReadAll(unzipped)
	e2e.Must(t, err)
	if found := lies(string(content)); len(found) > 0 || strings.Contains(string(content), masterKey) {
		t.Errorf("the archive has %q in the clear, or the key", found)
	}
	dir := filepath.Join(t.TempDir(), "restored")
	_, err = cli.Restore(t.Context(), &without, dir, true)
	e2e.Must(t, err)
	copied := &e2e.World{T: t, Dir: dir, Database: w.Database, HTTP: w.HTTP, Change: w.Change}
	copied.Run("127.0.0.1:0")
	c.reads(copied)
	if before, after := c.bo.Log(c.id), onServer(c.bo, copied).Log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("the log is another")
	}
}

// What is encrypted moves to PostgreSQL as it is, without the key.
func TestMoveOfWhatIsEncrypted(t *testing.T) {
	t.Parallel()
	w := e2e.OnSQLite(t, atRest)
	c := confide(w)
	before := c.bo.Log(c.id)
	e2e.Must(t, w.Stop())
	url := e2e.PostgresDatabase(t)
	_, err := cli.Move(t.Context(), placeOf(w), url)
	e2e.Must(t, err)
	there := *w
	there.Database = url
	there.Run("127.0.0.1:0")
	c.reads(&there)
	if after := onServer(c.bo, &there).Log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("the log is another")
	}
	if found := lies(storedIn(&there)); len(found) > 0 {
		t.Errorf("in the clear lie %q", found)
	}
}

// A ciphertext that was moved to another row or another file is refused, and
// only that.
func TestSwappedCiphertextIsRefused(t *testing.T) {
	t.Parallel()
	w := e2e.OnSQLite(t, atRest)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	one, other := bo.Consults(wang, "a headache"), bo.Consults(wang, "a rash")
	for _, id := range []consultation.ID{one, other} {
		bo.Says(id, "said in "+string(id))
	}
	a, b := bo.Uploads(one, "a.txt", []byte("this is a")), bo.Uploads(one, "b.txt", []byte("this is b"))
	at := func(sum string) string { return filepath.Join(w.Dir, "attachments", sum[:2], sum[2:]) }
	content, err := os.ReadFile(at(a.SHA256))
	e2e.Must(t, err)
	e2e.Must(t, os.WriteFile(at(b.SHA256), content, 0o600))
	w.Tampers(t, `UPDATE log SET data = (SELECT data FROM log WHERE`+messageIn(other)+`) WHERE`+messageIn(one))
	bo = onServer(bo, w)
	_, err = client.Do(t.Context(), bo.Client, chat.History, chat.HistoryInput{ConsultationID: one})
	e2e.Code(t, err, rooms.CodeInternal)
	if got := e2e.Do(bo, chat.History, chat.HistoryInput{ConsultationID: other}); len(got.Items) != 1 {
		t.Errorf("elsewhere there are %d messages", len(got.Items))
	}
	_, err = bo.Download(t.Context(), b.ID)
	e2e.Code(t, err, rooms.CodeInternal)
	hasFile(bo, a)
}

// Plain text that someone puts in the place of encrypted text is refused once
// everything is encrypted, and never sent to anybody as said by its sender.
func TestPlantedTextIsRefused(t *testing.T) {
	t.Parallel()
	w := e2e.OnSQLite(t, atRest)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	one, other := bo.Consults(wang, "a headache"), bo.Consults(wang, "a rash")
	for _, id := range []consultation.ID{one, other} {
		bo.Says(id, "said in "+string(id))
	}
	e2e.Eventually(t, "everything is encrypted", func() bool { return strings.Contains(rowsOf(w), "audit.reason") })
	w.Tampers(t, `UPDATE log SET data = '{"text":"take ten of them"}' WHERE`+messageIn(one))
	bo = onServer(bo, w)
	_, err := client.Do(t.Context(), bo.Client, chat.History, chat.HistoryInput{ConsultationID: one})
	e2e.Code(t, err, rooms.CodeInternal)
	if got := e2e.Do(bo, chat.History, chat.HistoryInput{ConsultationID: other}); len(got.Items) != 1 {
		t.Errorf("elsewhere there are %d messages", len(got.Items))
	}
}

// messageIn is the condition of the messages in a consultation.
func messageIn(id consultation.ID) string {
	return ` message IS NOT NULL AND room = (SELECT num FROM log_rooms WHERE id = '` + string(id.Room()) + `')`
}
