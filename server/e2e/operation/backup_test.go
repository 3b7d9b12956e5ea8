package operation_test

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
	"wenzhen/server/backup"
	"wenzhen/server/cli"
	"wenzhen/server/e2e"
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
				if e.Name != chat.Created.Name {
					continue
				}
				m, err := client.Decode(chat.Created, e)
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
func TestBackupTellsOfDamagedAttachments(t *testing.T) {
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
		if m, err := client.Decode(chat.Created, e); err == nil && m.ClientID == "good" {
			hasFile(copied, *m.Attachment)
		}
	}
	left, err := filepath.Glob(filepath.Join(w.Dir, ".backup-*"))
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
		e2e.Must(t, archive.Add(backup.Database, int64(len(content)), strings.NewReader(content)))
		_, err := archive.Close(backup.Manifest{})
		e2e.Must(t, err)
		if _, err := cli.Restore(t.Context(), &b, filepath.Join(parent, "data"), true); err == nil {
			t.Errorf("%s was restored", name)
		}
		if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
			t.Errorf("%s left %v, %v", name, left, err)
		}
	}
}
