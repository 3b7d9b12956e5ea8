package e2e_test

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
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // whoever looks needs a driver

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/board"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/record"
	"wenzhen/rooms/schedule"
	"wenzhen/server"
)

const masterKey = "a master key of 32 characters for tests"

// atRest is the change of a configuration that turns encryption on.
func atRest(c *server.Config) { c.EncryptionKey = masterKey }

// stored is all that lies on disk: every file of the data folder and, with
// PostgreSQL, every row of every table.
func (w *world) stored() string {
	w.t.Helper()
	var all strings.Builder
	must(w.t, filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all.Write(content)
		return err
	}))
	if w.database != "sqlite" {
		all.WriteString(w.rows())
	}
	return all.String()
}

// rows is every row of every table.
func (w *world) rows(but ...string) string {
	w.t.Helper()
	driver, source := "pgx", w.database
	tables, row := `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`, `SELECT t::text FROM %s t`
	if w.database == "sqlite" {
		driver, source = "sqlite", filepath.Join(w.dir, "wenzhen.db")
		tables, row = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'message_words%'`, `SELECT * FROM %s`
	}
	db, err := sql.Open(driver, source)
	must(w.t, err)
	defer db.Close()
	var all strings.Builder
	read := func(query string) (list []string) {
		rows, err := db.QueryContext(w.t.Context(), query)
		must(w.t, err)
		defer rows.Close()
		columns, err := rows.Columns()
		must(w.t, err)
		for rows.Next() {
			values := make([]sql.NullString, len(columns))
			to := make([]any, len(columns))
			for i := range values {
				to[i] = &values[i]
			}
			must(w.t, rows.Scan(to...))
			var line strings.Builder
			for _, v := range values {
				line.WriteString(v.String)
			}
			list = append(list, line.String())
		}
		must(w.t, rows.Err())
		return list
	}
	for _, table := range read(tables) {
		if slices.Contains(but, table) {
			continue
		}
		for _, line := range read(fmt.Sprintf(row, `"`+table+`"`)) {
			all.WriteString(line + "\n")
		}
	}
	return all.String()
}

// confided is a consultation in which a secret word is everywhere that someone
// can put words.
type confided struct {
	bo, wang   *person
	admin      *person
	id         consultation.ID
	patient    account.PatientID
	attachment chat.Attachment
	picture    chat.Attachment
	diagnosis  record.Diagnosis
}

// secrets are the words. None of them is in anything else.
var secrets = []string{"xylophagous", "quixotry", "zymurgist", "jabberwock", "wolfsbane", "kumquat", "腹腔镜", "Dvořák", "flummery", "gobbledygook", "hornswoggle", "ipecacuanha",
	"lollygag", "malarkey", "nincompoop", "obstreperous"}

func (w *world) confides() confided {
	w.t.Helper()
	c := confided{admin: w.admin, bo: w.patient("bo").online(), wang: w.doctor("wang").online()}
	c.bo.joins((do(c.bo, consultation.Open, consultation.OpenInput{DoctorID: c.wang.user.ID, Service: account.Followup, Medium: account.Text,
		Complaint: "xylophagous", PriorDiagnosis: "quixotry"})).Consultation.ID)
	opened := do(c.bo, consultation.List, consultation.Filter{}).Items[0]
	c.id, c.patient = opened.ID, opened.PatientID
	c.wang.accepts(c.id)
	c.bo.says(c.id, "zymurgist 腹腔镜")
	call(c.wang, chat.Send, textOf(c.id, "jabberwock"))
	recalled := c.bo.says(c.id, "wolfsbane")
	do(c.bo, chat.Recall, chat.MessageInput{ConsultationID: c.id, MessageID: recalled.ID})
	c.attachment = c.bo.uploads(c.id, "kumquat.txt", []byte(strings.Repeat("letter about Dvořák\n", 10_000)))
	c.picture = c.bo.uploads(c.id, "a.png", somePNG(w.t, 900, 600))
	for _, a := range []chat.Attachment{c.attachment, c.picture} {
		do(c.bo, chat.Send, chat.SendInput{ConsultationID: c.id, ClientID: string(a.ID), Kind: a.Kind, AttachmentID: a.ID})
	}
	c.diagnosis = c.wang.diagnoses(c.id, record.DiagnosisInput{Codes: []string{"I10"}, Text: "flummery"})
	do(c.wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: c.id, DiagnosisInput: record.DiagnosisInput{Codes: []string{"I10"}, Text: "gobbledygook"}})
	prescription := c.wang.prescribes(c.id, remedy())
	do(c.wang, record.VoidPrescription, record.PrescriptionReason{PrescriptionID: prescription.ID, Reason: "hornswoggle"})
	call(c.bo, board.Commit, board.CommitInput{ConsultationID: c.id, ID: board.StrokeID(rooms.NewID(opened.CreatedAt)), Tool: board.Label, Colour: "#000000", Width: 10,
		Points: []float64{1, 1, 1}, Text: "ipecacuanha"})
	do(c.wang, chat.SaveQuickReplies, chat.QuickReplyList{Items: []chat.QuickReply{{ID: "q", Text: "lollygag"}}})
	away := opened.CreatedAt.AddDate(0, 1, 0)
	do(c.wang, schedule.AddException, schedule.ExceptionInput{Kind: schedule.TimeOff, Start: away, End: away.Add(time.Hour), Note: "malarkey"})
	do(w.admin, account.HoldUser, account.HoldInput{UserID: c.bo.user.ID, Reason: "nincompoop"})
	do(c.wang, record.SaveTemplates, record.TemplateList{Items: []record.Template{{ID: "t", Name: "obstreperous", Diagnosis: &record.DiagnosisInput{Codes: []string{"I10"}}}}})
	return c
}

// reads checks that everything can be read as it was said.
func (c confided) reads(w *world) {
	t := w.t
	t.Helper()
	bo := c.bo.at(w)
	for words, want := range map[string]int{"zymurgist": 1, "ZYMUR": 1, "腹腔": 1, "腔腹": 0, "zymurgist 腹腔镜": 1, "jabberwock": 1, "wolfsbane": 0, "nowhere": 0} {
		if found := do(bo, chat.Search, chat.SearchInput{Q: words}); len(found.Items) != want {
			t.Errorf("%q is found %d times, want %d", words, len(found.Items), want)
		}
	}
	bo.hasFile(c.attachment)
	bo.hasFile(c.picture)
	thumbnail, err := bo.Thumbnail(t.Context(), c.picture.ID)
	must(t, err)
	must(t, thumbnail.Close())
	part := w.ask(t, "GET", "/api/v1/attachments/"+string(c.attachment.ID), bo.Tokens().AccessToken, "", "Range", "bytes=150000-150020")
	if want := strings.Repeat("letter about Dvořák\n", 10_000)[150000:150021]; string(part.body) != want {
		t.Errorf("a range of the file is %q, want %q", part.body, want)
	}
	if list := do(c.wang.at(w), chat.QuickReplies, rooms.Nothing{}).Items; len(list) != 1 || list[0].Text != "lollygag" {
		t.Errorf("quick replies %+v", list)
	}
	admin := c.admin.at(w)
	if list := do(admin, audit.List, audit.LogFilter{Q: "NINCOM"}).Items; len(list) != 1 || list[0].Reason != "nincompoop" {
		t.Errorf("entries of the audit log with a reason %+v", list)
	}
	if v := do(admin, audit.Verify, rooms.Nothing{}); !v.OK {
		t.Errorf("the audit log verifies as %+v", v)
	}
	if v := w.verifies(t, record.KindDiagnosis, c.diagnosis.Head); !v.Intact || !v.Matches {
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
	w := start(t, atRest)
	c := w.confides()
	c.reads(w)
	before := c.bo.log(c.id)
	stored := w.stored()
	if found := lies(stored); len(found) > 0 {
		t.Errorf("in the clear lie %q", found)
	}
	if !strings.Contains(stored, "wz1$") || !strings.Contains(stored, "\x00wz1file") {
		t.Error("nothing is encrypted: the search above means nothing")
	}
	must(t, w.stop())
	for what, change := range map[string]func(*server.Config){
		"the data is encrypted, and no key was given":          func(*server.Config) {},
		"not the one that the data was encrypted with":         func(c *server.Config) { c.EncryptionKey = strings.Repeat("another key", 3) },
		"/nowhere/kms unwrap: fork/exec /nowhere/kms: no such": func(c *server.Config) { c.EncryptionCommand = "/nowhere/kms --key x" },
	} {
		cfg, err := settings(w.dir)
		must(t, err)
		cfg.Database = w.database
		change(&cfg)
		if _, err := server.New(t.Context(), cfg, quiet); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("the start fails with %v, want %q in it", err, what)
		}
	}
	w.run("127.0.0.1:0")
	if after := c.bo.at(w).log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("after a restart the log is another")
	}
	c.reads(w)
}

// A server that kept everything in the clear is given a key: what is said from
// then on is encrypted, what was there is after a while, and nobody notices.
func TestEncryptionIsTurnedOn(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.confides()
	before := c.bo.log(c.id)
	if found := lies(w.stored()); len(found) != len(secrets) {
		t.Errorf("in the clear lie only %q: the search below means nothing", found)
	}
	must(t, w.stop())
	w.change = append(w.change, atRest)
	w.run("127.0.0.1:0")
	if after := c.bo.at(w).log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("the log is another")
	}
	eventually(t, "everything is encrypted", func() bool { return len(lies(w.stored())) == 0 })
	if after := c.bo.at(w).log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("the log is another once it is encrypted")
	}
	c.reads(w)
}

// While people talk, another process makes a new data key: what is said is
// encrypted with it, everything is moved over to it, and nothing is left that
// the old one would open. Then the master key is another.
func TestKeysAreRotatedWhilePeopleTalk(t *testing.T) {
	t.Parallel()
	w := start(t, atRest)
	c := w.confides()
	room := c.wang.joins(c.id)
	at := w.place()
	at.EncryptionKey = masterKey
	keys, err := server.EncryptionKeys(t.Context(), at, quiet)
	must(t, err)
	old := keys[len(keys)-1].ID
	key, err := server.RotateEncryptionKey(t.Context(), at, quiet)
	must(t, err)
	for n := 0; ; n++ { // until the server has followed
		m := c.bo.says(c.id, "and on")
		read(t, room, m.Seq)
		if strings.Contains(w.rows(), "wz1$"+key.ID+"$") {
			break
		}
		if n > 5000 {
			t.Fatal("the server never used the new key")
		}
	}
	before := c.bo.log(c.id)
	eventually(t, "nothing is left of the old key", func() bool {
		_, err := server.EncryptAnew(t.Context(), at, quiet)
		must(t, err)
		// Signals between nodes, which PostgreSQL keeps for five minutes, are deleted and not sealed again.
		return !strings.Contains(w.rows("notices"), "wz1$"+old+"$") && !strings.Contains(w.stored(), "\x00wz1file"+old)
	})
	c.reads(w)
	if after := c.bo.log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("the log is another")
	}

	const next = "another master key of 32 characters"
	n, err := server.RewrapEncryptionKeys(t.Context(), at, next, "", quiet)
	must(t, err)
	if n != 2 {
		t.Errorf("%d keys were wrapped again", n)
	}
	c.bo.says(c.id, "the server goes on")
	must(t, w.stop())
	w.change = append(w.change, func(c *server.Config) { c.EncryptionKey = next })
	w.run("127.0.0.1:0")
	c.reads(w)
}

// A backup has neither what was said in the clear nor the master key, and with
// that key everything is there again.
func TestBackupOfWhatIsEncrypted(t *testing.T) {
	t.Parallel()
	w := onSQLite(t, atRest)
	must(t, os.WriteFile(filepath.Join(w.dir, "encryption.key"), []byte(masterKey), 0o600)) // someone did not listen
	c := w.confides()
	at := w.place()
	var without bytes.Buffer // a machine that saves needs no key
	m, err := server.Backup(t.Context(), at, &without)
	must(t, err)
	at.EncryptionKey = masterKey
	path := filepath.Join(w.dir, "attachments", c.picture.SHA256[:2], c.picture.SHA256[2:])
	sound, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, append(bytes.Clone(sound[:len(sound)-1]), sound[len(sound)-1]+1), 0o600))
	var with bytes.Buffer
	damaged, err := server.Backup(t.Context(), at, &with)
	must(t, err)
	if len(m.Problems) != 0 || len(damaged.Problems) != 1 || !strings.Contains(damaged.Problems[0], c.picture.SHA256) {
		t.Errorf("problems: %v without the key, %v with the key and a damaged file", m.Problems, damaged.Problems)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(without.Bytes()))
	must(t, err)
	content, err := io.ReadAll(unzipped)
	must(t, err)
	if found := lies(string(content)); len(found) > 0 || strings.Contains(string(content), masterKey) {
		t.Errorf("the archive has %q in the clear, or the key", found)
	}
	dir := filepath.Join(t.TempDir(), "restored")
	_, err = server.Restore(t.Context(), &without, dir, true)
	must(t, err)
	copied := &world{t: t, dir: dir, database: w.database, http: w.http, change: w.change}
	copied.run("127.0.0.1:0")
	c.reads(copied)
	if before, after := c.bo.log(c.id), c.bo.at(copied).log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("the log is another")
	}
}

// What is encrypted moves to PostgreSQL as it is, without the key.
func TestMoveOfWhatIsEncrypted(t *testing.T) {
	t.Parallel()
	w := onSQLite(t, atRest)
	c := w.confides()
	before := c.bo.log(c.id)
	must(t, w.stop())
	url := postgresDatabase(t)
	_, err := server.Move(t.Context(), w.place(), url)
	must(t, err)
	there := *w
	there.database = url
	there.run("127.0.0.1:0")
	c.reads(&there)
	if after := c.bo.at(&there).log(c.id); !reflect.DeepEqual(before, after) {
		t.Error("the log is another")
	}
	if found := lies(there.stored()); len(found) > 0 {
		t.Errorf("in the clear lie %q", found)
	}
}

// A ciphertext that was moved to another row or another file is refused, and
// only that.
func TestSwappedCiphertextIsRefused(t *testing.T) {
	t.Parallel()
	w := onSQLite(t, atRest)
	bo, wang := w.patient("bo"), w.doctor("wang")
	one, other := bo.consults(wang, "a headache"), bo.consults(wang, "a rash")
	for _, id := range []consultation.ID{one, other} {
		bo.says(id, "said in "+string(id))
	}
	a, b := bo.uploads(one, "a.txt", []byte("this is a")), bo.uploads(one, "b.txt", []byte("this is b"))
	at := func(sum string) string { return filepath.Join(w.dir, "attachments", sum[:2], sum[2:]) }
	content, err := os.ReadFile(at(a.SHA256))
	must(t, err)
	must(t, os.WriteFile(at(b.SHA256), content, 0o600))
	w.tampers(t, `UPDATE messages SET text = (SELECT text FROM messages WHERE consultation_id = '`+string(other)+`') WHERE consultation_id = '`+string(one)+`'`)
	bo = bo.at(w)
	_, err = client.Do(t.Context(), bo.Client, chat.History, chat.HistoryInput{ConsultationID: one})
	code(t, err, rooms.CodeInternal)
	if got := do(bo, chat.History, chat.HistoryInput{ConsultationID: other}); len(got.Items) != 1 {
		t.Errorf("elsewhere there are %d messages", len(got.Items))
	}
	_, err = bo.Download(t.Context(), b.ID)
	code(t, err, rooms.CodeInternal)
	bo.hasFile(a)
}

// Plain text that someone puts in the place of encrypted text is refused once
// everything is encrypted, and never sent to anybody as said by its sender.
func TestPlantedTextIsRefused(t *testing.T) {
	t.Parallel()
	w := onSQLite(t, atRest)
	bo, wang := w.patient("bo"), w.doctor("wang")
	one, other := bo.consults(wang, "a headache"), bo.consults(wang, "a rash")
	for _, id := range []consultation.ID{one, other} {
		bo.says(id, "said in "+string(id))
	}
	eventually(t, "everything is encrypted", func() bool { return strings.Contains(w.rows(), "audit.reason") })
	w.tampers(t, `UPDATE messages SET text = 'take ten of them' WHERE consultation_id = '`+string(one)+`'`)
	bo = bo.at(w)
	_, err := client.Do(t.Context(), bo.Client, chat.History, chat.HistoryInput{ConsultationID: one})
	code(t, err, rooms.CodeInternal)
	if got := do(bo, chat.History, chat.HistoryInput{ConsultationID: other}); len(got.Items) != 1 {
		t.Errorf("elsewhere there are %d messages", len(got.Items))
	}
}
