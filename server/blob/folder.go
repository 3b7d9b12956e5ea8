// Package blob keeps the content of attachments in a folder, each file under
// the SHA-256 of its content, encrypted if the vault is on.
package blob

import (
	"bytes"
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
	"sync/atomic"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/vault"
)

// Folder is a directory of blobs: ab/cdef… for the content whose hash is abcdef….
type Folder struct {
	root    *os.Root
	vault   *vault.Vault
	damaged atomic.Uint64
}

// Open opens the folder at dir and makes it when it is not there. Files are
// sealed with what v has.
func Open(dir string, v *vault.Vault) (*Folder, error) {
	if err := os.MkdirAll(filepath.Join(dir, incoming), 0o700); err != nil {
		return nil, fmt.Errorf("attachments: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("attachments: %w", err)
	}
	return &Folder{root: root, vault: v}, nil
}

// incoming holds what is being written; a crash may leave something in it.
const incoming = "incoming"

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Put implements chat.Blobs.
func (f *Folder) Put(ctx context.Context, r io.Reader, most int64) (string, int64, error) {
	return f.put(ctx, r, most, "")
}

// put is Put of a content whose hash must be want, unless that is empty.
func (f *Folder) put(ctx context.Context, r io.Reader, most int64, want string) (sum string, size int64, err error) {
	err = f.write(func(file *os.File) (string, error) {
		sealed, err := f.vault.NewFile(file)
		if err != nil {
			return "", err
		}
		var to io.Writer = file
		if sealed != nil {
			to = sealed
		}
		hash := sha256.New()
		begin := &beginning{}
		if size, err = io.Copy(io.MultiWriter(hash, begin, to), io.LimitReader(Reader(ctx, r), most+1)); err != nil {
			return "", err
		}
		sum = hex.EncodeToString(hash.Sum(nil))
		switch {
		case size > most:
			return "", rooms.TooLarge("file", "a file may have at most %d bytes", most)
		case vault.IsSealedFile(begin.bytes):
			return "", rooms.Invalid("file", "files of this type are not accepted")
		case want != "" && sum != want:
			return "", errDamaged
		case sealed != nil:
			return sum, sealed.Close(sum)
		}
		return sum, nil
	})
	return sum, size, err
}

var (
	errDamaged = errors.New("its content has changed since it was uploaded")
	errGone    = errors.New("its file is gone")
)

// beginning keeps the first bytes of what is written.
type beginning struct{ bytes []byte }

// Write implements io.Writer.
func (b *beginning) Write(p []byte) (int, error) {
	const most = 16
	b.bytes = append(b.bytes, p[:min(len(p), most-len(b.bytes))]...)
	return len(p), nil
}

// write makes a file with what fill writes, under the hash that fill returns.
// The file and its name are on disk when it returns.
func (f *Folder) write(fill func(*os.File) (sum string, err error)) error {
	tmp := filepath.Join(incoming, rand.Text())
	file, err := f.root.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return unwritable(err)
	}
	defer func() { _ = f.root.Remove(tmp) }() // gone already when all went well
	sum, err := fill(file)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		if err = f.root.Mkdir(sum[:2], 0o700); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err == nil {
		err = f.root.Rename(tmp, Path(sum))
	}
	if err == nil { // the names must be on disk too before anyone is told
		err = errors.Join(f.sync(sum[:2]), f.sync("."))
	}
	return unwritable(err)
}

func (f *Folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Open implements chat.Blobs. The whole content is looked at first: whoever
// reads it gets what was uploaded, or an error and nothing of it. A file that
// was changed or is gone is internal, and counts as damaged.
func (f *Folder) Open(ctx context.Context, sum string) (io.ReadSeekCloser, error) {
	if len(sum) != 2*sha256.Size {
		return nil, rooms.NotFound("file")
	}
	file, err := f.root.Open(Path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.damage(sum, errGone)
	} else if err != nil {
		return nil, fmt.Errorf("read attachment: %w", err)
	}
	content, err := f.content(file, sum)
	if err == nil {
		err = examine(ctx, content, sum)
	}
	switch {
	case err == nil:
		_, err = content.Seek(0, io.SeekStart)
	case ctx.Err() == nil:
		err = f.damage(sum, err)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return content, nil
}

// Damaged is how often a file could not be read as it was uploaded.
func (f *Folder) Damaged() uint64 { return f.damaged.Load() }

// damage counts a file that is not as it was uploaded. What to do about it is
// for whoever reads the log.
func (f *Folder) damage(sum string, err error) error {
	f.damaged.Add(1)
	return rooms.Broken(fmt.Errorf("attachment %s: %w; a backup may have it (docs/operations.md)", sum, err),
		"this file was damaged on the server's disk; it is not sent, and whoever runs the server is told")
}

// examine reads a content to its end; its hash must be sum.
func examine(ctx context.Context, content io.Reader, sum string) error {
	hash := sha256.New()
	if _, err := io.Copy(hash, Reader(ctx, content)); err != nil {
		return err
	}
	if hex.EncodeToString(hash.Sum(nil)) != sum {
		return errDamaged
	}
	return nil
}

// content is what a file holds that is kept under sum.
func (f *Folder) content(file *os.File, sum string) (io.ReadSeekCloser, error) {
	sealed, err := isSealed(file)
	if err != nil || !sealed {
		return file, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	content, err := f.vault.OpenFile(file, info.Size(), sum)
	return opened{content, file}, err
}

// opened is the content of a sealed file.
type opened struct {
	*vault.FileReader
	io.Closer
}

func isSealed(file *os.File) (bool, error) {
	begin := make([]byte, 16)
	n, err := file.ReadAt(begin, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return vault.IsSealedFile(begin[:n]), nil
}

// Seal seals the file of a content with the newest data key, unless it is.
// Whoever reads it meanwhile reads on. It tells whether there was anything to do.
func (f *Folder) Seal(ctx context.Context, sum string) (bool, error) {
	if !f.vault.On() {
		return false, nil
	}
	file, err := f.root.Open(Path(sum))
	if err != nil {
		return false, fmt.Errorf("attachment %s: %w", sum, err)
	}
	defer file.Close()
	if sealed, err := isSealed(file); err != nil {
		return false, fmt.Errorf("attachment %s: %w", sum, err)
	} else if sealed {
		if id, err := vault.FileKey(file); err != nil || id == f.vault.Current() {
			return false, err
		}
	}
	content, err := f.content(file, sum)
	if err == nil {
		_, _, err = f.put(ctx, content, 1<<62, sum)
	}
	if err != nil {
		return false, fmt.Errorf("attachment %s: %w", sum, err)
	}
	return true, nil
}

// Check tells what is wrong with the file of a content: it is not there, it was
// changed. Of a sealed file whose key is not at hand it knows nothing, and
// reports none.
func (f *Folder) Check(ctx context.Context, sum string) error {
	file, err := f.root.Open(Path(sum))
	if err != nil {
		return err
	}
	defer file.Close()
	if sealed, err := isSealed(file); err != nil || sealed && !f.vault.On() {
		return err
	}
	content, err := f.content(file, sum)
	if err != nil {
		return err
	}
	return examine(ctx, content, sum)
}

// Import stores a file of another folder as it is, sealed or not. A file that
// is not sealed must have the hash sum.
func (f *Folder) Import(ctx context.Context, sum string, r io.Reader) error {
	return f.write(func(file *os.File) (string, error) {
		hash, begin := sha256.New(), &beginning{}
		if _, err := io.Copy(io.MultiWriter(file, hash, begin), Reader(ctx, r)); err != nil {
			return "", err
		}
		if !vault.IsSealedFile(begin.bytes) && !bytes.Equal(hash.Sum(nil), decoded(sum)) {
			return "", fmt.Errorf("the archive is damaged: attachment %s has another content", sum)
		}
		return sum, nil
	})
}

func decoded(sum string) []byte {
	b, _ := hex.DecodeString(sum) // what is no hash equals none
	return b
}

// Remove implements chat.Blobs.
func (f *Folder) Remove(_ context.Context, sum string, before time.Time) error {
	info, err := f.root.Stat(Path(sum))
	if err == nil && info.ModTime().Before(before) {
		err = f.root.Remove(Path(sum))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove attachment: %w", err)
	}
	return nil
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
