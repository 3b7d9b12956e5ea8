package consultations_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"io"
	"net/http"
	"strings"
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// A picture goes up, gets a thumbnail, comes down whole and in parts, and is
// gone once its message was taken back.
func TestPicture(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id := bo.Consults(wang, "a rash")
	content := e2e.SomePNG(t, 960, 480)
	a := bo.Uploads(id, `C:\photos\..\rash.png`, content)
	sum := sha256.Sum256(content)
	if a.Kind != chat.Image || a.ContentType != "image/png" || a.Name != "rash.png" || a.Size != int64(len(content)) ||
		a.SHA256 != hex.EncodeToString(sum[:]) || a.Width != 960 || a.Height != 480 || !a.HasThumbnail {
		t.Errorf("uploaded %+v", a)
	}
	m := e2e.Call(bo, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "p", Kind: chat.Image, AttachmentID: a.ID, Text: "here"})
	if m.Attachment == nil || m.Attachment.ID != a.ID {
		t.Errorf("the message is %+v", m)
	}

	fetch := func(f client.File, err error) []byte {
		t.Helper()
		e2e.Must(t, err)
		defer f.Close()
		got, err := io.ReadAll(f)
		e2e.Must(t, err)
		return got
	}
	if got := fetch(wang.Download(t.Context(), a.ID)); !bytes.Equal(got, content) {
		t.Errorf("%d bytes came down", len(got))
	}
	thumbnail, kind, err := image.DecodeConfig(bytes.NewReader(fetch(wang.Thumbnail(t.Context(), a.ID))))
	if err != nil || kind != "jpeg" || thumbnail.Width != 480 || thumbnail.Height != 240 {
		t.Errorf("the thumbnail is %+v, %s, %v", thumbnail, kind, err)
	}

	token, path := wang.Tokens().AccessToken, "/api/v1/attachments/"+string(a.ID)
	part := w.Ask(t, "GET", path, token, "", "Range", "bytes=10-29")
	if part.Status != http.StatusPartialContent || !bytes.Equal(part.Body, content[10:30]) {
		t.Errorf("a range: %d, %d bytes", part.Status, len(part.Body))
	}
	parts := w.Ask(t, "GET", path, token, "", "Range", "bytes="+strings.Repeat("1-1,", 7)+"2-2")
	if got := parts.Header.Get("Content-Type"); parts.Status != http.StatusPartialContent || !strings.HasPrefix(got, "multipart/byteranges") {
		t.Errorf("eight ranges: %d, %s", parts.Status, got)
	}
	if got := w.Ask(t, "GET", path, token, "", "Range", "bytes="+strings.Repeat("1-1,", 8)+"2-2"); got.Status != http.StatusOK || !bytes.Equal(got.Body, content) {
		t.Errorf("nine ranges: %d, %d bytes", got.Status, len(got.Body))
	}
	if got := w.Ask(t, "GET", path, token, "", "Range", "bytes=99999999-"); got.Status != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a range past the end: %d", got.Status)
	}
	if got := w.Ask(t, "GET", path, token, "", "If-None-Match", part.Header.Get("ETag")); got.Status != http.StatusNotModified {
		t.Errorf("with its ETag: %d", got.Status)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment", "Content-Security-Policy": "sandbox", "Cache-Control": "private"} {
		if got := part.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q in it", name, got, want)
		}
	}

	e2e.Call(bo, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: m.ID})
	for _, p := range []*e2e.Person{bo, wang} {
		_, err := p.Download(t.Context(), a.ID)
		e2e.Code(t, err, rooms.CodeNotFound)
		_, err = p.Thumbnail(t.Context(), a.ID)
		e2e.Code(t, err, rooms.CodeNotFound)
	}
}

// A form may have other fields before its file, but not so many, or so long,
// that passing over them is work.
func TestWhatIsBeforeAFileIsBounded(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	path := "/api/v1/consultations/" + string(bo.Consults(wang, "a rash")) + "/attachments"
	const (
		file  = "--b\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\nhello\r\n--b--\r\n"
		field = "--b\r\nContent-Disposition: form-data; name=other\r\n\r\n"
	)
	for _, c := range []struct {
		name, before string
		status       int
	}{
		{"nothing", "", http.StatusCreated},
		{"20 fields", strings.Repeat(field+"\r\n", 20), http.StatusCreated},
		{"21 fields", strings.Repeat(field+"\r\n", 21), http.StatusRequestEntityTooLarge},
		{"100,000 parts", strings.Repeat("--b\r\n\r\n\r\n", 100_000), http.StatusRequestEntityTooLarge},
		{"a long field", field + strings.Repeat("x", 1<<20) + "\r\n", http.StatusRequestEntityTooLarge},
		{"a long header", "--b\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n\r\n", http.StatusRequestEntityTooLarge},
		{"a long preamble", strings.Repeat("x\r\n", 1<<18), http.StatusRequestEntityTooLarge},
	} {
		got := w.Ask(t, "POST", path, bo.Tokens().AccessToken, c.before+file, "Content-Type", "multipart/form-data; boundary=b")
		if got.Status != c.status {
			t.Errorf("%s before the file: answered %d %s, want %d", c.name, got.Status, got.Body, c.status)
		}
	}
}

// What a file is, is decided by its content.
func TestUploadsAreJudgedByContent(t *testing.T) {
	t.Parallel()
	const most = 100_000
	w := e2e.Start(t, func(c *app.Config) { c.AttachmentBytes = most })
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a rash")
	for _, c := range []struct {
		name    string
		content string
		code    rooms.Code
		kind    chat.Kind
	}{
		{"report.txt", "blood pressure 120/80", "", chat.File},
		{"report.pdf", "%PDF-1.7\n1 0 obj\nendobj\n", "", chat.File},
		{"a picture by its name.png", "just words", "", chat.File},
		{"page.png", "<!DOCTYPE html><html><script>alert(1)</script></html>", rooms.CodeInvalid, ""},
		{"drawing.svg", `<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`, rooms.CodeInvalid, ""},
		{"program.txt", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00", rooms.CodeInvalid, ""},
		{"program.jpg", "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00", rooms.CodeInvalid, ""},
		{"empty.txt", "", rooms.CodeInvalid, ""},
		{"exactly.txt", strings.Repeat("x", most), "", chat.File},
		{"one more.txt", strings.Repeat("x", most+1), rooms.CodeTooLarge, ""},
		{"far too much.txt", strings.Repeat("x", most+4<<20), rooms.CodeTooLarge, ""},
	} {
		a, err := bo.Upload(t.Context(), id, c.name, strings.NewReader(c.content))
		e2e.Code(t, err, c.code)
		if err != nil {
			if e, is := err.(*rooms.Error); !is || e.Field != "file" {
				t.Errorf("%s: %+v", c.name, err)
			}
			continue
		}
		if a.Kind != c.kind || a.Name != c.name {
			t.Errorf("%s: %+v", c.name, a)
		}
		if _, err := bo.Thumbnail(t.Context(), a.ID); rooms.CodeOf(err) != rooms.CodeNotFound {
			t.Errorf("%s has a thumbnail: %v", c.name, err)
		}
		_, err = client.Do(t.Context(), bo.Client, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "as-image", Kind: chat.Image, AttachmentID: a.ID})
		e2e.Code(t, err, rooms.CodeInvalid)
		// Another participant cannot say it is theirs.
		_, err = client.Do(t.Context(), wang.Client, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "w", Kind: chat.File, AttachmentID: a.ID})
		e2e.Code(t, err, rooms.CodeInvalid)
	}
}

// All files of one user together have a bound, and it is theirs alone.
func TestAttachmentQuota(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) { c.AttachmentQuota = 250_000 })
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a rash")
	wang.Accepts(id)
	content := func(n int, of string) []byte { return []byte(strings.Repeat(of, n)) }
	bo.Uploads(id, "a.txt", content(100_000, "a"))
	bo.Uploads(id, "b.txt", content(100_000, "b"))
	for _, n := range []int{50_001, 99_999} {
		_, err := bo.Upload(t.Context(), id, "c.txt", bytes.NewReader(content(n, "c")))
		e2e.Code(t, err, rooms.CodeTooLarge)
	}
	bo.Uploads(id, "d.txt", content(50_000, "d"))
	_, err := bo.Upload(t.Context(), id, "e.txt", strings.NewReader("e"))
	e2e.Code(t, err, rooms.CodeTooLarge)
	wang.Uploads(id, "f.txt", content(100_000, "f"))
}
