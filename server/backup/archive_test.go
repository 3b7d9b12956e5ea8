package backup

import (
	"archive/tar"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
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

func unpack(r io.Reader) (map[string]string, error) {
	files := map[string]string{}
	_, err := Read(r, func(name string, _ int64, content io.Reader) error {
		all, err := io.ReadAll(content)
		files[name] = string(all)
		return err
	})
	return files, err
}

func TestArchiveComesBackAsItWas(t *testing.T) {
	t.Parallel()
	files, err := unpack(bytes.NewReader(archive(t)))
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
		if _, err := unpack(bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("cut after %d of %d bytes, it was taken", n, len(whole))
		}
		if n == 9 {
			continue // which system wrote it (RFC 1952, OS)
		}
		changed := bytes.Clone(whole)
		changed[n] ^= 0x55
		if got, err := unpack(bytes.NewReader(changed)); err == nil && cmp.Diff(map[string]string{Database: "rows", photo: "pixels"}, got) != "" {
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
		_, err := unpack(&b)
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
func TestExpandedArchivesAreBounded(t *testing.T) {
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
		{"a list of a million files", entry('0', manifest, `{"format":1,"files":[`+strings.Repeat("{},", 1_000_000)+`{}]}`) + end, "missing"},
		{"a list of millions of problems", entry('0', manifest, `{"format":1,"problems":[`+strings.Repeat(`"x",`, filesMost)+`"x"]}`) + end, "problems"},
		{"a long key", entry('0', "token.key", strings.Repeat("k", keyBytes+1)) + entry('0', manifest, none) + end, "too many for a key"},
		{"many keys", many(keysMost+1, func(n int) string { return entry('0', fmt.Sprintf("key-%d.key", n), "k") }) + entry('0', manifest, none) + end, "more than 32 keys"},
		{"a long name", entry('L', "x", strings.Repeat("a/", 1<<20)) + entry('0', Database, "") + end, "damaged"},
		{"a long end", entry('0', manifest, none) + end + strings.Repeat("\x00", endBytes), "goes on"},
	} {
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		_, err := io.WriteString(zip, c.tar)
		if err := errors.Join(err, zip.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = unpack(&b)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.says)
		}
	}
}

func many(n int, f func(n int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

// zipped compresses begin, and what repeat gives n times. Each is compressed once:
// a block of DEFLATE may be written again.
func zipped(t *testing.T, n int, begin, repeat string) *bytes.Buffer {
	t.Helper()
	block := func(content string) []byte {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, flate.DefaultCompression)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err := errors.Join(err, w.Flush()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	var b bytes.Buffer
	b.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}) // the header of gzip, without a name
	b.Write(block(begin))
	b.Write(bytes.Repeat(block(repeat), n))
	b.Write([]byte{1, 0, 0, 0xff, 0xff}) // an empty block is the last
	sum := crc32.ChecksumIEEE([]byte(begin))
	for range n {
		sum = crc32.Update(sum, crc32.IEEETable, []byte(repeat))
	}
	trailer := binary.LittleEndian.AppendUint32(nil, sum)
	b.Write(binary.LittleEndian.AppendUint32(trailer, uint32(len(begin)+n*len(repeat))))
	return &b
}

// What grows too far is given up when it has, wherever in the archive it is:
// little more than the bound is read of it.
func TestArchivesThatGrowAreGivenUp(t *testing.T) {
	t.Parallel()
	const piece = 1 << 20
	// A file of 8 GB by its header, of which the archive has 256 MB.
	header := []byte(entry('0', Database, ""))
	copy(header[124:], "100000000000")
	copy(header[148:], "        ")
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
	record := fmt.Sprintf("%d comment=%s\n", 1000, strings.Repeat("c", 1000-len("1000 comment=\n")))
	for name, packed := range map[string]*bytes.Buffer{
		"a file":                zipped(t, 256, string(header), strings.Repeat("\x00", piece)),
		"headers before a file": zipped(t, 256, "", strings.Repeat(entry('x', "x", strings.Repeat(record, 500)), 2)),
	} {
		got, most := int64(0), growthBytes+growthFactor*int64(packed.Len())
		if whole := int64(256 * piece); most >= whole {
			t.Fatalf("%s: %d bytes packed are no test", name, packed.Len())
		}
		_, err := Read(packed, func(_ string, _ int64, content io.Reader) error {
			n, err := io.Copy(io.Discard, content)
			got += n
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "grow") {
			t.Errorf("%s: %v", name, err)
		}
		if got > most {
			t.Errorf("%s: %d bytes were unpacked, more than %d", name, got, most)
		}
	}
}

// There is an end to files that are there, and what cannot be read is not written.
func TestArchivesHaveSoManyFiles(t *testing.T) {
	t.Parallel()
	if _, err := read(bytes.NewReader(archive(t)), 2, discard); err != nil {
		t.Error(err)
	}
	if _, err := read(bytes.NewReader(archive(t)), 1, discard); err == nil || !strings.Contains(err.Error(), "more than 1 files") {
		t.Errorf("one file more than there may be: %v", err)
	}
	w := NewWriter(io.Discard)
	w.files = make([]File, filesMost)
	if err := w.Add(Database, 0, strings.NewReader("")); err == nil {
		t.Error("one file more than there may be was written")
	}
	if _, err := NewWriter(io.Discard).Close(Manifest{Problems: []string{strings.Repeat("p", manifestBytes)}}); err == nil {
		t.Error("a manifest that is too long was written")
	}
}

func discard(_ string, _ int64, content io.Reader) error {
	_, err := io.Copy(io.Discard, content)
	return err
}

// Problems are sentences in a terminal, whatever an archive has as such.
func TestProblemsDoNotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if _, err := NewWriter(&b).Close(Manifest{Problems: []string{"gone\x1b[2J\nrestored"}}); err != nil {
		t.Fatal(err)
	}
	m, err := Read(&b, discard)
	if diff := cmp.Diff([]string{"gone [2J restored"}, m.Problems); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
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
