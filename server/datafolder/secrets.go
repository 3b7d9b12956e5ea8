package datafolder

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"wenzhen.example/rooms/vault"
)

// The keys that Wenzhen makes for itself.
const (
	TokenKeyFile   = "token.key"
	AccountKeyFile = "account.key"
	SealKeyFile    = "seal.key"
	PushKeyFile    = "push.key"
	TurnKeyFile    = "turn.key"
	SandboxKeyFile = "sandbox.key"
	AuditKeyFile   = "audit.key"
	// SealKeysFile lists the public keys that documents are verified with.
	SealKeysFile = "seal-public.key"
)

// SecretFiles are the files of all of them.
var SecretFiles = []string{TokenKeyFile, AccountKeyFile, SealKeyFile, PushKeyFile, TurnKeyFile, SandboxKeyFile, AuditKeyFile, SealKeysFile}

// secretLength is the least that a secret has: 32 characters.
const secretLength = 32

// Secrets keeps the keys that Wenzhen makes for itself in the data folder, for
// the owner alone, and sealed like the content of the database if that is.
type Secrets struct {
	Dir   string
	Vault *vault.Vault
}

// Take returns the given value or, when there is none, the one kept in the data
// folder, which is made the first time. Restarts keep everyone logged in.
func (s Secrets) Take(given, name string) ([]byte, error) {
	if given != "" {
		return []byte(given), nil
	}
	kept, err := s.Kept(name)
	if kept != nil || err != nil {
		return kept, err
	}
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	made := hex.EncodeToString(b)
	err = WriteNew(s.path(name), s.Encrypted(name, made)+"\n")
	if errors.Is(err, fs.ErrExist) {
		return s.Kept(name) // another process made it just now
	} else if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	return []byte(made), nil
}

// Kept is the secret in the data folder; nil if there is none.
func (s Secrets) Kept(name string) ([]byte, error) {
	stored, err := s.Read(name)
	if stored == "" && err == nil {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	text, err := s.Decrypt(name, stored)
	if err != nil {
		return nil, fmt.Errorf("secret %s cannot be decrypted; restore it together with the database that it belongs to, "+
			"or remove it to have a new one made: %w", s.path(name), err)
	}
	if len(text) < secretLength {
		return nil, fmt.Errorf("secret %s is damaged; restore it, or remove it to have a new one made", s.path(name))
	}
	return []byte(text), nil
}

// Put keeps a text in the data folder, in place of what was there.
func (s Secrets) Put(name, text string) error {
	if err := replaceFile(s.path(name), s.Encrypted(name, text)+"\n"); err != nil {
		return fmt.Errorf("keep %s: %w", s.path(name), err)
	}
	return nil
}

// Mark makes an empty file, which a crash does not undo.
func (s Secrets) Mark(name string) error {
	if err := os.WriteFile(s.path(name), nil, 0o600); err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	return Sync(s.Dir)
}

// Marked reports whether there is a file.
func (s Secrets) Marked(name string) (bool, error) {
	_, err := os.Stat(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Unmark removes the file of a Mark.
func (s Secrets) Unmark(name string) error {
	if err := os.Remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("mark: %w", err)
	}
	return Sync(s.Dir)
}

// Read is what a file has; empty if there is no file.
func (s Secrets) Read(name string) (string, error) {
	raw, err := os.ReadFile(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("secret: %w", err)
	}
	text := strings.TrimSpace(string(raw))
	if text == "" {
		return "", fmt.Errorf("secret %s is empty; restore it, or remove it to have a new one made", s.path(name))
	}
	return text, nil
}

// Encrypt seals with the newest data key, where the database is sealed, what the
// files of secrets and of certificates hold in the clear or sealed with an older
// one. A file is replaced whole or not at all; it may be ended and begun again at
// any time. It returns how many files it replaced.
func (s Secrets) EncryptFiles() (n int, err error) {
	for _, name := range SecretFiles {
		replaced, err := s.encryptFile(name)
		if err != nil {
			return n, err
		}
		n += replaced
	}
	kept, err := os.ReadDir(s.path(CertificatesFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return n, fmt.Errorf("certificates: %w", err)
	}
	for _, file := range kept {
		name := CertificatesFolder + "/" + file.Name()
		if info, err := file.Info(); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			continue // what a crash left
		}
		replaced, err := s.encryptFile(name)
		if errors.Is(err, vault.ErrDamaged) {
			continue // another one is asked for
		} else if err != nil {
			return n, err
		}
		n += replaced
	}
	return n, nil
}

// encryptFile seals one file, and returns 1 if it was replaced.
func (s Secrets) encryptFile(name string) (int, error) {
	stored, err := s.Read(name)
	if err != nil || !s.Vault.Stale(stored) {
		return 0, err
	}
	text, err := s.Decrypt(name, stored)
	if err != nil {
		return 0, fmt.Errorf("secret %s: %w", s.path(name), err)
	}
	return 1, s.Put(name, text)
}

func (s Secrets) path(name string) string { return filepath.Join(s.Dir, name) }

// Encrypted seals what a file is to hold, for the file of that name alone.
func (s Secrets) Encrypted(name, text string) string { return s.Vault.Encrypt(place(name), text) }

// Decrypt opens what the file of a name holds.
func (s Secrets) Decrypt(name, stored string) (string, error) {
	return s.Vault.Decrypt(place(name), stored)
}

// place is what the encryption of a file is bound to.
func place(name string) string { return "secret/" + name }

// Fingerprint names a secret without giving anything of it away.
func Fingerprint(secret []byte, kind string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("wenzhen fingerprint of the " + kind + " key"))
	return hex.EncodeToString(mac.Sum(nil))[:16]
}

// WriteNew makes a file whole or not at all, for the owner's eyes. It fails with
// fs.ErrExist if there is one.
func WriteNew(path, content string) error {
	return putFile(path, content, os.Link) // unlike a rename it fails when there is one
}

// replaceFile is WriteNew for a file that may be there.
func replaceFile(path, content string) error { return putFile(path, content, os.Rename) }

func putFile(path, content string, put func(from, to string) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err = tmp.WriteString(content); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := put(tmp.Name(), path); err != nil {
		return err
	}
	return Sync(filepath.Dir(path)) // the name must be on disk too
}
