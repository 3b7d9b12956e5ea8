package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/record"
	"wenzhen/server"
)

// refused is why a server does not start in the world's data folder.
func (w *world) refused(t *testing.T, change ...func(*server.Config)) string {
	t.Helper()
	cfg, err := settings(w.dir)
	must(t, err)
	cfg.Addr, cfg.Database = "127.0.0.1:0", w.database
	for _, f := range append(w.change, change...) {
		f(&cfg)
	}
	s, err := server.New(context.Background(), cfg, quiet)
	if err == nil {
		must(t, s.Close())
		t.Fatal("the server starts")
	}
	return err.Error()
}

// A server whose seal key is missing, or another, does not start once documents
// were signed: they would verify as forged. With the key it goes on; where it is
// lost, a new one has to be asked for, and what was signed before goes on to be
// verified with the public key in the database.
func TestLostSealKey(t *testing.T) {
	t.Parallel()
	w := start(t)
	key := filepath.Join(w.dir, "seal.key")
	bo, wang := w.patient("bo"), w.doctor("wang")
	must(t, w.stop())
	must(t, os.Remove(key)) // nothing is signed: nobody misses it
	w.run("127.0.0.1:0")
	old, err := os.ReadFile(key)
	must(t, err)
	bo, wang = bo.on(w), wang.on(w)
	c := bo.followup(wang)
	signed := wang.diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}, Text: "mild"}).Head
	must(t, w.stop())

	must(t, os.Remove(key))
	for name, change := range map[string]func(*server.Config){
		"missing": func(*server.Config) {},
		"another": func(cfg *server.Config) { cfg.SealKey = "another seal key of 32 characters" },
		"account": func(cfg *server.Config) { cfg.AcceptNewKeys = []string{"account"} },
	} {
		if says := w.refused(t, change); !strings.Contains(says, "--accept-new-keys seal") || !strings.Contains(says, "signed documents") {
			t.Errorf("%s: %s", name, says)
		}
		if _, err := os.Stat(key); err == nil {
			t.Errorf("%s: a new key was made", name)
		}
	}
	must(t, os.WriteFile(key, old, 0o600))
	w.run("127.0.0.1:0")
	if v := w.verifies(t, record.KindDiagnosis, signed); !v.Intact {
		t.Errorf("with its key back: %+v", v)
	}
	must(t, w.stop())

	must(t, os.Remove(key))
	w.change = append(w.change, func(cfg *server.Config) { cfg.AcceptNewKeys = []string{"seal"} })
	w.run("127.0.0.1:0")
	if v := w.verifies(t, record.KindDiagnosis, signed); !v.Intact {
		t.Errorf("with a new key: %+v", v)
	}
	wang = wang.on(w)
	fresh := wang.diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}, Text: "worse"}).Head
	must(t, w.stop())
	w.change = nil // asked for once
	w.run("127.0.0.1:0")
	for name, head := range map[string]record.Head{"before": signed, "after": fresh} {
		if v := w.verifies(t, record.KindDiagnosis, head); !v.Intact {
			t.Errorf("signed %s the key changed: %+v", name, v)
		}
	}
}

// A server whose account key is missing does not start once there are second
// factors: nobody who has one could log in.
func TestLostAccountKey(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo := w.patient("bo")
	setup := do(bo, account.BeginTOTP, rooms.Nothing{})
	code, err := totp.GenerateCode(setup.Secret, time.Now())
	must(t, err)
	do(bo, account.ConfirmTOTP, account.TOTPInput{OTP: code})
	must(t, w.stop())
	must(t, os.Remove(filepath.Join(w.dir, "account.key")))
	if says := w.refused(t); !strings.Contains(says, "--accept-new-keys account") || !strings.Contains(says, "second factors") {
		t.Error(says)
	}
}

// A node with other keys, another data folder or other settings does not join
// one that runs, and says what differs. When no other runs it starts.
func TestUnlikeNodeDoesNotJoin(t *testing.T) {
	t.Parallel()
	first := newWorldOn(t, t.TempDir(), postgresDatabase(t))
	first.run("127.0.0.1:0")
	policy := func(cfg *server.Config) { cfg.Policy = "none" }
	for name, c := range map[string]struct {
		dir    string
		change func(*server.Config)
	}{
		"--policy":    {first.dir, policy},
		"--call-ring": {first.dir, func(cfg *server.Config) { cfg.CallRing /= 2 }},
		"--seal-key":  {first.dir, func(cfg *server.Config) { cfg.SealKey = "another seal key of 32 characters" }},
		"-key":        {t.TempDir(), func(*server.Config) {}},
	} {
		other := *first
		other.dir = c.dir
		if says := other.refused(t, c.change); !strings.Contains(says, name) || !strings.Contains(says, "which is running") {
			t.Errorf("another %s: %s", name, says)
		}
	}
	alike := *first
	alike.run("127.0.0.1:0")
	must(t, alike.stop())
	must(t, first.stop())
	first.change = append(first.change, policy)
	first.run("127.0.0.1:0")
}
