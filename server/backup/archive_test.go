package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var photo = Attachment(strings.Repeat("0a", 32))

// archive is one with a database and a photo.
func archive(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b)
	for name, content := range map[string]string{Database: "rows", photo: "pixels"} {
		if err := w.Add(name, int64(len(content)), strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(Manifest{Version: "1", At: time.Unix(0, 0).UTC()}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(r io.Reader) (map[string]string, error) {
	files := map[string]string{}
	_, err := Read(r, func(name string, content io.Reader) error {
		all, err := io.ReadAll(content)
		files[name] = string(all)
		return err
	})
	return files, err
}

func TestArchiveComesBackAsItWas(t *testing.T) {
	t.Parallel()
	files, err := read(bytes.NewReader(archive(t)))
	if diff := cmp.Diff(map[string]string{Database: "rows", photo: "pixels"}, files); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestWriterKeepsToItsNamesAndSizes(t *testing.T) {
	t.Parallel()
	w := NewWriter(io.Discard)
	for _, name := range []string{"", "../token.key", "/etc/passwd", "attachments/../x", "attachments/" + strings.Repeat("A", 64), "manifest.json", "wenzhen.db-wal"} {
		if err := w.Add(name, 0, strings.NewReader("")); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	if err := w.Add(Database, 5, strings.NewReader("four")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that shrank: %v", err)
	}
}

// Whatever happened to an archive is noticed.
func TestDamagedArchives(t *testing.T) {
	t.Parallel()
	whole := archive(t)
	for n := range whole {
		if _, err := read(bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("cut after %d of %d bytes, it was taken", n, len(whole))
		}
		if n == 9 {
			continue // which system wrote it (RFC 1952, OS)
		}
		changed := bytes.Clone(whole)
		changed[n] ^= 0x55
		if got, err := read(bytes.NewReader(changed)); err == nil && cmp.Diff(map[string]string{Database: "rows", photo: "pixels"}, got) != "" {
			t.Errorf("with byte %d changed, it was taken as %v", n, got)
		}
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	file := func(name string) string { return `{"name":"` + name + `","size":0,"sha256":"` + empty + `"}` }
	for _, c := range []struct {
		name     string
		files    []tar.Header
		manifest string
		says     string
	}{
		{"a good one", []tar.Header{{Name: Database}}, `{"format":1,"files":[` + file(Database) + `]}`, ""},
		{"another format", nil, `{"format":2}`, "format 2"},
		{"no manifest", []tar.Header{{Name: Database}}, "", "cut short"},
		{"a file too few", nil, `{"format":1,"files":[` + file(Database) + `]}`, "missing"},
		{"a file too many", []tar.Header{{Name: Database}, {Name: "token.key"}}, `{"format":1,"files":[` + file(Database) + `]}`, "not in its manifest"},
		{"another content", []tar.Header{{Name: Database}}, `{"format":1,"files":[{"name":"wenzhen.db","size":1,"sha256":"` + empty + `"}]}`, "changed"},
		{"a file twice", []tar.Header{{Name: Database}, {Name: Database}}, `{"format":1,"files":[` + file(Database) + `]}`, "does not belong"},
		{"a way out", []tar.Header{{Name: "../../root/.ssh/authorized_keys"}}, `{"format":1}`, "does not belong"},
		{"an absolute path", []tar.Header{{Name: "/etc/passwd"}}, `{"format":1}`, "does not belong"},
		{"a link", []tar.Header{{Name: Database, Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}}, `{"format":1}`, "does not belong"},
		{"a folder", []tar.Header{{Name: "attachments/", Typeflag: tar.TypeDir}}, `{"format":1}`, "does not belong"},
	} {
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		w := tar.NewWriter(zip)
		for _, h := range c.files {
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
		}
		if c.manifest != "" {
			if err := w.WriteHeader(&tar.Header{Name: manifest, Size: int64(len(c.manifest))}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, c.manifest); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Close(), zip.Close()); err != nil {
			t.Fatal(err)
		}
		_, err := read(&b)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.says)
		}
	}
}

// entry is a file in a tar archive, written by hand: the writer of the library
// writes no sparse ones.
func entry(kind byte, name, content string) string {
	h := make([]byte, 512)
	for at, field := range map[int]string{0: name, 100: "0000600\x00", 124: fmt.Sprintf("%011o ", len(content)), 136: "00000000000 ", 148: "        ", 257: "ustar\x0000"} {
		copy(h[at:], field)
	}
	h[156] = kind
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return string(h) + content + strings.Repeat("\x00", (512-len(content)%512)%512)
}

// A small archive does not take the memory, or the disk, of a large one.
func TestArchivesDoNotSwell(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	zeros := sha256.Sum256(make([]byte, size))
	long := fmt.Sprintf(`{"format":1,"files":[{"name":"wenzhen.db","size":%d,"sha256":"%x"}]}`, size, zeros)
	records := ""
	for _, r := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=wenzhen.db", fmt.Sprintf("GNU.sparse.realsize=%d", size)} {
		records += fmt.Sprintf("%d %s\n", len(r)+4, r)
	}
	holes := "1\n0\n0\n" + strings.Repeat("\x00", 506)
	none, end := `{"format":1}`, strings.Repeat("\x00", 1024)
	for _, c := range []struct{ name, tar, says string }{
		{"written out", entry('0', Database, string(make([]byte, size))) + entry('0', manifest, long) + end, ""},
		{"a sparse file", entry('x', "x", records) + entry('0', Database, holes) + entry('0', manifest, long) + end, "does not belong"},
		{"a long manifest", entry('0', manifest, none+strings.Repeat(" ", manifestBytes)) + end, "manifest"},
		{"a long end", entry('0', manifest, none) + end + strings.Repeat("\x00", endBytes), "goes on"},
	} {
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		_, err := io.WriteString(zip, c.tar)
		if err := errors.Join(err, zip.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = read(&b)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.says)
		}
	}
}

// A file that could not be written whole is not there.
func TestWriteFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.tar.gz")
	full := errors.New("disk full")
	write := func(fails error) error {
		return WriteFile(path, func(w io.Writer) error {
			_, err := io.WriteString(w, "whole")
			return errors.Join(err, fails)
		})
	}
	if err := write(full); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if list, err := os.ReadDir(filepath.Dir(path)); err != nil || len(list) != 0 {
		t.Errorf("it left %v, %v", list, err)
	}
	if err := write(nil); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 5 {
		t.Errorf("made %v, %v", info, err)
	}
	if err := write(nil); err == nil {
		t.Error("it was overwritten")
	}
}
