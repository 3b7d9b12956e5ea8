package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// Format of the archives that are written here, and the only one that is read.
const Format = 1

// Names of what is in an archive besides keys.
const (
	Database    = "wenzhen.db"
	attachments = "attachments/"
	manifest    = "manifest.json"
)

// Attachment is the name of an attachment in an archive.
func Attachment(sum string) string { return attachments + sum }

// names are those that an archive may have: nothing leads out of the folder
// that it is unpacked in.
var names = regexp.MustCompile(`^(wenzhen\.db|[a-z0-9][a-z0-9-]{0,40}\.key|attachments/[0-9a-f]{64})$`)

// Manifest is what an archive holds.
type Manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // of the program that wrote it
	At      time.Time `json:"at"`      // when the snapshot was begun
	Files   []File    `json:"files"`
	// Problems are what could not be saved, because it was missing or damaged
	// already: one sentence each.
	Problems []string `json:"problems,omitempty"`
}

// File is one file in an archive.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// Writer writes an archive.
type Writer struct {
	zip   *gzip.Writer
	tar   *tar.Writer
	files []File
}

// NewWriter begins an archive; Close ends it.
func NewWriter(w io.Writer) *Writer {
	zip, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // a valid level
	return &Writer{zip: zip, tar: tar.NewWriter(zip)}
}

// Add writes one file of exactly size bytes.
func (w *Writer) Add(name string, size int64, content io.Reader) error {
	if !names.MatchString(name) {
		return fmt.Errorf("archive: %q is no name for a file in it", name)
	}
	hash := sha256.New()
	if err := w.write(name, size, io.TeeReader(content, hash)); err != nil {
		return err
	}
	w.files = append(w.files, File{Name: name, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))})
	return nil
}

func (w *Writer) write(name string, size int64, content io.Reader) error {
	if err := w.tar.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, Format: tar.FormatPAX}); err != nil {
		return fmt.Errorf("archive %s: %w", name, err)
	}
	n, err := io.Copy(w.tar, io.LimitReader(content, size))
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("archive %s: %w", name, err)
	}
	return nil
}

// Close writes the manifest, which it completes and returns, and ends the
// archive. The writer below stays open.
func (w *Writer) Close(m Manifest) (Manifest, error) {
	m.Format, m.Files = Format, w.files
	content, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		err = w.write(manifest, int64(len(content)), bytes.NewReader(content))
	}
	return m, errors.Join(err, w.tar.Close(), w.zip.Close())
}

// Read reads a whole archive and gives every file to take, which reads it to
// its end. Only after Read has returned without an error is what take got
// whole and what was saved.
func Read(r io.Reader, take func(name string, content io.Reader) error) (Manifest, error) {
	var m Manifest
	zip, err := gzip.NewReader(r)
	if err != nil {
		return m, damaged(err)
	}
	found := map[string]File{}
	for archive := tar.NewReader(zip); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return m, damaged(errors.New("it ends without a manifest: it was cut short"))
		} else if err != nil {
			return m, damaged(err)
		}
		if h.Name == manifest {
			if h.Size > manifestBytes+int64(len(found))*entryBytes {
				return m, damaged(fmt.Errorf("its manifest has %d bytes, too many for %d files", h.Size, len(found)))
			}
			if err := json.NewDecoder(archive).Decode(&m); err != nil {
				return m, damaged(err)
			}
			break
		}
		if _, twice := found[h.Name]; twice || h.Typeflag != tar.TypeReg || sparse(h) || !names.MatchString(h.Name) {
			return m, damaged(fmt.Errorf("%q does not belong in it", h.Name))
		}
		hash := sha256.New()
		if err := take(h.Name, io.TeeReader(archive, hash)); err != nil {
			return m, err
		}
		found[h.Name] = File{Name: h.Name, Size: h.Size, SHA256: hex.EncodeToString(hash.Sum(nil))}
	}
	// Its checksum is at the end.
	if rest, err := io.Copy(io.Discard, io.LimitReader(zip, endBytes+1)); err != nil {
		return m, damaged(err)
	} else if rest > endBytes {
		return m, damaged(errors.New("it goes on after its manifest"))
	}
	return m, m.compare(found)
}

// How long the manifest may be, which is held in memory, without its files and
// for each of them, and what follows it: two blocks, and what others pad with.
const (
	manifestBytes = 64 << 20
	entryBytes    = 1 << 10
	endBytes      = 1 << 20
)

// sparse reports whether a file is longer than what the archive has of it: the
// reader fills it up with zeros, of which a kilobyte can ask for exabytes.
func sparse(h *tar.Header) bool {
	for name := range h.PAXRecords {
		if strings.HasPrefix(name, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// compare returns an error unless the files that were found are those of the
// manifest.
func (m Manifest) compare(found map[string]File) error {
	if m.Format != Format {
		return fmt.Errorf("the archive has format %d, which version %s wrote; this program reads format %d", m.Format, m.Version, Format)
	}
	for _, f := range m.Files {
		switch have, ok := found[f.Name]; {
		case !ok:
			return damaged(fmt.Errorf("%s is missing", f.Name))
		case have != f:
			return damaged(fmt.Errorf("%s has changed since it was saved", f.Name))
		}
		delete(found, f.Name)
	}
	for name := range found {
		return damaged(fmt.Errorf("%s is not in its manifest", name))
	}
	return nil
}

func damaged(err error) error { return fmt.Errorf("the archive is damaged: %w", err) }
