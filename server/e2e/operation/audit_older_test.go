package operation_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// older is an earlier state of an audit log: its end as it was signed then.
type older struct {
	a    e2e.Attacker
	head []e2e.Row
	last string
}

func keepsLog(t *testing.T, w *e2e.World) older {
	t.Helper()
	a := w.Attacks(t)
	return older{a, a.Copies("audit_head", "1 = 1"), a.Texts(`SELECT sha256 FROM audit ORDER BY num DESC LIMIT 1`)[0]}
}

// putBack removes what was entered since, and puts the end of that time back.
func (o older) putBack() {
	o.a.Does(`DELETE FROM audit WHERE num > (SELECT num FROM audit WHERE sha256 = $1)`, o.last)
	o.a.Does(`DELETE FROM audit_head`)
	o.a.Puts(o.head)
}

func entriesOf(w *e2e.World, action string) []audit.LogLine {
	return e2e.Do(w.Admin, audit.List, audit.LogFilter{Action: action}).Items
}

// Somebody who has the database removes the newest entries of a running server's
// log and puts the end back as it was signed before them. The next entry, and the
// next verification without one, mark the log as broken, once (D3).
func TestARunningServerNoticesAnOlderLog(t *testing.T) {
	t.Parallel()
	for name, notice := range map[string]func(*testing.T, *e2e.World){
		"by the next entry":     failsToLogIn,
		"by verifying, without": func(t *testing.T, w *e2e.World) { e2e.Do(w.Admin, audit.Verify, rooms.Nothing{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, w *e2e.World) {
				failsToLogIn(t, w)
				before := keepsLog(t, w)
				failsToLogIn(t, w)
				failsToLogIn(t, w)
				if v := e2e.Do(w.Admin, audit.Verify, rooms.Nothing{}); !v.OK {
					t.Fatalf("before: %+v", v)
				}
				before.putBack()
				notice(t, w)
				brokenIn(t, w)
				failsToLogIn(t, w)
				failsToLogIn(t, w)
				if list := entriesOf(w, audit.Broken); len(list) != 1 || !strings.Contains(list[0].Reason, "older state") {
					t.Errorf("entries about the break: %+v", list)
				}
				e2e.Must(t, w.Stop())
				w.Run("127.0.0.1:0")
				w.EnterAdmin()
				brokenIn(t, w)
				if list := entriesOf(w, audit.Broken); len(list) != 1 {
					t.Errorf("entries about the break after a restart: %+v", list)
				}
			})
		})
	}
}

// A database that was put into an older state while no server ran is noticed by
// the command line, and by the next start: the end of the log is in the data
// folder too, for the owner alone.
func TestAnOlderDatabaseIsNoticedAtStart(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *e2e.World) {
		failsToLogIn(t, w)
		e2e.Must(t, w.Stop())
		before := keepsLog(t, w)
		w.Run("127.0.0.1:0")
		w.EnterAdmin()
		failsToLogIn(t, w)
		e2e.Must(t, w.Stop())
		info, err := os.Stat(filepath.Join(w.Dir, "audit.head"))
		e2e.Must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("the end of the log is kept with mode %v", info.Mode())
		}
		if v, err := cli.VerifyAudit(t.Context(), placeOf(w), e2e.Quiet); err != nil || !v.OK {
			t.Errorf("before: %+v, %v", v, err)
		}
		before.putBack()
		if v, err := cli.VerifyAudit(t.Context(), placeOf(w), e2e.Quiet); err != nil || v.OK || !strings.Contains(v.Why, "older state") {
			t.Errorf("an older state: %+v, %v", v, err)
		}
		for range 2 {
			w.Run("127.0.0.1:0")
			w.EnterAdmin()
			brokenIn(t, w)
			if list := entriesOf(w, audit.Broken); len(list) != 1 || !strings.Contains(list[0].Reason, "older state") {
				t.Errorf("entries about the break: %+v", list)
			}
			e2e.Must(t, w.Stop())
		}
	})
}

// A server that was killed leaves an end in the data folder that is behind the
// log, which is sound. One that is missing is made anew, which is entered; one
// that was signed with another key counts as missing.
func TestTheKeptEndMayBeBehind(t *testing.T) {
	t.Parallel()
	w := e2e.NewWorldOn(t, t.TempDir(), "sqlite")
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	e2e.Must(t, w.Stop())
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	kept := filepath.Join(w.Dir, "audit.head")
	early, err := os.ReadFile(kept)
	e2e.Must(t, err)
	for name, c := range map[string]struct {
		leave func() error
		anew  bool
	}{
		"behind":  {func() error { return os.WriteFile(kept, early, 0o600) }, false},
		"removed": {func() error { return os.Remove(kept) }, true},
		"of another key": {func() error {
			return os.WriteFile(kept, []byte(strings.Replace(string(early), `"Num":`, `"Num":9`, 1)), 0o600)
		}, true},
	} {
		had := len(entriesOf(w, audit.HeadKept))
		failsToLogIn(t, w)
		e2e.Must(t, w.Stop())
		e2e.Must(t, c.leave())
		w.Run("127.0.0.1:0")
		w.EnterAdmin()
		if v := e2e.Do(w.Admin, audit.Verify, rooms.Nothing{}); !v.OK {
			t.Errorf("%s: %+v", name, v)
		}
		if n := len(entriesOf(w, audit.HeadKept)) - had; n != 0 && !c.anew || n != 1 && c.anew {
			t.Errorf("%s: entered %d times", name, n)
		}
	}
}

// A restored database is older than what was signed since, and no break: backups
// have no end of the log, and the start enters that there was none. A database
// that was moved to PostgreSQL goes on with the end in its data folder.
func TestARestoredOrMovedLogIsNoBreak(t *testing.T) {
	t.Parallel()
	w := e2e.NewWorldOn(t, t.TempDir(), "sqlite")
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	var archive bytes.Buffer
	_, err := cli.Backup(t.Context(), placeOf(w), &archive)
	e2e.Must(t, err)
	failsToLogIn(t, w)
	e2e.Must(t, w.Stop())
	back := restored(w, archive.Bytes())
	back.Admin = onServer(w.Admin, back)
	moved := *w
	moved.Database = e2e.PostgresDatabase(t)
	_, err = cli.Move(t.Context(), placeOf(w), moved.Database)
	e2e.Must(t, err)
	moved.Run("127.0.0.1:0")
	moved.Admin = onServer(w.Admin, &moved)
	for name, c := range map[string]struct {
		w    *e2e.World
		anew int
		how  string
	}{"restored": {back, 1, audit.BackupRestored}, "moved": {&moved, 0, audit.DatabaseMoved}} {
		// It also enters what the command has left to be entered, as the server does.
		if v, err := cli.VerifyAudit(t.Context(), placeOf(c.w), e2e.Quiet); err != nil || !v.OK {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		if v := e2e.Do(c.w.Admin, audit.Verify, rooms.Nothing{}); !v.OK {
			t.Errorf("%s: %+v", name, v)
		}
		if n, how := len(entriesOf(c.w, audit.HeadKept)), len(entriesOf(c.w, c.how)); n != c.anew || how == 0 {
			t.Errorf("%s: entered %d times that an end is kept anew, and %d times %s", name, n, how, c.how)
		}
	}
}
