package export

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"
)

// archive is a ZIP archive in the making.
type archive struct {
	zip  *zip.Writer
	at   time.Time
	list []file
}

// file is an entry of the manifest.
type file struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// add writes one file with what fill writes. Files that are compressed already
// are stored as they are.
func (a *archive) add(name string, method uint16, fill func(io.Writer) error) error {
	to, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: a.at})
	if err != nil {
		return err
	}
	sum := &counted{to: to}
	hash := sha256.New()
	if err := fill(io.MultiWriter(sum, hash)); err != nil {
		return err
	}
	a.list = append(a.list, file{name, sum.n, hex.EncodeToString(hash.Sum(nil))})
	return nil
}

type counted struct {
	to io.Writer
	n  int64
}

// Write implements io.Writer.
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

// json writes one value.
func (a *archive) json(name string, v any) error {
	return a.add(name, zip.Deflate, func(w io.Writer) error {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(v)
	})
}

// close writes the manifest and ends the archive.
func (a *archive) close(of any) error {
	err := a.json("manifest.json", struct {
		Format int    `json:"format"`
		At     string `json:"at"`
		Of     any    `json:"of"`
		Files  []file `json:"files"`
	}{1, a.at.Format(time.RFC3339), of, a.list})
	if err != nil {
		return err
	}
	return a.zip.Close()
}

// array writes a JSON array, the items of which come page by page; next returns
// no items at the end.
func array[T any](w io.Writer, next func() ([]T, error)) error {
	glue := "["
	for {
		items, err := next()
		if err != nil {
			return err
		}
		if len(items) == 0 {
			if glue == "[" {
				glue = "[]\n"
			} else {
				glue = "\n]\n"
			}
			_, err := io.WriteString(w, glue)
			return err
		}
		for _, item := range items {
			raw, err := json.Marshal(item)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(w, glue+"\n"+string(raw)); err != nil {
				return err
			}
			glue = ","
		}
	}
}
