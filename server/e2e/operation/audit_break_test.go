package operation_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server/app"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// onBoth runs a test on a server with SQLite, and on one with PostgreSQL.
func onBoth(t *testing.T, test func(*testing.T, *e2e.World)) {
	t.Helper()
	for name, database := range map[string]func() string{"sqlite": func() string { return "sqlite" }, "postgres": func() string { return e2e.PostgresDatabase(t) }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := e2e.NewWorldOn(t, t.TempDir(), database())
			w.Run("127.0.0.1:0")
			w.EnterAdmin()
			test(t, w)
		})
	}
}

// failsToLogIn makes an entry, as anybody can.
func failsToLogIn(t *testing.T, w *e2e.World) {
	t.Helper()
	_, err := w.Client().LogIn(t.Context(), account.LoginInput{Email: "nobody@wenzhen.example", Password: "not the password"})
	e2e.Code(t, err, rooms.CodeUnauthenticated)
}

// Somebody who has the database rewrites the log of a running server. The server
// goes on, but it does not sign their chain as its own: the break is in the log,
// and is shown by each verification from then on (R-A, SEC-12).
func TestARunningServerSignsNoForgedLog(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *e2e.World) {
		bo, wang := w.Patient("bo"), w.Doctor("wang")
		id := bo.Consults(wang, "a headache")
		wang.Accepts(id)
		e2e.Do(w.Admin, record.EnterConsultation, record.EnterInput{ConsultationID: id, Reason: "curiosity"})
		if v := e2e.Do(w.Admin, audit.Verify, rooms.Nothing{}); !v.OK {
			t.Fatalf("before: %+v", v)
		}
		w.Attacks(t).Rewrites(record.EnterConsultation.Name)
		failsToLogIn(t, w)
		brokenIn(t, w)
		list := e2e.Do(w.Admin, audit.List, audit.LogFilter{Action: audit.Broken})
		if len(list.Items) != 1 || !strings.Contains(list.Items[0].Reason, "not signed") {
			t.Errorf("entries about the break: %+v", list.Items)
		}
		failing := false
		for _, c := range e2e.Do(w.Admin, operations.Health, rooms.Nothing{}).Checks {
			failing = failing || c.Name == "audit" && c.State == operations.CheckFailing
		}
		if !failing {
			t.Error("the desk does not show it")
		}
		e2e.Must(t, w.Stop())
		w.Run("127.0.0.1:0")
		w.EnterAdmin()
		brokenIn(t, w)
	})
}

func brokenIn(t *testing.T, w *e2e.World) {
	t.Helper()
	shown := e2e.Do(w.Admin, audit.Verify, rooms.Nothing{})
	said, err := cli.VerifyAudit(t.Context(), placeOf(w), e2e.Quiet)
	e2e.Must(t, err)
	for _, v := range []audit.Verdict{shown, said} {
		if v.OK || v.BrokenAt == 0 || v.Why == "" {
			t.Errorf("a log that was rewritten: %+v", v)
		}
	}
}

// A server that starts on a log that was cut, or emptied, marks it.
func TestAServerThatStartsMarksAForgedLog(t *testing.T) {
	t.Parallel()
	for name, attack := range map[string]func(e2e.Attacker){
		"rewritten": func(a e2e.Attacker) { a.Rewrites(account.VerifyDoctor.Name) },
		"emptied": func(a e2e.Attacker) {
			a.Does(`DELETE FROM audit`)
			a.Does(`DELETE FROM audit_head`)
			a.Does(`DELETE FROM server_keys WHERE kind = 'audit'`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := e2e.NewWorldOn(t, t.TempDir(), "sqlite")
			w.Run("127.0.0.1:0")
			w.EnterAdmin()
			w.Doctor("wang")
			e2e.Must(t, w.Stop())
			attack(w.Attacks(t))
			w.Run("127.0.0.1:0")
			w.EnterAdmin()
			brokenIn(t, w)
		})
	}
}

// A missing audit key, or another one, is noticed as that of documents is. A new
// one is made if that is asked for: earlier entries are then said to be from
// before it.
func TestLostAuditKey(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *e2e.World) {
		e2e.Must(t, w.Stop())
		key := filepath.Join(w.Dir, "audit.key")
		old, err := os.ReadFile(key)
		e2e.Must(t, err)
		e2e.Must(t, os.Remove(key))
		if says := refused(w, t); !strings.Contains(says, "--accept-new-keys audit") || !strings.Contains(says, "audit.key") {
			t.Error(says)
		}
		if _, err := os.Stat(key); err == nil {
			t.Error("a new key was made")
		}
		e2e.Must(t, os.WriteFile(key, []byte("another key, which nobody asked for"), 0o600))
		if says := refused(w, t); !strings.Contains(says, "--accept-new-keys audit") {
			t.Error(says)
		}
		e2e.Must(t, os.WriteFile(key, old, 0o600))
		w.Run("127.0.0.1:0")
		w.EnterAdmin()
		before := e2e.Do(w.Admin, audit.Verify, rooms.Nothing{})
		if !before.OK || before.SignedFrom > 2 { // the first is of making the admin
			t.Errorf("with its key back: %+v", before)
		}
		e2e.Must(t, w.Stop())

		e2e.Must(t, os.Remove(key))
		w.Change = append(w.Change, func(cfg *app.Config) { cfg.AcceptNewKeys = []string{"audit"} })
		w.Run("127.0.0.1:0")
		w.EnterAdmin()
		e2e.Must(t, w.Stop())
		w.Change = nil // asked for once
		w.Run("127.0.0.1:0")
		w.EnterAdmin()
		if v := e2e.Do(w.Admin, audit.Verify, rooms.Nothing{}); !v.OK || v.SignedFrom != before.Entries+1 {
			t.Errorf("with a new key after %d entries: %+v", before.Entries, v)
		}
		if list := e2e.Do(w.Admin, audit.List, audit.LogFilter{Action: audit.KeyAccepted}); len(list.Items) != 1 {
			t.Errorf("entries about the new key: %+v", list.Items)
		}
	})
}

// A comparison with an export that has no entries shows nothing, and says so (R12).
func TestNothingToCompareWith(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	for _, export := range []string{"", "\n"} {
		v, err := cli.CompareAudit(t.Context(), placeOf(w), bytes.NewReader([]byte(export)), e2e.Quiet)
		if err == nil || v.OK {
			t.Errorf("compared with %q: %+v", export, v)
		}
	}
}

// A first start was interrupted after audit.key was made, before or after the log
// was signed with it: the next start continues it, and finds nothing forged.
func TestAnInterruptedFirstStartIsNoBreak(t *testing.T) {
	t.Parallel()
	for name, signed := range map[string]bool{"before the log was signed": false, "after the log was signed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, w *e2e.World) {
				e2e.Must(t, w.Stop())
				if !signed {
					w.Attacks(t).Does(`UPDATE audit_head SET signature = '', since = 0`)
					w.Attacks(t).Does(`DELETE FROM server_keys WHERE kind = 'audit'`)
				}
				begun := filepath.Join(w.Dir, "audit.begun")
				e2e.Must(t, os.WriteFile(begun, nil, 0o600))
				w.Run("127.0.0.1:0")
				w.EnterAdmin()
				if v := e2e.Do(w.Admin, audit.Verify, rooms.Nothing{}); !v.OK || v.Entries < 2 {
					t.Errorf("after the next start: %+v", v)
				}
				for _, action := range []string{audit.Broken, audit.KeyAccepted} {
					if list := e2e.Do(w.Admin, audit.List, audit.LogFilter{Action: action}).Items; len(list) > 0 {
						t.Errorf("the log has %+v", list)
					}
				}
				if _, err := os.Stat(begun); err == nil {
					t.Error("a later start would sign a forged log")
				}
			})
		})
	}
}
