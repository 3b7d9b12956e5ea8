package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
)

// nobody is a user who owns nothing, and as whom root's tests run a server:
// root may write what is read-only.
const nobody = 65534

// premises is a data folder that a server in a process of its own works in.
type premises struct {
	*world
	*process
	said *recorder // all that the server wrote to standard error
}

// newPremises makes a data folder with an admin; nothing runs in it yet.
func newPremises(t *testing.T) *premises {
	t.Helper()
	w := newWorldOn(t, t.TempDir(), "sqlite")
	h := &premises{world: w, said: &recorder{}}
	h.process = &process{t: t, dir: w.dir, addr: freeAddress(t), on: w.database, says: h.said}
	t.Cleanup(func() {
		if h.cmd != nil && h.cmd.ProcessState == nil {
			h.kill()
		}
	})
	h.base = "http://" + h.addr
	return h
}

// bound makes the server run as a user whom permissions bind.
func (h *premises) bound() *premises {
	t := h.world.t
	t.Helper()
	if os.Geteuid() != 0 {
		return h
	}
	must(t, os.Chmod(filepath.Dir(h.world.dir), 0o711))
	must(t, filepath.WalkDir(h.world.dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, nobody, nobody))
	}))
	h.process.as = &syscall.Credential{Uid: nobody, Gid: nobody}
	return h
}

// refuses runs a server that must end by itself, with words.
func (h *premises) refuses(cmd *exec.Cmd, words string) {
	t := h.world.t
	t.Helper()
	var said recorder
	cmd.Stderr = &said
	must(t, cmd.Start())
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("the server ended with %v, saying %s", err, said.String())
	}
	if !strings.Contains(said.String(), words) || strings.Contains(said.String(), "goroutine ") {
		t.Errorf("the server said %q, want %q in it and no stack", said.String(), words)
	}
}

// A disk that is full stops nothing but writing: commands and uploads are
// refused with words, reading goes on, and writing does by itself once there is
// room. Whatever was acked before, between and after is there, also after a
// crash on the full disk.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	h := newPremises(t)
	h.launch()
	h.enterAdmin()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	k := h.open("talk")
	bo := k.sides[0]
	var everyone sync.WaitGroup
	for _, s := range k.sides {
		everyone.Go(func() {
			if err := s.listen(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	must(t, bo.send(ctx, "before"))
	kept := bo.uploads(k.id, "before.txt", []byte("uploaded while there was room"))

	aside := k.sides[1].again() // of a session whose reads are not in the audit log yet
	entries := func() int {
		return len(do(h.admin, audit.List, audit.LogFilter{Action: audit.MessageRead, Subject: "consultation:" + string(k.id), ActorID: aside.user.ID}).Items)
	}
	entered := entries()

	h.full(true)
	refused := func(err error) {
		t.Helper()
		var e *rooms.Error
		if !errors.As(err, &e) || e.Code != rooms.CodeUnavailable || !e.Retryable || !strings.Contains(e.Message, "disk") {
			t.Errorf("answered %v, want unavailable and a word about the disk", err)
		}
	}
	_, err := client.Call(ctx, bo.Client, chat.Send, textOf(k.id, "refused over the socket"))
	refused(err)
	_, err = client.Do(ctx, bo.Client, chat.Send, textOf(k.id, "refused over REST"))
	refused(err)
	_, err = bo.Upload(ctx, k.id, "refused.txt", strings.NewReader("refused"))
	refused(err)
	waits := make(chan error, 1)
	go func() { waits <- bo.send(ctx, "insists") }()
	aside.log(k.id)
	if err := failing(h.admin, account.Users, account.UserFilter{}); rooms.CodeOf(err) != rooms.CodeUnavailable || !strings.Contains(err.Error(), "audit log") {
		t.Errorf("an admin lists users on a full disk: %v", err)
	}
	bo.hasFile(kept)
	if log := bo.log(k.id); len(log) == 0 || strings.Contains(string(log[len(log)-1].Data), "refused") {
		t.Errorf("the log ends with %s", log[len(log)-1].Data)
	}
	if a := h.ask(t, "GET", "/readyz", "", ""); a.status != 200 {
		t.Errorf("while it can be read, it is not ready: %d %s", a.status, a.body)
	}
	if left, err := os.ReadDir(filepath.Join(h.world.dir, "attachments", "incoming")); err != nil || len(left) > 0 {
		t.Errorf("of what was refused is left: %v, %v", left, err)
	}
	eventually(t, "the log says it", func() bool {
		return strings.Contains(h.said.String(), "the database cannot be written; is its disk full, or read-only?")
	})

	h.full(false)
	must(t, await(t, "the message that insists", waits))
	eventually(t, "what was read on the full disk is in the audit log", func() bool { return entries() == entered+1 })
	bo.hasFile(bo.uploads(k.id, "after.txt", []byte("uploaded once there was room")))

	h.full(true)
	_, err = client.Call(ctx, bo.Client, chat.Send, textOf(k.id, "refused again"))
	refused(err)
	h.kill()
	h.launch()
	must(t, bo.send(ctx, "after-the-crash"))
	bo.hasFile(kept)
	do(k.sides[1].person, consultation.End, consultation.EndInput{ConsultationID: k.id})
	everyone.Wait()
	k.check(t)
	for _, e := range bo.log(k.id) {
		if strings.Contains(string(e.Data), "refused") {
			t.Errorf("what was refused is in the log: %s", e.Data)
		}
	}
}

// A folder of attachments that can be written no more refuses uploads with
// words, and nothing else.
func TestReadOnlyAttachments(t *testing.T) {
	t.Parallel()
	h := newPremises(t).bound()
	h.launch()
	h.enterAdmin()
	bo, wang := h.patient("bo"), h.doctor("wang")
	id := bo.consults(wang, "a rash")
	kept := bo.uploads(id, "before.txt", []byte("uploaded before"))
	folders := []string{filepath.Join(h.world.dir, "attachments"), filepath.Join(h.world.dir, "attachments", "incoming")}
	mode := func(m os.FileMode) {
		for _, dir := range folders {
			must(t, os.Chmod(dir, m))
		}
	}
	mode(0o500)
	_, err := bo.Upload(t.Context(), id, "refused.txt", strings.NewReader("refused"))
	var e *rooms.Error
	if !errors.As(err, &e) || e.Code != rooms.CodeUnavailable || !strings.Contains(e.Message, "disk") {
		t.Errorf("answered %v", err)
	}
	bo.hasFile(kept)
	bo.says(id, "and on")
	mode(0o700)
	bo.hasFile(bo.uploads(id, "after.txt", []byte("uploaded after")))
}

// A server that cannot work in its data folder does not start, and says why;
// once that is mended everything that was acked is there.
func TestStartThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	h := newPremises(t).bound()
	h.launch()
	h.enterAdmin()
	bo, wang := h.patient("bo"), h.doctor("wang")
	id := bo.consults(wang, "a rash")
	for _, text := range []string{"one", "two", "three"} {
		bo.says(id, text)
	}
	before := bo.log(id)
	h.kill() // so that the latest are in the write-ahead log alone
	path := filepath.Join(h.world.dir, "wenzhen.db")
	content, err := os.ReadFile(path)
	must(t, err)
	if wal, err := os.Stat(path + "-wal"); err != nil || wal.Size() == 0 {
		t.Fatalf("there is no write-ahead log: %v", err)
	}
	mode := func(path string, m os.FileMode) func() { return func() { must(t, os.Chmod(path, m)) } }
	hold := func(size int) func() {
		return func() { must(t, os.Truncate(path, int64(size))) }
	}
	whole := func() { must(t, os.WriteFile(path, content, 0o600)) } // keeps its owner
	for _, c := range []struct {
		name         string
		damage, mend func()
		words        string
	}{
		{"read-only folder", mode(h.world.dir, 0o500), mode(h.world.dir, 0o700), "nothing can be written in " + h.world.dir},
		{"read-only database", mode(path, 0o400), mode(path, 0o600), "cannot be opened for writing"},
		{"half a database", hold(len(content) / 2), whole, "is cut off"},
		{"a few bytes", hold(50), whole, "damaged"},
		{"nothing", hold(0), whole, "damaged"},
		{"nonsense", func() { must(t, os.WriteFile(path, bytes.Repeat([]byte("nonsense"), len(content)/8), 0o600)) }, whole, "no SQLite database"},
	} {
		c.damage()
		t.Log(c.name)
		h.refuses(h.command(), c.words)
		c.mend()
	}
	full := exec.Command("/bin/sh", "-c", `ulimit -f 0 && exec "$0"`, os.Args[0]) // as ourselves: that binds root too
	full.Env = h.command().Env
	h.refuses(full, "nothing can be written in "+h.world.dir+"; is its disk full")

	h.launch()
	if after := bo.log(id); len(after) != len(before) {
		t.Errorf("%d events of %d are there", len(after), len(before))
	}
	h.end()
	hold(0)() // with neither, it looks like a new one
	for _, beside := range []string{"-wal", "-shm"} {
		must(t, os.RemoveAll(path+beside))
	}
	h.refuses(h.command(), "is empty, and the server has run in this folder before")
}
