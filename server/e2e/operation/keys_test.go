package operation_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server/app"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// refused is why a server does not start in the world's data folder.
func refused(w *e2e.World, t *testing.T, change ...func(*app.Config)) string {
	t.Helper()
	cfg, err := e2e.Settings(w.Dir)
	e2e.Must(t, err)
	cfg.Addr, cfg.Database = "127.0.0.1:0", w.Database
	for _, f := range append(w.Change, change...) {
		f(&cfg)
	}
	s, err := app.New(context.Background(), cfg, e2e.Quiet)
	if err == nil {
		e2e.Must(t, s.Close())
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
	w := e2e.Start(t)
	key := filepath.Join(w.Dir, "seal.key")
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	e2e.Must(t, w.Stop())
	e2e.Must(t, os.Remove(key)) // nothing is signed: nobody misses it
	w.Run("127.0.0.1:0")
	old, err := os.ReadFile(key)
	e2e.Must(t, err)
	bo, wang = bo.On(w), wang.On(w)
	c := bo.Followup(wang)
	signed := wang.Diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}, Text: "mild"}).Head
	e2e.Must(t, w.Stop())

	e2e.Must(t, os.Remove(key))
	for name, change := range map[string]func(*app.Config){
		"missing": func(*app.Config) {},
		"another": func(cfg *app.Config) { cfg.SealKey = "another seal key of 32 characters" },
		"account": func(cfg *app.Config) { cfg.AcceptNewKeys = []string{"account"} },
	} {
		if says := refused(w, t, change); !strings.Contains(says, "--accept-new-keys seal") || !strings.Contains(says, "signed documents") {
			t.Errorf("%s: %s", name, says)
		}
		if _, err := os.Stat(key); err == nil {
			t.Errorf("%s: a new key was made", name)
		}
	}
	e2e.Must(t, os.WriteFile(key, old, 0o600))
	w.Run("127.0.0.1:0")
	if v := w.Verifies(t, record.KindDiagnosis, signed); !v.Intact {
		t.Errorf("with its key back: %+v", v)
	}
	e2e.Must(t, w.Stop())

	e2e.Must(t, os.Remove(key))
	w.Change = append(w.Change, func(cfg *app.Config) { cfg.AcceptNewKeys = []string{"seal"} })
	w.Run("127.0.0.1:0")
	if v := w.Verifies(t, record.KindDiagnosis, signed); !v.Intact {
		t.Errorf("with a new key: %+v", v)
	}
	wang = wang.On(w)
	fresh := wang.Diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}, Text: "worse"}).Head
	e2e.Must(t, w.Stop())
	w.Change = nil // asked for once
	w.Run("127.0.0.1:0")
	for name, head := range map[string]record.Head{"before": signed, "after": fresh} {
		if v := w.Verifies(t, record.KindDiagnosis, head); !v.Intact {
			t.Errorf("signed %s the key changed: %+v", name, v)
		}
	}
}

// A server whose account key is missing does not start once there are second
// factors: nobody who has one could log in.
func TestLostAccountKey(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo := w.Patient("bo")
	setup := e2e.Do(bo, account.BeginTOTP, rooms.Nothing{})
	code, err := totp.GenerateCode(setup.Secret, time.Now())
	e2e.Must(t, err)
	e2e.Do(bo, account.ConfirmTOTP, account.TOTPInput{OTP: code})
	e2e.Must(t, w.Stop())
	e2e.Must(t, os.Remove(filepath.Join(w.Dir, "account.key")))
	if says := refused(w, t); !strings.Contains(says, "--accept-new-keys account") || !strings.Contains(says, "second factors") {
		t.Error(says)
	}
}

// With a new account key, a login with an older second factor fails with a
// message that names the reason; an admin resets the factor, and the command line
// also that of the only admin (SEC-34).
func TestRecoveryAfterANewAccountKey(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, li := w.Patient("bo"), w.Patient("li")
	recovery := map[*e2e.Person]string{}
	for _, p := range []*e2e.Person{bo, w.Admin} {
		setup := e2e.Do(p, account.BeginTOTP, rooms.Nothing{})
		code, err := totp.GenerateCode(setup.Secret, time.Now())
		e2e.Must(t, err)
		recovery[p] = e2e.Do(p, account.ConfirmTOTP, account.TOTPInput{OTP: code}).Codes[0]
	}
	begun := e2e.Do(li, account.BeginTOTP, rooms.Nothing{})
	e2e.Must(t, w.Stop())
	e2e.Must(t, os.Remove(filepath.Join(w.Dir, "account.key")))
	w.Change = append(w.Change, func(cfg *app.Config) { cfg.AcceptNewKeys = []string{"account"} })
	w.Run("127.0.0.1:0")

	logsIn := func(p *e2e.Person, otp string) error {
		_, err := w.Client().LogIn(t.Context(), account.LoginInput{Email: p.User.Email, Password: e2e.Password, OTP: otp})
		return err
	}
	for p, code := range recovery {
		for what, otp := range map[string]string{"a code": "123456", "a recovery code": code, "nothing": ""} {
			var e *rooms.Error
			err := logsIn(p, otp)
			if !errors.As(err, &e) || e.Code != rooms.CodeConflict || e.Status != "second_factor_lost" || !strings.Contains(e.Message, "reset-second-factor") {
				t.Errorf("%s logs in with %s: %v", p.User.Name, what, err)
			}
		}
	}
	_, err := w.Client().LogIn(t.Context(), account.LoginInput{Email: bo.User.Email, Password: "not the password", OTP: "123456"})
	e2e.Code(t, err, rooms.CodeUnauthenticated) // who does not know the password learns nothing

	admin := &e2e.Person{Client: w.Client(client.WithTokens(w.Admin.Tokens())), World: w, User: w.Admin.User} // whose session is from before
	_, err = client.Do(t.Context(), admin.Client, account.ResetSecondFactor, account.UserInput{UserID: bo.User.ID})
	e2e.Must(t, err)
	e2e.Must(t, logsIn(bo, ""))
	place := placeOf(w)
	for range 2 {
		_, err = cli.AdministerUser(t.Context(), place, account.ResetSecondFactor.Name, w.Admin.User.Email, "", e2e.Quiet)
		if err != nil {
			break
		}
		e2e.Must(t, logsIn(w.Admin, ""))
	}
	e2e.Code(t, err, rooms.CodeConflict) // there is none any more
	li = li.On(w)
	code, err := totp.GenerateCode(begun.Secret, time.Now())
	e2e.Must(t, err)
	e2e.Code(t, e2e.Failing(li, account.ConfirmTOTP, account.TOTPInput{OTP: code}), rooms.CodeConflict)
	setup := e2e.Do(li, account.BeginTOTP, rooms.Nothing{})
	code, err = totp.GenerateCode(setup.Secret, time.Now())
	e2e.Must(t, err)
	e2e.Do(li, account.ConfirmTOTP, account.TOTPInput{OTP: code})
	list := e2e.Do(w.Admin.On(w).Again(), audit.List, audit.LogFilter{Action: account.ResetSecondFactor.Name}).Items
	if len(list) != 2 || list[0].Role != rooms.RoleAdmin {
		t.Errorf("the audit log has %+v", list)
	}
}

// A node with other keys, another data folder or other settings does not join
// one that runs, and says what differs. When no other runs it starts.
func TestUnlikeNodeDoesNotJoin(t *testing.T) {
	t.Parallel()
	first := e2e.NewWorldOn(t, t.TempDir(), e2e.PostgresDatabase(t))
	first.Run("127.0.0.1:0")
	policy := func(cfg *app.Config) { cfg.Policy = "none" }
	other := t.TempDir() // with the audit key, without which nothing starts
	key, err := os.ReadFile(filepath.Join(first.Dir, "audit.key"))
	e2e.Must(t, err)
	e2e.Must(t, os.WriteFile(filepath.Join(other, "audit.key"), key, 0o600))
	for name, c := range map[string]struct {
		dir    string
		change func(*app.Config)
	}{
		"--policy":    {first.Dir, policy},
		"--call-ring": {first.Dir, func(cfg *app.Config) { cfg.CallRing /= 2 }},
		"--seal-key":  {first.Dir, func(cfg *app.Config) { cfg.SealKey = "another seal key of 32 characters" }},
		"-key":        {other, func(*app.Config) {}},
	} {
		node := *first
		node.Dir = c.dir
		if says := refused(&node, t, c.change); !strings.Contains(says, name) || !strings.Contains(says, "which is running") {
			t.Errorf("another %s: %s", name, says)
		}
	}
	without := *first
	without.Dir = t.TempDir()
	if says := refused(&without, t); !strings.Contains(says, "audit.key") {
		t.Errorf("without the audit key: %s", says)
	}
	alike := *first
	alike.Run("127.0.0.1:0")
	e2e.Must(t, alike.Stop())
	e2e.Must(t, first.Stop())
	first.Change = append(first.Change, policy)
	first.Run("127.0.0.1:0")
}

// Somebody who can write the database adds a public key of their own, and seals a
// document with it: it verifies as signed with an unknown key. The keys of the
// server before and after a change go on to verify theirs, also after a restore.
func TestAKeyThatIsOnlyInTheDatabaseVerifiesNothing(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	c := opens(w)
	signs := func() record.Head {
		return c.wang.Diagnoses(c.in.ID, record.DiagnosisInput{Codes: []string{"I10"}, Text: "mild"}).Head
	}
	first, forged := signs(), signs()
	e2e.Must(t, w.Stop())
	e2e.Must(t, os.Remove(filepath.Join(w.Dir, "seal.key")))
	w.Change = append(w.Change, func(cfg *app.Config) { cfg.AcceptNewKeys = []string{"seal"} })
	w.Run("127.0.0.1:0")
	w.Change = nil
	c.wang = c.wang.On(w)
	second := signs()
	forges(t, w.Attacks(t), forged)
	e2e.Must(t, w.Stop())
	verifies := func(when string, w *e2e.World) {
		t.Helper()
		for name, d := range map[string]record.Head{"the first key": first, "the second key": second} {
			if v := w.Verifies(t, record.KindDiagnosis, d); !v.Intact {
				t.Errorf("%s, signed with %s: %+v", when, name, v)
			}
		}
		if v := w.Verifies(t, record.KindDiagnosis, forged); v.Integrity != record.UnknownKey || v.Intact || v.PublicKey != "" {
			t.Errorf("%s, sealed with a key that is only in the database: %+v", when, v)
		}
	}
	w.Run("127.0.0.1:0")
	verifies("at the next start", w)
	if w.Database != "" { // which is saved by its own tools
		return
	}
	var archive bytes.Buffer
	_, err := cli.Backup(t.Context(), placeOf(w), &archive)
	e2e.Must(t, err)
	verifies("restored", restored(w, archive.Bytes()))
}

// forges adds a key to the database, and seals a document and its state with it.
func forges(t *testing.T, a e2e.Attacker, d record.Head) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	e2e.Must(t, err)
	id, encode := record.SealKeyID(public), base64.StdEncoding.EncodeToString
	seal := func(hash string) string { return encode(ed25519.Sign(private, []byte(hash))) }
	a.Does(`INSERT INTO server_keys (kind, id, public, since, retired_at) VALUES ('seal', $1, $2, 1, 1)`, id, encode(public))
	a.Does(`UPDATE documents SET seal = $1, key_id = $2 WHERE id = $3`, seal(d.Signature.SHA256), id, string(d.ID))
	state := a.Texts(`SELECT state FROM document_states WHERE root = $1`, string(d.ID))[0]
	sum := sha256.Sum256([]byte("wenzhen document state\n" + state))
	a.Does(`UPDATE document_states SET seal = $1, key_id = $2 WHERE root = $3`, seal(hex.EncodeToString(sum[:])), id, string(d.ID))
}
