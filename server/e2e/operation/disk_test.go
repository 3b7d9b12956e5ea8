package operation_test

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

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// nobody is a user who owns nothing, and as whom root's tests run a server:
// root may write what is read-only.
const nobody = 65534

// premises is a data folder that a server in a process of its own works in.
type premises struct {
	*e2e.World
	*e2e.Process
	said *e2e.Recorder // all that the server wrote to standard error
}

// newPremises makes a data folder with an admin; nothing runs in it yet.
func newPremises(t *testing.T) *premises {
	t.Helper()
	w := e2e.NewWorldOn(t, t.TempDir(), "sqlite")
	h := &premises{World: w, said: &e2e.Recorder{}}
	h.Process = &e2e.Process{T: t, Dir: w.Dir, Addr: e2e.FreeAddress(t), Database: w.Database, Stderr: h.said}
	t.Cleanup(func() {
		if h.Cmd != nil && h.Cmd.ProcessState == nil {
			h.Kill()
		}
	})
	h.Base = "http://" + h.Addr
	return h
}

// bound makes the server run as a user whom permissions bind.
func (h *premises) bound() *premises {
	t := h.World.T
	t.Helper()
	if os.Geteuid() != 0 {
		return h
	}
	e2e.Must(t, os.Chmod(filepath.Dir(h.World.Dir), 0o711))
	e2e.Must(t, filepath.WalkDir(h.World.Dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, nobody, nobody))
	}))
	h.Process.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	return h
}

// refuses runs a server that must exit by itself and print words.
func (h *premises) refuses(cmd *exec.Cmd, words string) {
	t := h.World.T
	t.Helper()
	var said e2e.Recorder
	cmd.Stderr = &said
	e2e.Must(t, cmd.Start())
	late := time.AfterFunc(e2e.Patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("the server ended with %v, saying %s", err, said.String())
	}
	if !strings.Contains(said.String(), words) || strings.Contains(said.String(), "goroutine ") {
		t.Errorf("the server said %q, want %q in it and no stack", said.String(), words)
	}
}

// A full disk prevents only writing: commands and uploads fail with a message,
// reading continues, and writing resumes by itself once there is room.
// Everything that was acknowledged before, meanwhile and after is stored, also
// after a crash on the full disk.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	h := newPremises(t)
	h.Launch()
	h.EnterAdmin()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	k := h.Open("talk")
	bo := k.Sides[0]
	var everyone sync.WaitGroup
	for _, s := range k.Sides {
		everyone.Go(func() {
			if err := s.Listen(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	e2e.Must(t, bo.Send(ctx, "before"))
	kept := bo.Uploads(k.ID, "before.txt", []byte("uploaded while there was room"))

	aside := k.Sides[1].Again() // of a session whose reads are not in the audit log yet
	entries := func() int {
		return len(e2e.Do(h.Admin, audit.Enter, audit.EnterLogInput{LogFilter: audit.LogFilter{Action: audit.MessageRead, Subject: "consultation:" + string(k.ID), ActorID: aside.User.ID}, Reason: "a complaint"}).Items)
	}
	entered := entries()

	h.Full(true)
	refused := func(err error) {
		t.Helper()
		var e *rooms.Error
		if !errors.As(err, &e) || e.Code != rooms.CodeUnavailable || !e.Retryable || !strings.Contains(e.Message, "disk") {
			t.Errorf("answered %v, want unavailable and a word about the disk", err)
		}
	}
	_, err := client.Call(ctx, bo.Client, chat.Send, e2e.TextOf(k.ID, "refused over the socket"))
	refused(err)
	_, err = client.Do(ctx, bo.Client, chat.Send, e2e.TextOf(k.ID, "refused over REST"))
	refused(err)
	_, err = bo.Upload(ctx, k.ID, "refused.txt", strings.NewReader("refused"))
	refused(err)
	waits := make(chan error, 1)
	go func() { waits <- bo.Send(ctx, "insists") }()
	aside.Log(k.ID)
	if err := e2e.Failing(h.Admin, account.Users, account.UserFilter{}); rooms.CodeOf(err) != rooms.CodeUnavailable || !strings.Contains(err.Error(), "audit log") {
		t.Errorf("an admin lists users on a full disk: %v", err)
	}
	hasFile(bo.Person, kept)
	if log := bo.Log(k.ID); len(log) == 0 || strings.Contains(string(log[len(log)-1].Data), "refused") {
		t.Errorf("the log ends with %s", log[len(log)-1].Data)
	}
	if a := h.Ask(t, "GET", "/readyz", "", ""); a.Status != 200 {
		t.Errorf("while it can be read, it is not ready: %d %s", a.Status, a.Body)
	}
	if left, err := os.ReadDir(filepath.Join(h.World.Dir, "attachments", "incoming")); err != nil || len(left) > 0 {
		t.Errorf("of what was refused is left: %v, %v", left, err)
	}
	e2e.Eventually(t, "the log says it", func() bool {
		return strings.Contains(h.said.String(), "the database cannot be written; is its disk full, or read-only?")
	})

	h.Full(false)
	e2e.Must(t, e2e.Await(t, "the message that insists", waits))
	e2e.Eventually(t, "what was read on the full disk is in the audit log", func() bool { return entries() == entered+1 })
	hasFile(bo.Person, bo.Uploads(k.ID, "after.txt", []byte("uploaded once there was room")))

	h.Full(true)
	_, err = client.Call(ctx, bo.Client, chat.Send, e2e.TextOf(k.ID, "refused again"))
	refused(err)
	h.Kill()
	h.Launch()
	e2e.Must(t, bo.Send(ctx, "after-the-crash"))
	hasFile(bo.Person, kept)
	e2e.Do(k.Sides[1].Person, consultation.End, consultation.EndInput{ConsultationID: k.ID})
	everyone.Wait()
	k.Check(t)
	for _, e := range bo.Log(k.ID) {
		if strings.Contains(string(e.Data), "refused") {
			t.Errorf("what was refused is in the log: %s", e.Data)
		}
	}
}

// If the folder of attachments is read-only, uploads fail with a message, and
// nothing else fails.
func TestReadOnlyAttachments(t *testing.T) {
	t.Parallel()
	h := newPremises(t).bound()
	h.Launch()
	h.EnterAdmin()
	bo, wang := h.Patient("bo"), h.Doctor("wang")
	id := bo.Consults(wang, "a rash")
	kept := bo.Uploads(id, "before.txt", []byte("uploaded before"))
	folders := []string{filepath.Join(h.World.Dir, "attachments"), filepath.Join(h.World.Dir, "attachments", "incoming")}
	mode := func(m os.FileMode) {
		for _, dir := range folders {
			e2e.Must(t, os.Chmod(dir, m))
		}
	}
	mode(0o500)
	_, err := bo.Upload(t.Context(), id, "refused.txt", strings.NewReader("refused"))
	var e *rooms.Error
	if !errors.As(err, &e) || e.Code != rooms.CodeUnavailable || !strings.Contains(e.Message, "disk") {
		t.Errorf("answered %v", err)
	}
	hasFile(bo, kept)
	bo.Says(id, "and on")
	mode(0o700)
	hasFile(bo, bo.Uploads(id, "after.txt", []byte("uploaded after")))
}

// A server that cannot work in its data folder does not start, and logs the
// reason. After the repair everything that was acknowledged is there.
func TestStartThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	h := newPremises(t).bound()
	h.Launch()
	h.EnterAdmin()
	bo, wang := h.Patient("bo"), h.Doctor("wang")
	id := bo.Consults(wang, "a rash")
	for _, text := range []string{"one", "two", "three"} {
		bo.Says(id, text)
	}
	before := bo.Log(id)
	h.Kill() // so that the latest are in the write-ahead log alone
	path := filepath.Join(h.World.Dir, "wenzhen.db")
	content, err := os.ReadFile(path)
	e2e.Must(t, err)
	if wal, err := os.Stat(path + "-wal"); err != nil || wal.Size() == 0 {
		t.Fatalf("there is no write-ahead log: %v", err)
	}
	mode := func(path string, m os.FileMode) func() { return func() { e2e.Must(t, os.Chmod(path, m)) } }
	hold := func(size int) func() {
		return func() { e2e.Must(t, os.Truncate(path, int64(size))) }
	}
	whole := func() { e2e.Must(t, os.WriteFile(path, content, 0o600)) } // keeps its owner
	for _, c := range []struct {
		name           string
		damage, repair func()
		words          string
	}{
		{"read-only folder", mode(h.World.Dir, 0o500), mode(h.World.Dir, 0o700), "nothing can be written in " + h.World.Dir},
		{"read-only database", mode(path, 0o400), mode(path, 0o600), "cannot be opened for writing"},
		{"half a database", hold(len(content) / 2), whole, "is cut off"},
		{"a few bytes", hold(50), whole, "damaged"},
		{"nothing", hold(0), whole, "damaged"},
		{"nonsense", func() { e2e.Must(t, os.WriteFile(path, bytes.Repeat([]byte("nonsense"), len(content)/8), 0o600)) }, whole, "no SQLite database"},
	} {
		c.damage()
		t.Log(c.name)
		h.refuses(h.Command(), c.words)
		c.repair()
	}
	full := exec.Command("/bin/sh", "-c", `ulimit -f 0 && exec "$0"`, os.Args[0]) // as ourselves: that binds root too
	full.Env = h.Command().Env
	h.refuses(full, "nothing can be written in "+h.World.Dir+"; is its disk full")

	h.Launch()
	if after := bo.Log(id); len(after) != len(before) {
		t.Errorf("%d events of %d are there", len(after), len(before))
	}
	h.End()
	hold(0)() // with neither, it looks like a new one
	for _, beside := range []string{"-wal", "-shm"} {
		e2e.Must(t, os.RemoveAll(path+beside))
	}
	h.refuses(h.Command(), "is empty, and the server has run in this folder before")
}
