package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
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

	"wenzhen/client"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/server"
	"wenzhen/server/backup"
)

// onSQLite is start on SQLite, whatever the other tests run on: it alone has
// backups of its own, and a file to tamper with.
func onSQLite(t *testing.T, change ...func(*server.Config)) *world {
	t.Helper()
	w := newWorldOn(t, t.TempDir(), "sqlite")
	w.change = change
	w.run("127.0.0.1:0")
	w.enterAdmin()
	return w
}

func (w *world) place() server.Place { return server.Place{Data: w.dir, Database: w.database} }

// restored is a world on a copy of this one's data, which went through an archive.
func (w *world) restored(archive []byte) *world {
	w.t.Helper()
	dir := filepath.Join(w.t.TempDir(), "restored")
	_, err := server.Restore(w.t.Context(), bytes.NewReader(archive), dir, true)
	must(w.t, err)
	copied := &world{t: w.t, dir: dir, database: w.database, http: w.http}
	copied.run("127.0.0.1:0")
	return copied
}

// at is the person at another server, with the tokens that they have here.
func (p *person) at(w *world) *person {
	w.t.Helper()
	return &person{Client: w.client(client.WithTokens(p.Tokens())), w: w, user: p.user}
}

// While people talk and send files, archives are taken. Each, restored
// elsewhere, has all that was acked before it was begun, a log that is the
// beginning of what the log became, and every file that this log names.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	const talks, archives = 2, 2
	w := onSQLite(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var all [talks]*talk
	var over atomic.Bool
	var senders sync.WaitGroup
	for i := range all {
		k := w.open(fmt.Sprint("talk-", i))
		all[i] = k
		for n, s := range k.sides {
			senders.Go(func() {
				for m := 0; !over.Load(); m++ {
					if err := s.send(ctx, fmt.Sprintf("%d-%d", n, m)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		senders.Go(func() {
			for m := 0; m < 20 && !over.Load(); m++ { // 50 at once are allowed, however many talks share a patient
				if err := k.sides[0].sendFile(ctx, fmt.Sprintf("file %d of talk %d", m, i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	acked := func() map[string]consultation.ID {
		ids := map[string]consultation.ID{}
		for _, k := range all {
			for _, s := range k.sides {
				s.mu.Lock()
				for _, m := range s.acked {
					ids[string(m.ID)] = k.id
				}
				s.mu.Unlock()
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
		eventually(t, "people go on", func() bool { return len(acked()) >= had+10*talks })
		before := acked()
		var b bytes.Buffer
		m, err := server.Backup(ctx, w.place(), &b)
		must(t, err)
		if len(m.Problems) > 0 {
			t.Errorf("problems: %v", m.Problems)
		}
		list = append(list, taken{b.Bytes(), before})
	}
	over.Store(true)
	senders.Wait()

	for n, one := range list {
		copied := w.restored(one.archive)
		events, files := 0, 0
		for _, k := range all {
			bo, became := k.sides[0].at(copied), k.sides[0].log(k.id)
			log := bo.log(k.id)
			if len(log) > len(became) {
				t.Fatalf("archive %d has %d events of a log of %d", n, len(log), len(became))
			}
			if diff := cmp.Diff(became[:len(log)], log); diff != "" {
				t.Errorf("archive %d has another log:\n%.2000s", n, diff)
			}
			events += len(log)
			for _, e := range log {
				if e.Name != chat.Created.Name {
					continue
				}
				m, err := client.Decode(chat.Created, e)
				must(t, err)
				delete(one.before, string(m.ID))
				if m.Attachment != nil {
					files++
					bo.hasFile(*m.Attachment)
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
	_, err := server.Backup(ctx, w.place(), &b)
	must(t, err)
	copied := w.restored(b.Bytes())
	for _, k := range all {
		bo := k.sides[0].at(copied).online()
		before := bo.log(k.id)
		if diff := cmp.Diff(k.sides[0].log(k.id), before); diff != "" {
			t.Errorf("in peace the logs differ:\n%.2000s", diff)
		}
		if m := call(bo, chat.Send, textOf(k.id, "as before")); int(m.Seq) != len(before)+1 {
			t.Errorf("the next message is %d after %d", m.Seq, len(before))
		}
	}
}

// sendFile uploads a text and sends it, and keeps the answer.
func (s *side) sendFile(ctx context.Context, content string) error {
	a, err := s.Upload(ctx, s.room.ID(), "notes.txt", strings.NewReader(content))
	if err != nil {
		return err
	}
	m, err := s.room.Send(ctx, chat.SendInput{ClientID: string(a.ID), Kind: chat.File, AttachmentID: a.ID})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked[m.ClientID] = m
	return nil
}

// hasFile compares what comes down with the hash in the log.
func (p *person) hasFile(a chat.Attachment) {
	p.w.t.Helper()
	f, err := p.Download(p.w.t.Context(), a.ID)
	must(p.w.t, err)
	defer f.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, f)
	must(p.w.t, err)
	if got := hex.EncodeToString(hash.Sum(nil)); got != a.SHA256 {
		p.w.t.Errorf("%s has the hash %s, want %s", a.ID, got, a.SHA256)
	}
}

// An attachment that is damaged or gone does not prevent a backup: all the
// rest is saved, and one is told.
func TestBackupTellsOfDamagedAttachments(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	id := bo.consults(wang, "a rash")
	var sums []string
	for _, content := range []string{"good", "to-be-damaged", "to-be-gone"} {
		a := bo.uploads(id, "notes.txt", []byte(content))
		do(bo, chat.Send, chat.SendInput{ConsultationID: id, ClientID: content, Kind: chat.File, AttachmentID: a.ID})
		sums = append(sums, a.SHA256)
	}
	at := func(sum string) string { return filepath.Join(w.dir, "attachments", sum[:2], sum[2:]) }
	must(t, os.WriteFile(at(sums[1]), []byte("was damaged"), 0o600))
	must(t, os.Remove(at(sums[2])))
	var b bytes.Buffer
	m, err := server.Backup(t.Context(), w.place(), &b)
	must(t, err)
	if len(m.Problems) != 2 {
		t.Errorf("problems: %v", m.Problems)
	}
	for _, sum := range sums[1:] {
		if !strings.Contains(fmt.Sprint(m.Problems), sum) {
			t.Errorf("nothing about %s in %v", sum, m.Problems)
		}
	}
	copied := bo.at(w.restored(b.Bytes()))
	if diff := cmp.Diff(bo.log(id), copied.log(id)); diff != "" {
		t.Error(diff)
	}
	for _, e := range copied.log(id) {
		if m, err := client.Decode(chat.Created, e); err == nil && m.ClientID == "good" {
			copied.hasFile(*m.Attachment)
		}
	}
	left, err := filepath.Glob(filepath.Join(w.dir, ".backup-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// An archive whose database is no database is not restored, and nothing is left.
func TestRestoreRefusesADamagedDatabase(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	for name, content := range map[string]string{"nothing": "", "nonsense": "this was a database once"} {
		var b bytes.Buffer
		archive := backup.NewWriter(&b)
		must(t, archive.Add(backup.Database, int64(len(content)), strings.NewReader(content)))
		_, err := archive.Close(backup.Manifest{})
		must(t, err)
		if _, err := server.Restore(t.Context(), &b, filepath.Join(parent, "data"), true); err == nil {
			t.Errorf("%s was restored", name)
		}
		if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
			t.Errorf("%s left %v, %v", name, left, err)
		}
	}
}
