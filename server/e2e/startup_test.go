package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/consultation"
	"wenzhen/server"
)

// refusedStart starts a server that must not start, and checks the reason.
func refusedStart(t *testing.T, cfg server.Config, reason string) {
	t.Helper()
	s, err := server.New(context.Background(), cfg, quiet)
	if err == nil {
		must(t, s.Close())
	}
	if err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("started with %v, want an error about %q", err, reason)
	}
}

// One server at a time serves a SQLite database, and nothing moves it meanwhile (OPS-2, OPS-3).
func TestOneServerForEachDataFolder(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, t.TempDir(), "sqlite")
	w.run("127.0.0.1:0")
	w.enterAdmin()
	cfg, err := settings(w.dir)
	must(t, err)
	refusedStart(t, cfg, "another wenzhen runs")
	if _, err := server.Move(t.Context(), w.place(), "postgres://127.0.0.1:1/none"); err == nil || !strings.Contains(err.Error(), "must be stopped") {
		t.Errorf("moved beside a server: %v", err)
	}
	w.patient("bo") // the first goes on
	must(t, w.stop())
	w.run("127.0.0.1:0") // and another may follow it
	must(t, w.stop())
	info, err := os.Stat(filepath.Join(w.dir, "wenzhen.lock"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the lock has mode %o", info.Mode().Perm())
	}
}

// No account with a published password is active unless the server is a demo (SEC-17).
func TestDemoAccountsNeedTheDemo(t *testing.T) {
	t.Parallel()
	cfg, err := settings(t.TempDir())
	must(t, err)
	cfg.Demo, cfg.TurnAddr = true, "127.0.0.1:0"
	s, err := server.New(t.Context(), cfg, quiet)
	must(t, err)
	must(t, s.Close())
	cfg.Demo = false
	refusedStart(t, cfg, "filled by --demo")

	cfg.Demo = true
	s, err = server.New(t.Context(), cfg, quiet) // as a demo it starts again
	must(t, err)
	must(t, s.Close())
}

// Without a gateway nothing costs anything: play money is never a default (SEC-18).
func TestPlayMoneyMustBeNamed(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *server.Config) { c.Gateways = nil })
	bo, wang := w.patient("bo"), w.doctor("wang")
	offers := []account.DoctorService{{Service: account.Advice, Medium: account.Text, Price: 5000, Currency: "CNY", Minutes: 15},
		{Service: account.Followup, Medium: account.Text, Currency: "CNY", Minutes: 15}}
	do(wang, account.UpdateDoctor, account.DoctorChange{Services: &offers})
	_, err := client.Do(t.Context(), bo.Client, consultation.Open, consultation.OpenInput{DoctorID: wang.user.ID, Service: account.Advice, Medium: account.Text, Complaint: "a headache"})
	code(t, err, rooms.CodeConflict)
}
