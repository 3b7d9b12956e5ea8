package datafolder

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms/store"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/rooms/vault"
)

const (
	aMaster       = "the first master key of 32 characters"
	anotherMaster = "the second master key, another of them"
)

// openAt opens the database of a data folder, encrypted if there is a master key.
func openAt(t *testing.T, dir, master string) *engine.DB {
	t.Helper()
	by, err := vault.FromSecret(master)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), engine.Options{Path: filepath.Join(dir, DatabaseFile), Synchronous: "OFF", Master: by, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSecretIsKept(t *testing.T) {
	t.Parallel()
	s := Secrets{t.TempDir(), vault.New(nil)}
	first, err := s.Take("", TokenKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Take("", TokenKeyFile)
	if err != nil || string(again) != string(first) || len(first) < 32 {
		t.Errorf("kept %q, %v; made %q", again, err, first)
	}
	info, err := os.Stat(s.path(TokenKeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if given, err := s.Take("given", TokenKeyFile); err != nil || string(given) != "given" {
		t.Errorf("given: %q, %v", given, err)
	}
	for _, damaged := range []string{"short", "", " \n"} {
		if err := os.WriteFile(s.path(SealKeyFile), []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Take("", SealKeyFile); err == nil {
			t.Errorf("%q was taken for a secret", damaged)
		}
	}
}

// With a master key no secret lies in the clear, also those from before and
// those of an older data key; each opens in its place alone, also after the
// master key was changed, and not without it.
func TestSecretsAreEncrypted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain, before := Secrets{dir, vault.New(nil)}, map[string]string{}
	for _, name := range SecretFiles[:3] {
		key, err := plain.Take("", name)
		if err != nil {
			t.Fatal(err)
		}
		before[name] = string(key)
	}
	db := openAt(t, dir, aMaster)
	s := Secrets{dir, db.Vault()}
	sealed := func(when string, want int) {
		t.Helper()
		if n, err := s.EncryptFiles(); n != want || err != nil {
			t.Errorf("%s: sealed %d files, %v, want %d", when, n, err, want)
		}
		for name, want := range before {
			raw, err := os.ReadFile(s.path(name))
			if err != nil || strings.Contains(string(raw), want) || !vault.IsEncrypted(string(raw)) {
				t.Errorf("%s: %s is %q, %v", when, name, raw, err)
			}
			if got, err := s.Take("", name); err != nil || string(got) != want {
				t.Errorf("%s: %s opens as %q, %v", when, name, got, err)
			}
		}
	}
	sealed("at the first start", 3)
	made, err := s.Take("", PushKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	before[PushKeyFile] = string(made)
	sealed("with a new one", 0)
	if _, err := db.RotateKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	sealed("with a new data key", 4)
	if _, err := plain.Take("", TokenKeyFile); err == nil {
		t.Error("a sealed secret opens without a key")
	}
	swapped, err := os.ReadFile(s.path(TokenKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path(TurnKeyFile), swapped, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Take("", TurnKeyFile); err == nil {
		t.Error("a sealed secret opens in another's place")
	}
	if err := os.Remove(s.path(TurnKeyFile)); err != nil {
		t.Fatal(err)
	}
	by, err := vault.FromSecret(anotherMaster)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.RewrapKeys(t.Context(), by); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s.Vault = openAt(t, dir, anotherMaster).Vault()
	sealed("with another master key", 0)
}

// half is a master key that breaks off: it wraps so many keys and no more.
type half struct {
	vault.Master
	left int
}

func (h *half) Wrap(ctx context.Context, id string, key []byte) (string, error) {
	if h.left--; h.left < 0 {
		return "", errors.New("the machine stops here")
	}
	return h.Master.Wrap(ctx, id, key)
}

// A change of the master key that breaks off has changed nothing, for what is
// in the files too.
func TestRewrapBreaksOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := openAt(t, dir, aMaster)
	s := Secrets{dir, db.Vault()}
	for _, name := range SecretFiles {
		if _, err := s.Take("", name); err != nil {
			t.Fatal(err)
		}
		if _, err := db.RotateKey(t.Context()); err != nil { // each file is sealed with a key of its own
			t.Fatal(err)
		}
	}
	by, err := vault.FromSecret(anotherMaster)
	if err != nil {
		t.Fatal(err)
	}
	for left := range len(SecretFiles) {
		if _, err := db.RewrapKeys(t.Context(), &half{by, left}); err == nil {
			t.Fatal("a change that broke off is reported as done")
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again := openAt(t, dir, aMaster)
	for _, name := range SecretFiles {
		if key, err := (Secrets{dir, again.Vault()}).Kept(name); err != nil || key == nil {
			t.Errorf("%s with the old master key: %q, %v", name, key, err)
		}
	}
	if _, err := again.RewrapKeys(t.Context(), by); err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	last := openAt(t, dir, anotherMaster)
	for _, name := range SecretFiles {
		if key, err := (Secrets{dir, last.Vault()}).Kept(name); err != nil || key == nil {
			t.Errorf("%s with the new master key: %q, %v", name, key, err)
		}
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	a, b := Fingerprint([]byte(aMaster), "token"), Fingerprint([]byte(aMaster), "account")
	if raw, err := hex.DecodeString(a); err != nil || len(raw) != 8 || a == b {
		t.Errorf("fingerprints %q and %q, %v", a, b, err)
	}
	if want := "ac5a9ce896ea438c"; a != want { // databases have them
		t.Errorf("fingerprint %s, want %s", a, want)
	}
}

// A key is in use only once its name is on disk too: a power cut must not leave
// documents without the key that they were signed with. The folder is gone here
// before it could be synced.
func TestANewSecretIsSyncedWithItsFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := putFile(filepath.Join(dir, SealKeyFile), "a secret\n", func(from, to string) error {
		return errors.Join(os.Rename(from, to), os.Rename(dir, dir+".gone"))
	})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was not synced: %v", err)
	}
}
