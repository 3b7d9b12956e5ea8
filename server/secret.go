package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// secret returns the given value or, when there is none, the one kept in the
// data folder, which is made the first time. Restarts keep everyone logged in.
func secret(given, dir, name string) ([]byte, error) {
	if given != "" {
		return []byte(given), nil
	}
	path := filepath.Join(dir, name)
	kept, err := os.ReadFile(path)
	switch {
	case err == nil && len(strings.TrimSpace(string(kept))) >= 32:
		return []byte(strings.TrimSpace(string(kept))), nil
	case err == nil:
		return nil, fmt.Errorf("secret %s is damaged; restore it, or remove it and everyone logs in again", path)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("secret: %w", err)
	}
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	made := hex.EncodeToString(b)
	if err := writeNew(path, made+"\n"); errors.Is(err, fs.ErrExist) {
		return secret(given, dir, name) // another process made it just now
	} else if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	return []byte(made), nil
}

// writeNew makes a file whole or not at all, for the owner's eyes.
func writeNew(path, content string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err = tmp.WriteString(content); err == nil {
		err = tmp.Sync()
	}
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Link(tmp.Name(), path) // unlike a rename it fails when there is one
}
