// Package blob keeps the content of attachments in a folder, each file under
// its SHA-256.
package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"wenzhen/rooms"
)

// Folder is a directory of blobs: ab/cdef… for the content whose hash is abcdef….
type Folder struct{ root *os.Root }

// Open opens the folder at dir and makes it when it is not there.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(filepath.Join(dir, incoming), 0o700); err != nil {
		return nil, fmt.Errorf("attachments: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("attachments: %w", err)
	}
	return &Folder{root: root}, nil
}

// incoming holds what is being written; a crash may leave something in it.
const incoming = "incoming"

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Put implements chat.Blobs.
func (f *Folder) Put(ctx context.Context, r io.Reader, most int64) (string, int64, error) {
	tmp := filepath.Join(incoming, rand.Text())
	file, err := f.root.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", 0, fmt.Errorf("store attachment: %w", err)
	}
	defer func() { _ = f.root.Remove(tmp) }() // gone already when all went well
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(file, hash), io.LimitReader(Reader(ctx, r), most+1))
	if err == nil && size <= most {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	switch {
	case err != nil:
		return "", 0, fmt.Errorf("store attachment: %w", err)
	case size > most:
		return "", 0, rooms.TooLarge("file", "a file may have at most %d bytes", most)
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	if err := f.root.Mkdir(sum[:2], 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", 0, fmt.Errorf("store attachment: %w", err)
	}
	if err := f.root.Rename(tmp, Path(sum)); err != nil {
		return "", 0, fmt.Errorf("store attachment: %w", err)
	}
	// The names must be on disk too before anyone is told.
	if err := f.sync(sum[:2]); err != nil {
		return "", 0, err
	}
	return sum, size, f.sync(".")
}

func (f *Folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return fmt.Errorf("store attachment: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("store attachment: %w", err)
	}
	return nil
}

// Open implements chat.Blobs.
func (f *Folder) Open(_ context.Context, sum string) (io.ReadSeekCloser, error) {
	if len(sum) != 2*sha256.Size {
		return nil, rooms.NotFound("file")
	}
	file, err := f.root.Open(Path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, rooms.NotFound("file")
	} else if err != nil {
		return nil, fmt.Errorf("read attachment: %w", err)
	}
	return file, nil
}

// Path is where in the folder a blob is.
func Path(sum string) string { return filepath.Join(sum[:2], sum[2:]) }

// Reader reads r until ctx ends, and then fails with the context's error.
func Reader(ctx context.Context, r io.Reader) io.Reader { return reader{ctx, r} }

type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
