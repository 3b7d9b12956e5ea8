package backup

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode"
)

// Bounds of what is read, whatever an archive says of itself.
const (
	// filesMost bounds the names that are held in memory.
	filesMost = 2_000_000
	// A key has a few hundred bytes, and there are fewer than ten.
	keysMost, keyBytes = 32, 64 << 10
	// An archive grows to growthBytes and a hundred times its own size at most.
	// Databases and attachments compress ten times at best; gzip reaches a
	// thousand with what was made for it.
	growthBytes, growthFactor = 64 << 20, 100
	// How long the manifest may be without its files and for each of them, and
	// what follows it: two blocks, and what others pad with.
	manifestBytes, entryBytes, endBytes = 64 << 20, 1 << 10, 1 << 20
)

// manifestMost is how long the manifest of so many files may be.
func manifestMost(files int) int64 { return manifestBytes + int64(files)*entryBytes }

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// growing reads an archive until it has become too large for what was packed.
type growing struct {
	zip    io.Reader
	packed *counted
	n      int64
}

// Read implements io.Reader.
func (g *growing) Read(p []byte) (int, error) {
	n, err := g.zip.Read(p)
	g.n += int64(n)
	if most := growthBytes + growthFactor*g.packed.n; g.n > most {
		return 0, fmt.Errorf("its first %d bytes grow to more than %d; archives made here do not", g.packed.n, most)
	}
	return n, err
}

// acceptable returns an error if an archive that has found so far does not have
// this file: nothing but files with known names, once each.
func acceptable(h *tar.Header, found map[string]File, most int) error {
	if _, twice := found[h.Name]; twice || h.Typeflag != tar.TypeReg || sparse(h) || !names.MatchString(h.Name) {
		return fmt.Errorf("%.100q does not belong in it", h.Name)
	}
	if len(found) == most {
		return fmt.Errorf("it has more than %d files", most)
	}
	if filepath.Ext(h.Name) != ".key" {
		return nil
	}
	if h.Size > keyBytes {
		return fmt.Errorf("%s has %d bytes, too many for a key", h.Name, h.Size)
	}
	keys := 0
	for name := range found {
		if filepath.Ext(name) == ".key" {
			keys++
		}
	}
	if keys == keysMost {
		return fmt.Errorf("it has more than %d keys", keysMost)
	}
	return nil
}

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

// readManifest reads a manifest entry by entry and returns an error unless the
// files that were found are those that it has.
func readManifest(r io.Reader, size int64, found map[string]File) (Manifest, error) {
	var m Manifest
	if size > manifestMost(len(found)) {
		return m, damaged(fmt.Errorf("its manifest has %d bytes, too many for %d files", size, len(found)))
	}
	err := members(json.NewDecoder(r), func(d *json.Decoder, name string) error {
		switch name {
		case "format":
			return d.Decode(&m.Format)
		case "version":
			return d.Decode(&m.Version)
		case "at":
			return d.Decode(&m.At)
		case "files":
			if m.Format != Format { // they may mean something else
				return errFormat
			}
			return elements(d, func(f File) error { return m.match(f, found) })
		case "problems":
			return elements(d, m.note)
		}
		var unknown json.RawMessage
		return d.Decode(&unknown)
	})
	switch {
	case err == nil && m.Format != Format, errors.Is(err, errFormat):
		return m, fmt.Errorf("the archive has format %d, which version %.100q wrote; this program reads format %d", m.Format, m.Version, Format)
	case err != nil:
		return m, damaged(err)
	}
	for name := range found {
		return m, damaged(fmt.Errorf("%s is not in its manifest", name))
	}
	return m, nil
}

var errFormat = errors.New("another format")

// match compares a file of the manifest with the one that was found, and takes
// that off what was found.
func (m *Manifest) match(f File, found map[string]File) error {
	switch have, ok := found[f.Name]; {
	case !ok:
		return fmt.Errorf("%.100q is missing", f.Name)
	case have != f:
		return fmt.Errorf("%s has changed since it was saved", f.Name)
	}
	delete(found, f.Name)
	m.Files = append(m.Files, f)
	return nil
}

// note adds a problem, which is shown in a terminal.
func (m *Manifest) note(problem string) error {
	if problem == "" {
		return nil
	}
	if len(m.Problems) == filesMost {
		return fmt.Errorf("its manifest has more than %d problems", filesMost)
	}
	m.Problems = append(m.Problems, strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, problem))
	return nil
}

// members calls f with the name of each member of an object; f decodes its value.
func members(d *json.Decoder, f func(d *json.Decoder, name string) error) error {
	if at, err := d.Token(); err != nil {
		return err
	} else if at != json.Delim('{') {
		return errors.New("its manifest is no object")
	}
	for d.More() {
		name, err := d.Token()
		if err == nil {
			err = f(d, fmt.Sprint(name))
		}
		if err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// elements calls f with each element of an array, or of null, which is none.
func elements[T any](d *json.Decoder, f func(T) error) error {
	if at, err := d.Token(); err != nil || at == nil {
		return err
	} else if at != json.Delim('[') {
		return errors.New("its manifest has no list where one belongs")
	}
	for d.More() {
		var v T
		if err := d.Decode(&v); err != nil {
			return err
		}
		if err := f(v); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}
