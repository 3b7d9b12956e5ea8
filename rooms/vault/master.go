package vault

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Master wraps data keys. id is the data key's; what was wrapped under one id
// unwraps under no other.
type Master interface {
	Wrap(ctx context.Context, id string, key []byte) (wrapped string, err error)
	Unwrap(ctx context.Context, id, wrapped string) (key []byte, err error)
}

// secretMaster is a master key that this process has.
type secretMaster struct{ aead cipher.AEAD }

// FromSecret makes a master key of a secret of at least 32 characters (HKDF,
// RFC 5869).
func FromSecret(secret string) (Master, error) {
	if len(secret) < 32 {
		return nil, errors.New("an encryption key has at least 32 characters")
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "wenzhen master key", keyBytes)
	if err != nil {
		return nil, fmt.Errorf("encryption key: %w", err)
	}
	aead, err := newAEAD(key)
	return secretMaster{aead}, err
}

// Wrap implements Master.
func (m secretMaster) Wrap(_ context.Context, id string, key []byte) (string, error) {
	return base64.RawStdEncoding.EncodeToString(m.aead.Seal(nil, nil, key, []byte("data key/"+id))), nil
}

// Unwrap implements Master.
func (m secretMaster) Unwrap(_ context.Context, id, wrapped string) ([]byte, error) {
	encrypted, err := base64.RawStdEncoding.DecodeString(wrapped)
	if err != nil {
		return nil, fmt.Errorf("the wrapped key is damaged: %w", err)
	}
	key, err := m.aead.Open(nil, nil, encrypted, []byte("data key/"+id))
	if err != nil {
		return nil, errors.New("it is another key")
	}
	return key, nil
}

// Command is a program that wraps and unwraps by a key management service. It
// is run with two more arguments, "wrap" or "unwrap" and the id of the data key,
// gets what is to be wrapped (base64) or unwrapped on its standard input, and
// answers on its standard output: for "wrap" any text of one line, which is
// kept, for "unwrap" what was wrapped.
type Command []string

// Bounds of a command: how long it may take, and what it may answer.
const (
	commandTimeout = 30 * time.Second
	wrappedMost    = 16 << 10
)

// Wrap implements Master.
func (c Command) Wrap(ctx context.Context, id string, key []byte) (string, error) {
	return c.run(ctx, "wrap", id, base64.StdEncoding.EncodeToString(key))
}

// Unwrap implements Master.
func (c Command) Unwrap(ctx context.Context, id, wrapped string) ([]byte, error) {
	text, err := c.run(ctx, "unwrap", id, wrapped)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("%s unwrap answered what is no key", c[0])
	}
	return key, nil
}

// run never tells what went in or came out: it may be a key.
func (c Command) run(ctx context.Context, verb, id, in string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	args := append(append([]string{}, c[1:]...), verb, id)
	run := exec.CommandContext(ctx, c[0], args...)
	run.WaitDelay = time.Second // a child of it may keep the pipes open
	run.Stdin = strings.NewReader(in + "\n")
	var out, said bytes.Buffer
	run.Stdout, run.Stderr = &out, &said
	if err := run.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %.500s", c[0], verb, err, strings.TrimSpace(said.String()))
	}
	text := strings.TrimSpace(out.String())
	if text == "" || len(text) > wrappedMost || strings.ContainsAny(text, "\n\x00") {
		return "", fmt.Errorf("%s %s must answer one line of at most %d bytes", c[0], verb, wrappedMost)
	}
	return text, nil
}
