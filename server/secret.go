package server

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

	"wenzhen/rooms/vault"
)

// The keys that Wenzhen makes for itself.
const (
	tokenKeyFile   = "token.key"
	accountKeyFile = "account.key"
	sealKeyFile    = "seal.key"
	pushKeyFile    = "push.key"
	turnKeyFile    = "turn.key"
	sandboxKeyFile = "sandbox.key"
	auditKeyFile   = "audit.key"
)

// secretFiles are the files of all of them.
var secretFiles = []string{tokenKeyFile, accountKeyFile, sealKeyFile, pushKeyFile, turnKeyFile, sandboxKeyFile, auditKeyFile}

// secretLength is the least that a secret has: 32 characters.
const secretLength = 32

// secrets keeps the keys that Wenzhen makes for itself in the data folder, for
// the owner alone, and sealed like the content of the database if that is.
type secrets struct {
	dir   string
	vault *vault.Vault
}

// take returns the given value or, when there is none, the one kept in the data
// folder, which is made the first time. Restarts keep everyone logged in.
func (s secrets) take(given, name string) ([]byte, error) {
	if given != "" {
		return []byte(given), nil
	}
	kept, err := s.kept(name)
	if kept != nil || err != nil {
		return kept, err
	}
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	made := hex.EncodeToString(b)
	err = writeNew(s.path(name), s.sealed(name, made)+"\n")
	if errors.Is(err, fs.ErrExist) {
		return s.kept(name) // another process made it just now
	} else if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	return []byte(made), nil
}

// kept is the secret in the data folder; nil if there is none.
func (s secrets) kept(name string) ([]byte, error) {
	stored, err := s.read(name)
	if stored == "" && err == nil {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	text, err := s.vault.Open(secretPlace(name), stored)
	if err != nil {
		return nil, fmt.Errorf("secret %s cannot be decrypted; restore it together with the database that it belongs to, "+
			"or remove it to have a new one made: %w", s.path(name), err)
	}
	if len(text) < secretLength {
		return nil, fmt.Errorf("secret %s is damaged; restore it, or remove it to have a new one made", s.path(name))
	}
	return []byte(text), nil
}

// read is what a file has; empty if there is no file.
func (s secrets) read(name string) (string, error) {
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

// seal seals with the newest data key, where the database is sealed, what the
// files of secrets and of certificates hold in the clear or sealed with an older
// one. A file is replaced whole or not at all; it may be ended and begun again at
// any time. It returns how many files it replaced.
func (s secrets) seal() (n int, err error) {
	for _, name := range secretFiles {
		replaced, err := s.sealFile(name)
		if err != nil {
			return n, err
		}
		n += replaced
	}
	kept, err := os.ReadDir(s.path(acmeFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return n, fmt.Errorf("certificates: %w", err)
	}
	for _, file := range kept {
		name := acmeFolder + "/" + file.Name()
		if info, err := file.Info(); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			continue // what a crash left
		}
		replaced, err := s.sealFile(name)
		if errors.Is(err, vault.ErrDamaged) {
			continue // another one is asked for
		} else if err != nil {
			return n, err
		}
		n += replaced
	}
	return n, nil
}

// sealFile seals one file, and returns 1 if it was replaced.
func (s secrets) sealFile(name string) (int, error) {
	stored, err := s.read(name)
	if err != nil || !s.vault.Stale(stored) {
		return 0, err
	}
	text, err := s.vault.Open(secretPlace(name), stored)
	if err != nil {
		return 0, fmt.Errorf("secret %s: %w", s.path(name), err)
	}
	if err := replaceFile(s.path(name), s.sealed(name, text)+"\n"); err != nil {
		return 0, fmt.Errorf("encrypt %s: %w", s.path(name), err)
	}
	return 1, nil
}

func (s secrets) path(name string) string { return filepath.Join(s.dir, name) }

func (s secrets) sealed(name, text string) string { return s.vault.Seal(secretPlace(name), text) }

// secretPlace is what the encryption of a file is bound to.
func secretPlace(name string) string { return "secret/" + name }

// fingerprint names a secret without giving anything of it away.
func fingerprint(secret []byte, kind string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("wenzhen fingerprint of the " + kind + " key"))
	return hex.EncodeToString(mac.Sum(nil))[:16]
}

// writeNew makes a file whole or not at all, for the owner's eyes. It fails with
// fs.ErrExist if there is one.
func writeNew(path, content string) error {
	return putFile(path, content, os.Link) // unlike a rename it fails when there is one
}

// replaceFile is writeNew for a file that may be there.
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
	return syncFolder(filepath.Dir(path)) // the name must be on disk too
}
