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
	if len(w.files) == filesMost {
		return fmt.Errorf("archive: it may have at most %d files", filesMost)
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
	if most := manifestMost(len(m.Files)); err == nil && int64(len(content)) > most {
		err = fmt.Errorf("archive: a manifest of %d bytes, with %d problems, could not be read again; it may have %d", len(content), len(m.Problems), most)
	}
	if err == nil {
		err = w.write(manifest, int64(len(content)), bytes.NewReader(content))
	}
	return m, errors.Join(err, w.tar.Close(), w.zip.Close())
}

// Read reads a whole archive and gives every file to take, which reads it to
// its end. Only after Read has returned without an error is what take got
// whole and what was saved. A forged archive ends with an error: what it may
// have and grow to is bounded (see bounds.go).
func Read(r io.Reader, take func(name string, size int64, content io.Reader) error) (Manifest, error) {
	return read(r, filesMost, take)
}

func read(r io.Reader, most int, take func(name string, size int64, content io.Reader) error) (Manifest, error) {
	packed := &counted{r: r}
	zip, err := gzip.NewReader(packed)
	if err != nil {
		return Manifest{}, damaged(err)
	}
	unpacked := &growing{zip: zip, packed: packed}
	found := map[string]File{}
	for archive := tar.NewReader(unpacked); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return Manifest{}, damaged(errors.New("it ends without a manifest: it was cut short"))
		} else if err != nil {
			return Manifest{}, damaged(err)
		}
		if h.Name == manifest {
			m, err := readManifest(archive, h.Size, found)
			if err != nil {
				return m, err
			}
			return m, end(unpacked)
		}
		if err := acceptable(h, found, most); err != nil {
			return Manifest{}, damaged(err)
		}
		hash := sha256.New()
		if err := take(h.Name, h.Size, io.TeeReader(archive, hash)); err != nil {
			return Manifest{}, err
		}
		found[h.Name] = File{Name: h.Name, Size: h.Size, SHA256: hex.EncodeToString(hash.Sum(nil))}
	}
}

// end reads what follows the manifest: the archive's checksum is at its end.
func end(archive io.Reader) error {
	rest, err := io.Copy(io.Discard, io.LimitReader(archive, endBytes+1))
	if err == nil && rest > endBytes {
		err = errors.New("it goes on after its manifest")
	}
	if err != nil {
		return damaged(err)
	}
	return nil
}

func damaged(err error) error { return fmt.Errorf("the archive is damaged: %w", err) }
