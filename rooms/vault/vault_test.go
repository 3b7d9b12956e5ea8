package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

const secret = "a master key of 32 characters for tests"

// memory is a Store.
type memory struct {
	mu   sync.Mutex
	keys []Key
}

func (m *memory) Keys(context.Context) ([]Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Key(nil), m.keys...), nil
}

func (m *memory) AddKey(_ context.Context, k Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys = append(m.keys, k)
	return nil
}

func (m *memory) SaveWrapped(_ context.Context, keys []Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys = keys
	return nil
}

func master(t *testing.T, secret string) Master {
	t.Helper()
	m, err := FromSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t *testing.T, store Store, m Master) *Vault {
	t.Helper()
	v := New(m)
	if err := v.Load(t.Context(), store, time.Now()); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestATextComesBackFromItsPlaceAlone(t *testing.T) {
	t.Parallel()
	v := open(t, &memory{}, master(t, secret))
	const text = "头痛三天了, since Monday"
	sealed := v.Encrypt("messages.text/1", text)
	if strings.Contains(sealed, "Monday") || sealed == v.Encrypt("messages.text/1", text) {
		t.Errorf("sealed as %q", sealed)
	}
	if got, err := v.Decrypt("messages.text/1", sealed); err != nil || got != text {
		t.Errorf("opened %q, %v", got, err)
	}
	if got, err := v.Decrypt("messages.text/2", sealed); err == nil {
		t.Errorf("from another place: %q", got)
	}
	for i := len(mark) + idBytes + 1; i < len(sealed); i++ {
		changed := []byte(sealed)
		if changed[i]++; changed[i] == 0 {
			continue
		}
		if got, err := v.Decrypt("messages.text/1", string(changed)); err == nil && got != "" {
			// The last digit of base64 may have bits that mean nothing.
			if i < len(sealed)-1 {
				t.Fatalf("with byte %d changed it opens to %q", i, got)
			}
		}
	}
	if v.Encrypt("messages.text/1", "") != "" {
		t.Error("an empty text is stored as something")
	}
	if got, err := v.Decrypt("messages.text/1", "from before"); err != nil || got != "from before" {
		t.Errorf("a text from before: %q, %v", got, err)
	}
}

// What looks as if it was encrypted, and is not, comes back as it is: nobody makes
// a consultation unreadable by saying something.
func TestATextThatLooksEncrypted(t *testing.T) {
	t.Parallel()
	off, on := open(t, &memory{}, nil), open(t, &memory{}, master(t, secret))
	for _, text := range []string{mark, mark + "$", mark + "$x", mark + "0123456789abcdef$AAAA", mark + mark} {
		for _, v := range []*Vault{off, on} {
			if got, err := v.Decrypt("p", v.Encrypt("p", text)); err != nil || got != text {
				t.Errorf("%q came back as %q, %v", text, got, err)
			}
		}
		if got, err := on.Decrypt("p", off.Encrypt("p", text)); err != nil || got != text {
			t.Errorf("%q from before came back as %q, %v", text, got, err)
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	store := &memory{}
	m := master(t, secret)
	one, other := open(t, store, m), New(m)
	if err := other.Attach(t.Context(), store, time.Now); err != nil {
		t.Fatal(err)
	}
	before := one.Encrypt("p", "before")
	if one.Stale(before) || !one.Stale("in the clear") || one.Stale("") {
		t.Error("what is to be sealed again is mistaken before")
	}
	if _, err := one.Rotate(t.Context(), store, time.Now()); err != nil {
		t.Fatal(err)
	}
	after := one.Encrypt("p", "after")
	if !one.Stale(before) || one.Stale(after) {
		t.Error("what is to be sealed again is mistaken after")
	}
	for _, v := range []*Vault{one, other} { // the other does not know the new key
		for sealed, want := range map[string]string{before: "before", after: "after"} {
			if got, err := v.Decrypt("p", sealed); err != nil || got != want {
				t.Errorf("%q, %v, want %q", got, err, want)
			}
		}
	}
	if other.Current() != one.Current() {
		t.Error("the other still seals with the old key")
	}

	next := master(t, "another master key of 32 characters")
	if n, err := one.Rewrap(t.Context(), store, next); err != nil || n != 2 {
		t.Fatalf("rewrapped %d, %v", n, err)
	}
	if got, err := open(t, store, next).Decrypt("p", before); err != nil || got != "before" {
		t.Errorf("with the new master key: %q, %v", got, err)
	}
	if err := New(m).Load(t.Context(), store, time.Now()); !errors.Is(err, errWrong) {
		t.Errorf("with the old master key: %v", err)
	}
	if err := New(nil).Load(t.Context(), store, time.Now()); !errors.Is(err, errLocked) {
		t.Errorf("without a master key: %v", err)
	}
}

// A program that asks a key management service: this one has its keys in a folder.
func TestCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := filepath.Join(dir, "kms")
	content := `#!/bin/sh
set -e
case "$2" in
wrap) read key; echo "$key" > "$1/$3"; echo "kms:$3" ;;
unwrap) read wrapped; [ "$wrapped" = "kms:$3" ] || { echo "no such key" >&2; exit 1; }; cat "$1/$3" ;;
esac
`
	if err := os.WriteFile(script, []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
	store := &memory{}
	v := open(t, store, Command{"/bin/sh", script, dir})
	sealed := v.Encrypt("p", "text")
	again := open(t, store, Command{"/bin/sh", script, dir})
	if got, err := again.Decrypt("p", sealed); err != nil || got != "text" {
		t.Errorf("%q, %v", got, err)
	}
	if err := os.Remove(filepath.Join(dir, store.keys[0].ID)); err != nil {
		t.Fatal(err)
	}
	if err := New(Command{"/bin/sh", script, dir}).Load(t.Context(), store, time.Now()); err == nil || !strings.Contains(err.Error(), "unwrap") {
		t.Errorf("a service without the key: %v", err)
	}
	if err := New(Command{"/nowhere/kms"}).Load(t.Context(), store, time.Now()); err == nil || !strings.Contains(err.Error(), "/nowhere/kms") {
		t.Errorf("a program that is not there: %v", err)
	}
}

// encryptFile writes an encrypted file and returns what is on disk.
func encryptFile(t *testing.T, v *Vault, content []byte, sum string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	w, err := v.NewFile(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, iotest.OneByteReader(bytes.NewReader(content[:min(len(content), 10)]))); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content[min(len(content), 10):]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(sum); err != nil {
		t.Fatal(err)
	}
	return f
}

func size(t *testing.T, f *os.File) int64 {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestFiles(t *testing.T) {
	t.Parallel()
	v := open(t, &memory{}, master(t, secret))
	for _, n := range []int{0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 3*chunkBytes + 7, 4 * chunkBytes} {
		content := make([]byte, n)
		_, _ = rand.Read(content)
		f := encryptFile(t, v, content, "sum")
		r, err := v.OpenFile(f, size(t, f), "sum")
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if err := iotest.TestReader(r, content); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
		if _, err := v.OpenFile(f, size(t, f), "another sum"); err == nil {
			t.Errorf("%d bytes are taken for another file", n)
		}
		for _, cut := range []int64{1, tagBytes, encryptedChunk} {
			if cut > size(t, f) {
				continue
			}
			if _, err := v.OpenFile(f, size(t, f)-cut, "sum"); err == nil {
				t.Errorf("%d bytes are taken for whole without the last %d", n, cut)
			}
		}
	}
	content := make([]byte, 3*chunkBytes)
	f := encryptFile(t, v, content, "sum")
	at := int64(headerBytes + encryptedChunk + 100) // in the second chunk
	if _, err := f.WriteAt([]byte{1, 2, 3}, at); err != nil {
		t.Fatal(err)
	}
	r, err := v.OpenFile(f, size(t, f), "sum")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, r); err == nil || n != chunkBytes {
		t.Errorf("of a file with a damage in the second chunk %d bytes are read, %v", n, err)
	}
	if _, err := open(t, &memory{}, master(t, secret)).OpenFile(f, size(t, f), "sum"); err == nil {
		t.Error("a file is opened with the keys of another store")
	}
}
