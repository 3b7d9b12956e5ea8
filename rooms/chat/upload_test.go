package chat_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/server/blob"
)

// What is refused, or broken off, leaves nothing on disk.
func TestRefusedFilesLeaveNothing(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t, func(w *roomstest.World) { w.Quota = 600_000 })
	bo, _, id := w.Talk()
	film := "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x2a\x80theora"
	for name, c := range map[string]struct {
		content []byte
		code    rooms.Code
	}{
		"page.html": {[]byte("<!DOCTYPE html><script>alert(1)</script>" + strings.Repeat("x", 500_000)), rooms.CodeInvalid},
		"film.ogv":  {append([]byte(film), make([]byte, 5000)...), rooms.CodeInvalid},
		"empty.txt": {nil, rooms.CodeInvalid},
		"large.txt": {bytes.Repeat([]byte("a"), 1<<20+1), rooms.CodeTooLarge},
		"quota.txt": {bytes.Repeat([]byte("a"), 700_000), rooms.CodeTooLarge},
	} {
		if _, err := uploads(bo, id, name, c.content); rooms.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
		if left := w.Files(); len(left) > 0 {
			t.Errorf("%s leaves %v", name, left)
		}
	}
	ctx, leave := context.WithCancel(context.Background())
	for name, rest := range map[string]io.Reader{
		"a client that leaves": readerFunc(func(p []byte) (int, error) { leave(); return copy(p, "and so on"), nil }),
		"a broken connection":  readerFunc(func([]byte) (int, error) { return 0, rooms.Invalid("file", "the body ended early") }),
	} {
		body := io.MultiReader(strings.NewReader(strings.Repeat("words ", 10_000)), rest)
		sent := rooms.WithUpload(ctx, &rooms.Upload{Name: "x.txt", Body: body})
		if _, err := roomstest.AskWith(sent, w, bo.As, Upload, UploadInput{ConsultationID: id}); err == nil {
			t.Errorf("%s uploads", name)
		}
		if left := w.Files(); len(left) > 0 {
			t.Errorf("%s leaves %v", name, left)
		}
	}
	if _, err := uploads(bo, id, "letter.txt", []byte("words")); err != nil {
		t.Error(err)
	}
	if left := w.Files(); len(left) != 1 {
		t.Errorf("one file is kept as %v", left)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Files that are refused count: who sends too many of them has to wait, and
// nobody else.
func TestRefusedBytesCount(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	page := []byte("<!DOCTYPE html><script>alert(1)</script>" + strings.Repeat("x", 900_000))
	refused := 0
	var err error
	for ; refused < 100; refused++ {
		if _, err = uploads(bo, id, "page.html", page); rooms.CodeOf(err) != rooms.CodeInvalid {
			break
		}
	}
	var e *rooms.Error
	if !errors.As(err, &e) || e.Code != rooms.CodeRateLimited || e.RetryAfterMs <= 0 || refused < 5 || refused > 20 {
		t.Fatalf("after %d refused files: %v", refused, err)
	}
	if _, err := uploads(wang, id, "letter.txt", []byte("words")); err != nil {
		t.Errorf("another uploads: %v", err)
	}
	w.Turns(time.Duration(e.RetryAfterMs) * time.Millisecond)
	if _, err := uploads(bo, id, "letter.txt", []byte("words")); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// What a crash left between file and row goes, and nothing else does.
func TestFilesThatNothingRefersTo(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, _, id := w.Talk()
	a, err := uploads(bo, id, "scan.png", picture(600, 400))
	if err != nil || !a.HasThumbnail {
		t.Fatal(a, err)
	}
	kept := w.Files()
	lost, again := w.Stores("of an upload that never ended"), w.Stores("of one that was tried again")
	w.Sweeps(blob.Rest - time.Minute)
	if !w.HasFile(lost) || !w.HasFile(again) {
		t.Error("a file is gone whose row may still come")
	}
	w.Sweeps(blob.Rest + time.Minute)
	if w.HasFile(lost) || w.HasFile(again) {
		t.Error("a file that nothing refers to is still there")
	}
	second, err := uploads(bo, id, "again.txt", []byte("of one that was tried again"))
	if err != nil || second.SHA256 != again || !w.HasFile(again) {
		t.Errorf("tried again: %+v, %v", second, err)
	}
	w.Sweeps(blob.Recover + time.Minute)
	left := w.Files()
	slices.Sort(left)
	want := append(slices.Clone(kept), blob.Path(again))
	slices.Sort(want)
	if !slices.Equal(left, want) {
		t.Errorf("on disk are %v, want %v", left, want)
	}
	for _, id := range []AttachmentID{a.ID, second.ID} {
		for _, thumbnail := range []bool{false, id == a.ID} {
			_, content, err := w.Chats.Open(context.Background(), bo.As, id, thumbnail)
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			_ = content.Close()
		}
	}
}

// Large pictures of phones, and those that no thumbnail can be made of, are
// kept as they are.
func TestPicturesWithoutThumbnail(t *testing.T) {
	t.Parallel()
	_, bo, _, id := pair(t)
	var small bytes.Buffer
	if err := jpeg.Encode(&small, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	large := small.Bytes()
	frame := bytes.Index(large, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(large[frame+5:], 9000)
	binary.BigEndian.PutUint16(large[frame+7:], 12000)
	brand := func(b string) []byte {
		return append([]byte("\x00\x00\x00\x18ftyp"+b+"\x00\x00\x00\x00mif1"+b), make([]byte, 100)...)
	}
	for name, c := range map[string]struct {
		content       []byte
		contentType   string
		width, height int
	}{
		"IMG_0001.jpg":  {large, "image/jpeg", 12000, 9000},
		"IMG_0001.HEIC": {brand("heic"), "image/heic", 0, 0},
		"rash.avif":     {brand("avif"), "image/avif", 0, 0},
		"scan.tiff":     {append([]byte("II*\x00\x08\x00\x00\x00\x00\x00"), make([]byte, 20)...), "image/tiff", 0, 0},
	} {
		a, err := uploads(bo, id, name, c.content)
		if err != nil || a.Kind != Image || a.ContentType != c.contentType || a.HasThumbnail || a.Width != c.width || a.Height != c.height {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// A name that is too long keeps its extension.
func TestLongNames(t *testing.T) {
	t.Parallel()
	_, bo, _, id := pair(t)
	for name, want := range map[string]string{
		strings.Repeat("a", 300) + ".txt":                                 strings.Repeat("a", 196) + ".txt",
		strings.Repeat("检", 300) + ".txt":                                 strings.Repeat("检", 196) + ".txt",
		strings.Repeat("a", 196) + ".txt":                                 strings.Repeat("a", 196) + ".txt",
		strings.Repeat("a", 300):                                          strings.Repeat("a", 200),
		"a." + strings.Repeat("b", 300):                                   "a." + strings.Repeat("b", 198),
		strings.Repeat("a", 150) + "." + strings.Repeat("b", 60) + ".txt": strings.Repeat("a", 150) + "." + strings.Repeat("b", 45) + ".txt",
	} {
		a, err := uploads(bo, id, name, []byte("words"))
		if err != nil || a.Name != want {
			t.Errorf("%d characters: %q, %v", utf8.RuneCountInString(name), a.Name, err)
		}
	}
}

// The files of one user do not pass the quota together, however many come at
// once, and what was too much leaves nothing.
func TestQuotaAtOnce(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t, func(w *roomstest.World) { w.Quota = 250_000 })
	bo, _, id := w.Talk()
	results := make(chan error)
	for i := range 8 {
		go func() {
			_, err := uploads(bo, id, "x.txt", []byte(fmt.Sprint(i)+strings.Repeat(" words", 100_000/6)))
			results <- err
		}()
	}
	kept := 0
	for range 8 {
		switch err := <-results; rooms.CodeOf(err) {
		case "":
			kept++
		case rooms.CodeTooLarge:
		default:
			t.Error(err)
		}
	}
	if files := w.Files(); kept != 2 || len(files) != 2 {
		t.Errorf("%d files are kept, on disk are %v", kept, files)
	}
}
