package operation_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/client"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/backup"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

func placeOf(w *e2e.World) cli.Place { return cli.Place{Data: w.Dir, Database: w.Database} }

// restored is a world on a copy of this one's data, which went through an archive.
func restored(w *e2e.World, archive []byte) *e2e.World {
	w.T.Helper()
	dir := filepath.Join(w.T.TempDir(), "restored")
	_, err := cli.Restore(w.T.Context(), bytes.NewReader(archive), dir, true)
	e2e.Must(w.T, err)
	copied := &e2e.World{T: w.T, Dir: dir, Database: w.Database, HTTP: w.HTTP}
	copied.Run("127.0.0.1:0")
	return copied
}

// onServer is the person at another server, with the tokens that they have here.
func onServer(p *e2e.Person, w *e2e.World) *e2e.Person {
	w.T.Helper()
	return &e2e.Person{Client: w.Client(client.WithTokens(p.Tokens())), World: w, User: p.User}
}

// While people talk and send files, archives are taken. Each, restored
// elsewhere, has all that was acked before it was begun, a log that is the
// beginning of what the log became, and every file that this log names.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	const talks, archives = 2, 2
	w := e2e.OnSQLite(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var all [talks]*e2e.Talk
	var over atomic.Bool
	var files atomic.Int64 // acked
	var senders sync.WaitGroup
	for i := range all {
		k := w.Open(fmt.Sprint("talk-", i))
		all[i] = k
		for n, s := range k.Sides {
			senders.Go(func() {
				for m := 0; !over.Load(); m++ {
					if err := s.Send(ctx, fmt.Sprintf("%d-%d", n, m)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		senders.Go(func() {
			for m := 0; m < 20 && !over.Load(); m++ { // 50 at once are allowed, however many talks share a patient
				if err := sendFile(k.Sides[0], ctx, fmt.Sprintf("file %d of talk %d", m, i)); err != nil {
					t.Error(err)
					return
				}
				files.Add(1)
			}
		})
	}
	acked := func() map[string]consultation.ID {
		ids := map[string]consultation.ID{}
		for _, k := range all {
			for _, s := range k.Sides {
				s.Mu.Lock()
				for _, m := range s.Acked {
					ids[string(m.ID)] = k.ID
				}
				s.Mu.Unlock()
			}
		}
		return ids
	}
	type taken struct {
		archive []byte
		before  map[string]consultation.ID // acked before it was begun
	}
	var list []taken
	for range archives {
		had := len(acked())
		e2e.Eventually(t, "people go on", func() bool { return files.Load() > 0 && len(acked()) >= had+10*talks })
		before := acked()
		var b bytes.Buffer
		m, err := cli.Backup(ctx, placeOf(w), &b)
		e2e.Must(t, err)
		if len(m.Problems) > 0 {
			t.Errorf("problems: %v", m.Problems)
		}
		list = append(list, taken{b.Bytes(), before})
	}
	over.Store(true)
	senders.Wait()

	for n, one := range list {
		copied := restored(w, one.archive)
		events, files := 0, 0
		for _, k := range all {
			bo, became := onServer(k.Sides[0].Person, copied), k.Sides[0].Log(k.ID)
			log := bo.Log(k.ID)
			if len(log) > len(became) {
				t.Fatalf("archive %d has %d events of a log of %d", n, len(log), len(became))
			}
			if diff := cmp.Diff(became[:len(log)], log); diff != "" {
				t.Errorf("archive %d has another log:\n%.2000s", n, diff)
			}
			events += len(log)
			for _, e := range log {
				if e.Name != chat.MessageCreated.Name {
					continue
				}
				m, err := client.Decode(chat.MessageCreated, e)
				e2e.Must(t, err)
				delete(one.before, string(m.ID))
				if m.Attachment != nil {
					files++
					hasFile(bo, *m.Attachment)
				}
			}
		}
		if len(one.before) > 0 {
			t.Errorf("archive %d lacks %d messages that were acked before it: %v", n, len(one.before), one.before)
		}
		if files == 0 {
			t.Errorf("archive %d has no file to compare", n)
		}
		t.Logf("archive %d: %d bytes, %d events, %d files", n, len(one.archive), events, files)
	}

	// And people can go on where they were.
	var b bytes.Buffer
	_, err := cli.Backup(ctx, placeOf(w), &b)
	e2e.Must(t, err)
	copied := restored(w, b.Bytes())
	for _, k := range all {
		bo := onServer(k.Sides[0].Person, copied).Online()
		before := bo.Log(k.ID)
		if diff := cmp.Diff(k.Sides[0].Log(k.ID), before); diff != "" {
			t.Errorf("in peace the logs differ:\n%.2000s", diff)
		}
		if m := e2e.Call(bo, chat.Send, e2e.TextOf(k.ID, "as before")); int(m.Seq) != len(before)+1 {
			t.Errorf("the next message is %d after %d", m.Seq, len(before))
		}
	}
}

// sendFile uploads a text and sends it, and keeps the answer.
func sendFile(s *e2e.Side, ctx context.Context, content string) error {
	a, err := s.Upload(ctx, s.Room.ID(), "notes.txt", strings.NewReader(content))
	if err != nil {
		return err
	}
	m, err := s.Room.Send(ctx, chat.SendInput{ClientID: string(a.ID), Kind: chat.File, AttachmentID: a.ID})
	if err != nil {
		return err
	}
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.Acked[m.ClientID] = m
	return nil
}

// hasFile compares what comes down with the hash in the log.
func hasFile(p *e2e.Person, a chat.Attachment) {
	p.World.T.Helper()
	f, err := p.Download(p.World.T.Context(), a.ID)
	e2e.Must(p.World.T, err)
	defer f.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, f)
	e2e.Must(p.World.T, err)
	if got := hex.EncodeToString(hash.Sum(nil)); got != a.SHA256 {
		p.World.T.Errorf("%s has the hash %s, want %s", a.ID, got, a.SHA256)
	}
}

// A damaged or missing attachment does not prevent a backup: everything else is
// saved, and the output names the attachment.
func TestBackupReportsDamagedAttachments(t *testing.T) {
	t.Parallel()
	w := e2e.OnSQLite(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a rash")
	var sums []string
	for _, content := range []string{"good", "to-be-damaged", "to-be-gone"} {
		a := bo.Uploads(id, "notes.txt", []byte(content))
		e2e.Do(bo, chat.Send, chat.SendInput{ConsultationID: id, ClientID: content, Kind: chat.File, AttachmentID: a.ID})
		sums = append(sums, a.SHA256)
	}
	at := func(sum string) string { return filepath.Join(w.Dir, "attachments", sum[:2], sum[2:]) }
	e2e.Must(t, os.WriteFile(at(sums[1]), []byte("was damaged"), 0o600))
	e2e.Must(t, os.Remove(at(sums[2])))
	var b bytes.Buffer
	m, err := cli.Backup(t.Context(), placeOf(w), &b)
	e2e.Must(t, err)
	if len(m.Problems) != 2 {
		t.Errorf("problems: %v", m.Problems)
	}
	for _, sum := range sums[1:] {
		if !strings.Contains(fmt.Sprint(m.Problems), sum) {
			t.Errorf("nothing about %s in %v", sum, m.Problems)
		}
	}
	copied := onServer(bo, restored(w, b.Bytes()))
	if diff := cmp.Diff(bo.Log(id), copied.Log(id)); diff != "" {
		t.Error(diff)
	}
	for _, e := range copied.Log(id) {
		if m, err := client.Decode(chat.MessageCreated, e); err == nil && m.ClientID == "good" {
			hasFile(copied, *m.Attachment)
		}
	}
	left, err := filepath.Glob(filepath.Join(w.Dir, ".backup-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// A forged archive is not restored, and everything is as it was: the empty
// folder, and the disk around it.
func TestForgedArchivesAreNotRestored(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	data := filepath.Join(parent, "data")
	e2e.Must(t, os.Mkdir(data, 0o700))
	for _, c := range []struct {
		name, says string
		write      func(to *tar.Writer) error
	}{
		{"no database", "damaged", func(to *tar.Writer) error { return addTo(to, backup.Database, []byte("")) }},
		{"nonsense", "damaged", func(to *tar.Writer) error { return addTo(to, backup.Database, []byte("this was a database once")) }},
		{"more than the disk has", "has no room", func(to *tar.Writer) error {
			return to.WriteHeader(&tar.Header{Name: backup.Database, Size: 1 << 50, Mode: 0o600, Format: tar.FormatPAX})
		}},
		{"zeros without end", "grow", func(to *tar.Writer) error {
			err := to.WriteHeader(&tar.Header{Name: backup.Database, Size: 256 << 20, Mode: 0o600})
			for range 256 {
				_, more := to.Write(make([]byte, 1<<20))
				err = errors.Join(err, more)
			}
			return err
		}},
		{"rows without end", `no view "attachments"`, func(to *tar.Writer) error {
			return addTo(to, backup.Database, schemaOf(t, `CREATE TABLE rooms (id TEXT, last_seq INTEGER); CREATE TABLE events (room TEXT, seq INTEGER); CREATE TABLE users (id TEXT);
				CREATE VIEW attachments AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i AS sha256, i AS thumbnail_sha256 FROM n`))
		}},
		{"work without end", `no trigger "busy"`, func(to *tar.Writer) error {
			return addTo(to, backup.Database, schemaOf(t, `CREATE TABLE sessions (revoked_at INTEGER); CREATE TRIGGER busy BEFORE UPDATE ON sessions BEGIN
				INSERT INTO sessions WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n; END`))
		}},
		{"a table from elsewhere", `no table "other"`, func(to *tar.Writer) error {
			return addTo(to, backup.Database, schemaOf(t, `CREATE VIRTUAL TABLE other USING fts5 (words)`))
		}},
	} {
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		archive := tar.NewWriter(zip)
		e2e.Must(t, c.write(archive))
		_ = archive.Close() // one has written less than it said
		e2e.Must(t, zip.Close())
		_, err := cli.Restore(t.Context(), &b, data, false)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.says)
		}
		left, err := os.ReadDir(parent)
		inside, err2 := os.ReadDir(data)
		if err := errors.Join(err, err2); err != nil || len(left) != 1 || len(inside) != 0 {
			t.Errorf("%s left %v and %v, %v", c.name, left, inside, err)
		}
	}
}

// addTo adds a file and the manifest of an archive that has no other.
func addTo(to *tar.Writer, name string, content []byte) error {
	manifest := fmt.Sprintf(`{"format":1,"files":[{"name":%q,"size":%d,"sha256":"%x"}]}`, name, len(content), sha256.Sum256(content))
	for _, f := range []struct{ name, content string }{{name, string(content)}, {"manifest.json", manifest}} {
		if err := to.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.content)), Mode: 0o600}); err != nil {
			return err
		}
		if _, err := io.WriteString(to, f.content); err != nil {
			return err
		}
	}
	return nil
}

// schemaOf is a database with these tables.
func schemaOf(t *testing.T, statements string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "forged.db")
	db, err := sql.Open("sqlite", path)
	e2e.Must(t, err)
	_, err = db.ExecContext(t.Context(), statements)
	e2e.Must(t, errors.Join(err, db.Close()))
	content, err := os.ReadFile(path)
	e2e.Must(t, err)
	return content
}
