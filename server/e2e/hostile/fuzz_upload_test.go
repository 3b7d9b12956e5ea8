package hostile_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/chat/sound/soundtest"
	"wenzhen.example/server/e2e"
)

// FuzzUpload: whatever is uploaded under whatever name, or in whatever body,
// it is refused with a reason, or kept byte by byte as what it is: nothing
// that a browser would run, under a name that is no path, and a voice message
// only if it is sound of a known length.
func FuzzUpload(f *testing.F) {
	w, rung := e2e.Fuzzed(f)
	wang := w.Doctor("wang")
	var at, token string
	arrives := func(w *e2e.World) { // who uploads no more than a user may in one go
		bo := w.Patient("bo")
		id := bo.Consults(wang.In(w), "a rash")
		wang.In(w).Accepts(id)
		at, token = "/api/v1/consultations/"+string(id), bo.Tokens().AccessToken
	}
	arrives(w)
	for name, content := range samples(f) {
		f.Add(name, content, false)
		body, _ := e2e.Form(f, name, content)
		boundary, _, _ := strings.Cut(body[2:], "\r\n")
		f.Add("", []byte(strings.ReplaceAll(body, boundary, "b")), true)
	}
	f.Fuzz(func(t *testing.T, name string, content []byte, whole bool) {
		here := w.In(t)
		body, contentType := string(content), "multipart/form-data; boundary=b"
		if !whole {
			body, contentType = e2e.Form(t, name, content)
		}
		defer rung.Silent(t)
		a := here.Ask(t, "POST", at+"/attachments", token, body, "Content-Type", contentType)
		if a.Problem.Code == rooms.CodeRateLimited {
			arrives(here)
			a = here.Ask(t, "POST", at+"/attachments", token, body, "Content-Type", contentType)
		}
		if a.Status != http.StatusCreated {
			if e2e.Refusals[a.Problem.Code] != a.Status || a.Problem.Detail == "" || a.Problem.TraceID == "" || a.Problem.Code == rooms.CodeRateLimited {
				t.Errorf("an upload is answered with %d %s", a.Status, a.Body)
			}
			return
		}
		var kept chat.Attachment
		e2e.Must(t, json.Unmarshal(a.Body, &kept))
		digest := sha256.Sum256(content)
		if !whole && (kept.SHA256 != hex.EncodeToString(digest[:]) || kept.Size != int64(len(content))) {
			t.Errorf("of %d bytes %d are kept", len(content), kept.Size)
		}
		isName(t, kept.Name)
		isHarmless(t, kept)
		got := here.Ask(t, "GET", "/api/v1/attachments/"+string(kept.ID), token, "")
		comesDown(t, kept, got)
		if kept.HasThumbnail {
			small := here.Ask(t, "GET", "/api/v1/attachments/"+string(kept.ID)+"/thumbnail", token, "")
			picture, err := jpeg.DecodeConfig(bytes.NewReader(small.Body))
			if err != nil || picture.Width > 480 || picture.Height > 480 || kept.Width <= 0 || kept.Height <= 0 {
				t.Errorf("of %d×%d there is a thumbnail of %d×%d: %v", kept.Width, kept.Height, picture.Width, picture.Height, err)
			}
		}
		voice, err := json.Marshal(chat.SendInput{ClientID: rooms.NewID(time.Now()), Kind: chat.Audio, AttachmentID: kept.ID, Peaks: []int{1}})
		e2e.Must(t, err)
		sent := here.Ask(t, "POST", at+"/messages", token, string(voice))
		if spoken := kept.Kind == chat.Audio && kept.DurationMs > 0; (sent.Status == http.StatusCreated) != spoken && sent.Problem.Code != rooms.CodeTooLarge {
			t.Errorf("%+v as a voice message: %d %s", kept, sent.Status, sent.Body)
		}
	})
}

// samples are what people upload, and what they should not, by name.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	small := image.NewPaletted(image.Rect(0, 0, 3, 2), color.Palette{color.White, color.Black})
	var photo, dots bytes.Buffer
	e2e.Must(t, jpeg.Encode(&photo, small, nil))
	e2e.Must(t, gif.Encode(&dots, small, nil))
	// A camera that was held upright: Exif says that the pixels lie on their side.
	exif := "\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
	return map[string][]byte{
		"letter.txt": []byte("blood pressure 120/80"), "../../etc/passwd": []byte("root:x:0:0"), `C:\scans\x.csv`: []byte("a,b\n1,2\n3,4\n"),
		"rash.png": e2e.SomePNG(t, 4, 4), "rash.gif": dots.Bytes(), "rash.jpg": slices.Concat(photo.Bytes()[:2], []byte(exif), photo.Bytes()[2:]),
		"scan.bmp": []byte("BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x18\x00"), "scan.tiff": []byte("II*\x00\x08\x00\x00\x00\x00\x00"),
		"voice.webm": soundtest.WebM(time.Second), "voice.m4a": soundtest.MP4(time.Second), "voice.ogg": soundtest.Ogg(time.Second),
		"music.wav": []byte("RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"), "music.mp3": []byte("ID3\x03\x00\x00\x00\x00\x00\x00"),
		"report.pdf": []byte("%PDF-1.7\n1 0 obj\nendobj\n"), "report.rtf": []byte(`{\rtf1 words}`), "scans.zip": []byte("PK\x05\x06" + strings.Repeat("\x00", 18)),
		"page.png": []byte("<!DOCTYPE html><html><script>alert(1)</script></html>"), "page.txt": []byte("\xff\xfe<\x00h\x00t\x00m\x00l\x00>\x00"),
		"drawing.svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), "feed.xml": []byte(`<?xml version="1.0"?><x/>`),
		"program.txt": []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00"), "setup.jpg": []byte("MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"),
		"run.sh": []byte("#!/bin/sh\necho\n"), "help.chm": []byte("ITSF\x03\x00\x00\x00\x60\x00\x00\x00"), "files.cab": []byte("MSCF\x00\x00\x00\x00"), "empty.txt": nil,
	}
}

// isName makes sure that a name is one: no path, nothing that cannot be seen.
func isName(t testing.TB, name string) {
	t.Helper()
	if name == "" || name == "." || name == ".." || !utf8.ValidString(name) || utf8.RuneCountInString(name) > 200 || strings.ContainsAny(name, `/\`) || strings.ContainsFunc(name, unicode.IsControl) {
		t.Errorf("a file is called %q", name)
	}
}

// isHarmless makes sure that a file is of a type that no browser runs, and that its
// kind follows from it.
func isHarmless(t testing.TB, a chat.Attachment) {
	t.Helper()
	for _, runs := range []string{"html", "xml", "svg", "script", "executable", "x-", "wasm"} {
		if strings.Contains(strings.TrimPrefix(a.ContentType, "audio/x-"), runs) && !strings.Contains(a.ContentType, "openxmlformats") {
			t.Errorf("%s is kept", a.ContentType)
		}
	}
	family, _, _ := strings.Cut(a.ContentType, "/")
	if want := map[string]chat.Kind{"image": chat.Image, "audio": chat.Audio}[family]; a.Kind != want && (want != "" || a.Kind != chat.File) {
		t.Errorf("%s is kept as %s", a.ContentType, a.Kind)
	}
	if a.DurationMs < 0 || a.DurationMs > 0 && a.Kind != chat.Audio || a.HasThumbnail && a.Kind != chat.Image {
		t.Errorf("kept as %+v", a)
	}
}

// comesDown makes sure that a file is served whole, as what it is, and as
// nothing that a page could be made of.
func comesDown(t testing.TB, a chat.Attachment, got e2e.Answered) {
	t.Helper()
	digest := sha256.Sum256(got.Body)
	if got.Status != http.StatusOK || hex.EncodeToString(digest[:]) != a.SHA256 || got.Header.Get("Content-Type") != a.ContentType ||
		got.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(got.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%+v comes down as %d %v, %d bytes", a, got.Status, got.Header, len(got.Body))
	}
	disposition, params, err := mime.ParseMediaType(got.Header.Get("Content-Disposition"))
	if err != nil || disposition != "attachment" || params["filename"] != a.Name {
		t.Errorf("%q comes down as %q: %v", a.Name, got.Header.Get("Content-Disposition"), err)
	}
}
