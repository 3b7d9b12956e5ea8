package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"time"
)

// A file that nothing refers to cannot just be removed: somebody, perhaps on
// another node, may at this moment upload the same content, which puts a file of
// the same name in its place and then writes a row that refers to it. So files
// are moved to the folder `removed` first, and looked at there. One that turns
// out to be new is put back, and so is one that rows refer to later: until then
// Open finds it there.

// Rest is how long a file must have lain untouched before it counts as one that
// nothing refers to, or that is not being written any more. It is far longer
// than an upload may take.
const Rest = time.Hour

// Recover is how long a file that nothing refers to is still kept aside: time
// enough for an operator to notice that a database was restored from a backup
// that is too old, or that it is the wrong one.
const Recover = 7 * 24 * time.Hour

// Named returns which contents, of those whose hash begins with a prefix, rows
// refer to.
type Named func(ctx context.Context, prefix string) ([]string, error)

// Remove implements chat.Blobs.
func (f *Folder) Remove(_ context.Context, sum string, before time.Time) error {
	aside, err := f.setAside(sum, before)
	if aside {
		err = f.root.Remove(asidePath(sum))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove attachment: %w", err)
	}
	return nil
}

// asidePath is where a blob is that was set aside.
func asidePath(sum string) string { return filepath.Join(removed, sum) }

// setAside moves the file of a content to the folder removed, unless it was
// written after a time. It reports whether it did.
func (f *Folder) setAside(sum string, before time.Time) (bool, error) {
	info, err := f.root.Stat(Path(sum))
	if err != nil || !info.ModTime().Before(before) {
		return false, err
	}
	if err := f.root.Rename(Path(sum), asidePath(sum)); err != nil {
		return false, err
	}
	if info, err = f.root.Stat(asidePath(sum)); err == nil && !info.ModTime().Before(before) {
		return false, f.putBack(sum) // it came after the first look
	}
	return err == nil, err
}

// putBack takes back that a file was set aside, unless the same content has
// come again meanwhile.
func (f *Folder) putBack(sum string) error {
	if _, err := f.root.Stat(Path(sum)); err == nil {
		return f.root.Remove(asidePath(sum))
	}
	return f.root.Rename(asidePath(sum), Path(sum))
}

// Sweep sets aside the files that no row refers to, and removes those that were
// set aside long ago and what was left in the middle of being written. It
// returns how many files it set aside. What it does is harmless beside uploads,
// and beside another Sweep.
func (f *Folder) Sweep(ctx context.Context, now time.Time, named Named) (int, error) {
	if err := f.sweepIncoming(ctx, now); err != nil {
		return 0, fmt.Errorf("sweep attachments: %w", err)
	}
	if err := f.sweepRemoved(ctx, now, named); err != nil {
		return 0, fmt.Errorf("sweep attachments: %w", err)
	}
	total := 0
	for i := range 256 {
		n, err := f.sweepPrefix(ctx, now, fmt.Sprintf("%02x", i), named)
		if total += n; err != nil {
			return total, fmt.Errorf("sweep attachments: %w", err)
		}
	}
	return total, nil
}

func (f *Folder) sweepIncoming(ctx context.Context, now time.Time) error {
	return f.each(ctx, incoming, func(info fs.FileInfo) error {
		if !info.ModTime().Before(now.Add(-Rest)) {
			return nil
		}
		return gone(f.root.Remove(filepath.Join(incoming, info.Name())))
	})
}

// sweepRemoved puts back what rows refer to after all.
func (f *Folder) sweepRemoved(ctx context.Context, now time.Time, named Named) error {
	return f.each(ctx, removed, func(info fs.FileInfo) error {
		sum := info.Name()
		list, err := named(ctx, sum)
		switch {
		case err != nil:
			return err
		case len(list) > 0:
			return gone(f.putBack(sum))
		case info.ModTime().Before(now.Add(-Recover)):
			return gone(f.root.Remove(asidePath(sum)))
		}
		return nil
	})
}

// sweepPrefix sets aside what no row refers to of the contents whose hash begins
// with prefix. What is referred to is asked after the files were looked at: a
// row that comes later refers to a file that comes later.
func (f *Folder) sweepPrefix(ctx context.Context, now time.Time, prefix string, named Named) (int, error) {
	rested := map[string]bool{}
	err := f.each(ctx, prefix, func(info fs.FileInfo) error {
		if info.ModTime().Before(now.Add(-Rest)) {
			rested[prefix+info.Name()] = true
		}
		return nil
	})
	if err != nil || len(rested) == 0 {
		return 0, err
	}
	list, err := named(ctx, prefix)
	if err != nil {
		return 0, err
	}
	for _, sum := range list {
		delete(rested, sum)
	}
	n := 0
	for sum := range rested {
		aside, err := f.setAside(sum, now.Add(-Rest))
		if aside {
			n++
			err = f.root.Chtimes(asidePath(sum), now, now) // from now on it waits
		}
		if gone(err) != nil {
			return n, err
		}
	}
	return n, nil
}

// each goes over the files of a folder; over none if it is not there.
func (f *Folder) each(ctx context.Context, dir string, do func(fs.FileInfo) error) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return gone(err)
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := f.root.Lstat(path.Join(dir, e.Name()))
		if err != nil {
			if gone(err) != nil {
				return err
			}
			continue
		}
		if !info.Mode().IsRegular() {
			continue
		}
		if err := do(info); err != nil {
			return err
		}
	}
	return nil
}

// gone is err, but nil for a file that is not there: another node was first.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
