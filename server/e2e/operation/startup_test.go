package operation_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/app"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// refusedStart starts a server that must not start, and checks the reason.
func refusedStart(t *testing.T, cfg app.Config, reason string) {
	t.Helper()
	s, err := app.New(context.Background(), cfg, e2e.Quiet)
	if err == nil {
		e2e.Must(t, s.Close())
	}
	if err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("started with %v, want an error about %q", err, reason)
	}
}

// One server at a time serves a SQLite database, and nothing moves it meanwhile (OPS-2, OPS-3).
func TestOneServerForEachDataFolder(t *testing.T) {
	t.Parallel()
	w := e2e.NewWorldOn(t, t.TempDir(), "sqlite")
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	cfg, err := e2e.Settings(w.Dir)
	e2e.Must(t, err)
	refusedStart(t, cfg, "another wenzhen runs")
	if _, err := cli.Move(t.Context(), placeOf(w), "postgres://127.0.0.1:1/none"); err == nil || !strings.Contains(err.Error(), "must be stopped") {
		t.Errorf("moved beside a server: %v", err)
	}
	w.Patient("bo") // the first goes on
	e2e.Must(t, w.Stop())
	w.Run("127.0.0.1:0") // and another may follow it
	e2e.Must(t, w.Stop())
	info, err := os.Stat(filepath.Join(w.Dir, "wenzhen.lock"))
	e2e.Must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the lock has mode %o", info.Mode().Perm())
	}
}

// No account with a published password is active unless the server is a demo (SEC-17).
func TestDemoAccountsNeedTheDemo(t *testing.T) {
	t.Parallel()
	cfg, err := e2e.Settings(t.TempDir())
	e2e.Must(t, err)
	cfg.Demo, cfg.TurnAddr = true, "127.0.0.1:0"
	s, err := app.New(t.Context(), cfg, e2e.Quiet)
	e2e.Must(t, err)
	e2e.Must(t, s.Close())
	cfg.Demo = false
	refusedStart(t, cfg, "filled by --demo")

	cfg.Demo = true
	s, err = app.New(t.Context(), cfg, e2e.Quiet) // as a demo it starts again
	e2e.Must(t, err)
	e2e.Must(t, s.Close())

	// With other passwords they are the demo's all the same, until they are suspended.
	cfg.Demo = false
	db, err := sql.Open("sqlite", filepath.Join(cfg.Data, "wenzhen.db"))
	e2e.Must(t, err)
	_, err = db.Exec(`UPDATE users SET password_hash = 'another'`)
	e2e.Must(t, errors.Join(err, db.Close()))
	refusedStart(t, cfg, "bo@wenzhen.example")
	at := cli.Place{Data: cfg.Data, Database: cfg.Database}
	_, err = cli.CreateAdmin(t.Context(), at, "Root", "root@wenzhen.example", e2e.Password, e2e.Quiet)
	e2e.Must(t, err)
	for _, name := range []string{"bo", "jing", "wang", "li", "admin"} {
		refusedStart(t, cfg, name+"@wenzhen.example")
		_, err := cli.AdministerUser(t.Context(), at, account.SuspendUser.Name, name+"@wenzhen.example", "", e2e.Quiet)
		e2e.Must(t, err)
	}
	s, err = app.New(t.Context(), cfg, e2e.Quiet)
	e2e.Must(t, err)
	e2e.Must(t, s.Close())
}

// Nobody can make an account that looks like the demo's, which would keep the
// server from starting again.
func TestNobodyTakesThePublishedPassword(t *testing.T) {
	t.Parallel()
	w := e2e.NewWorldOn(t, t.TempDir(), "sqlite")
	w.Run("127.0.0.1:0")
	_, err := w.Client().Register(t.Context(), account.RegisterInput{Email: "bo@wenzhen.example", Password: "wenzhen-demo", Name: "Bo", Role: rooms.RolePatient})
	e2e.Code(t, err, rooms.CodeInvalid)
	e2e.Must(t, w.Stop())
	w.Run("127.0.0.1:0")
	e2e.Must(t, w.Stop())
}

// Without a gateway nothing costs anything: play money is never a default (SEC-18).
func TestPlayMoneyMustBeNamed(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) { c.Gateways = nil })
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	offers := []account.DoctorService{{Service: account.Advice, Medium: account.Text, Price: 5000, Currency: "CNY", Minutes: 15},
		{Service: account.Followup, Medium: account.Text, Currency: "CNY", Minutes: 15}}
	e2e.Do(wang, account.UpdateDoctor, account.DoctorChange{Services: &offers})
	_, err := client.Do(t.Context(), bo.Client, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "a headache"})
	e2e.Code(t, err, rooms.CodeConflict)
}
