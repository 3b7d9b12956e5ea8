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

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/vault"
)

// Folder is a directory of blobs: ab/cdef… for the content whose hash is abcdef….
type Folder struct {
	root    *os.Root
	vault   *vault.Vault
	damaged atomic.Uint64
}

// Open opens the folder at dir and makes it when it is not there. Files are
// encrypted with what v has.
func Open(dir string, v *vault.Vault) (*Folder, error) {
	for _, name := range []string{incoming, removed} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return nil, fmt.Errorf("attachments: %w", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("attachments: %w", err)
	}
	return &Folder{root: root, vault: v}, nil
}

// Folders beside those of the blobs: incoming holds what is being written, in
// which a crash may leave something; removed holds what nothing refers to any
// more (sweep.go).
const (
	incoming = "incoming"
	removed  = "removed"
)

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Receive implements chat.Blobs.
func (f *Folder) Receive(ctx context.Context, r io.Reader, most int64) (chat.Received, error) {
	return f.receive(ctx, r, most, "")
}

// receive is Receive of a content whose hash must be want, unless that is empty.
func (f *Folder) receive(ctx context.Context, r io.Reader, most int64, want string) (*received, error) {
	in, err := f.begin()
	if err != nil {
		return nil, err
	}
	if err = in.fill(ctx, r, most, want); err == nil {
		in.ReadSeeker, err = f.content(in.file, in.sum)
	}
	if err == nil {
		_, err = in.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, unwritable(errors.Join(err, in.Close()))
	}
	return in, nil
}

// received is a file of incoming.
type received struct {
	io.ReadSeeker // its content
	folder        *Folder
	file          *os.File
	name, sum     string
	size          int64
	kept          bool
}

func (f *Folder) begin() (*received, error) {
	name := filepath.Join(incoming, rand.Text())
	file, err := f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unwritable(err)
	}
	return &received{folder: f, file: file, name: name}, nil
}

func (in *received) fill(ctx context.Context, r io.Reader, most int64, want string) error {
	encrypted, err := in.folder.vault.NewFile(in.file)
	if err != nil {
		return err
	}
	var to io.Writer = in.file
	if encrypted != nil {
		to = encrypted
	}
	hash := sha256.New()
	begin := &beginning{}
	if in.size, err = io.Copy(io.MultiWriter(hash, begin, to), io.LimitReader(Reader(ctx, r), most+1)); err != nil {
		return err
	}
	in.sum = hex.EncodeToString(hash.Sum(nil))
	switch {
	case in.size > most:
		return rooms.TooLarge("file", "a file may have at most %d bytes", most)
	case vault.IsEncryptedFile(begin.bytes):
		return rooms.Invalid("file", "files of this type are not accepted")
	case want != "" && in.sum != want:
		return errDamaged
	case encrypted != nil:
		return encrypted.Close(in.sum)
	}
	return nil
}

// SHA256 implements chat.Received.
func (in *received) SHA256() string { return in.sum }

// Size implements chat.Received.
func (in *received) Size() int64 { return in.size }

// Keep implements chat.Received.
func (in *received) Keep() error { return unwritable(in.keep()) }

// keep gives the file its name. Both are on disk when it returns.
func (in *received) keep() error {
	f, dir := in.folder, in.sum[:2]
	err := in.file.Sync()
	if err == nil {
		if err = f.root.Mkdir(dir, 0o700); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err == nil {
		err = f.root.Rename(in.name, Path(in.sum))
	}
	if err == nil {
		in.kept = true
		err = errors.Join(f.sync(dir), f.sync("."))
	}
	return err
}

// Close implements chat.Received.
func (in *received) Close() error {
	err := in.file.Close()
	if !in.kept {
		err = errors.Join(err, in.folder.root.Remove(in.name))
	}
	return err
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

func (f *Folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Open implements chat.Blobs. The whole content is checked first: a reader
// gets what was uploaded, or an error and nothing of it. The error for a file
// that was changed or is missing is internal, and the file counts as damaged.
func (f *Folder) Open(ctx context.Context, sum string) (io.ReadSeekCloser, error) {
	if len(sum) != 2*sha256.Size {
		return nil, rooms.NotFound("file")
	}
	file, err := f.root.Open(Path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		file, err = f.root.Open(asidePath(sum))
	}
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

// damage counts a file that is not as it was uploaded, and returns the error
// that the operator finds in the log.
func (f *Folder) damage(sum string, err error) error {
	f.damaged.Add(1)
	return rooms.Broken(fmt.Errorf("attachment %s: %w; a backup may have it (docs/operations.md)", sum, err),
		"this file was damaged on the server's disk; it is not sent, and the operator is notified")
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
	encrypted, err := isEncrypted(file)
	if err != nil || !encrypted {
		return file, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	content, err := f.vault.OpenFile(file, info.Size(), sum)
	return opened{content, file}, err
}

// opened is the content of an encrypted file.
type opened struct {
	*vault.FileReader
	io.Closer
}

func isEncrypted(file *os.File) (bool, error) {
	begin := make([]byte, 16)
	n, err := file.ReadAt(begin, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return vault.IsEncryptedFile(begin[:n]), nil
}

// Encrypt encrypts the file of a content with the newest data key, unless it is.
// Those who read it meanwhile read on. It reports whether there was anything to do.
func (f *Folder) Encrypt(ctx context.Context, sum string) (bool, error) {
	if !f.vault.On() {
		return false, nil
	}
	file, err := f.root.Open(Path(sum))
	if err != nil {
		return false, fmt.Errorf("attachment %s: %w", sum, err)
	}
	defer file.Close()
	if encrypted, err := isEncrypted(file); err != nil {
		return false, fmt.Errorf("attachment %s: %w", sum, err)
	} else if encrypted {
		if id, err := vault.FileKey(file); err != nil || id == f.vault.Current() {
			return false, err
		}
	}
	content, err := f.content(file, sum)
	var anew *received
	if err == nil {
		anew, err = f.receive(ctx, content, 1<<62, sum)
	}
	if err == nil {
		err = errors.Join(anew.Keep(), anew.Close())
	}
	if err != nil {
		return false, fmt.Errorf("attachment %s: %w", sum, err)
	}
	return true, nil
}

// Check tells what is wrong with the file of a content: it is not there, it was
// changed. Of an encrypted file whose key is not at hand it knows nothing, and
// reports none.
func (f *Folder) Check(ctx context.Context, sum string) error {
	file, err := f.root.Open(Path(sum))
	if err != nil {
		return err
	}
	defer file.Close()
	if encrypted, err := isEncrypted(file); err != nil || encrypted && !f.vault.On() {
		return err
	}
	content, err := f.content(file, sum)
	if err != nil {
		return err
	}
	return examine(ctx, content, sum)
}

// Import stores a file of another folder as it is, encrypted or not. A file that
// is not encrypted must have the hash sum.
func (f *Folder) Import(ctx context.Context, sum string, r io.Reader) error {
	in, err := f.begin()
	if err != nil {
		return err
	}
	in.sum = sum
	hash, begin := sha256.New(), &beginning{}
	_, err = io.Copy(io.MultiWriter(in.file, hash, begin), Reader(ctx, r))
	if err == nil && !vault.IsEncryptedFile(begin.bytes) && !bytes.Equal(hash.Sum(nil), decoded(sum)) {
		err = fmt.Errorf("the archive is damaged: attachment %s has another content", sum)
	}
	if err == nil {
		err = in.keep()
	}
	return unwritable(errors.Join(err, in.Close()))
}

func decoded(sum string) []byte {
	b, _ := hex.DecodeString(sum) // what is no hash equals none
	return b
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
