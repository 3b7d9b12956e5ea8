package sound_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	. "wenzhen/rooms/chat/sound"
	"wenzhen/rooms/chat/sound/soundtest"
)

// What browsers record is measured, and what only looks like it is told from it.
func TestMeasure(t *testing.T) {
	t.Parallel()
	recorded := func(name string) []byte {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	webm := soundtest.WebM(3 * time.Second)
	for name, c := range map[string]struct {
		file  []byte
		kind  string // "" is no recording
		takes time.Duration
	}{
		"WebM":                        {webm, WebM, 3 * time.Second},
		"WebM of Chromium":            {recorded("chromium.webm"), WebM, 2 * time.Second},
		"MP4 of Chromium":             {recorded("chromium.mp4"), MP4, 2 * time.Second},
		"WebM without sound in it":    {soundtest.WebM(0), WebM, 0},
		"MP4 in one piece":            {soundtest.MP4(4 * time.Second), MP4, 4 * time.Second},
		"Ogg with Opus":               {soundtest.Ogg(5 * time.Second), Ogg, 5 * time.Second},
		"WebM with a picture":         {bytes.Replace(webm, []byte{0x83, 0x81, 2}, []byte{0x83, 0x81, 1}, 1), "", 0},
		"MP4 with a picture":          {bytes.Replace(soundtest.MP4(time.Second), []byte("soun"), []byte("vide"), 1), "", 0},
		"Ogg with a picture":          {bytes.Replace(soundtest.Ogg(time.Second), []byte("OpusHead"), []byte("\x80theora\x03"), 1), "", 0},
		"WebM twice":                  {slices.Concat(webm, webm), "", 0},
		"Ogg twice":                   {slices.Concat(soundtest.Ogg(time.Second), soundtest.Ogg(time.Second)), "", 0},
		"WebM that breaks off":        {webm[:len(webm)-5], "", 0},
		"MP4 that breaks off":         {soundtest.MP4(time.Second)[:40], "", 0},
		"Ogg that breaks off":         {soundtest.Ogg(time.Second)[:50], "", 0},
		"Ogg that lasts for ever":     {soundtest.Ogg(49 * time.Hour), "", 0},
		"words":                       {[]byte("good morning, doctor"), "", 0},
		"next to nothing":             {[]byte("Ogg"), "", 0},
		"a box of an impossible size": {slices.Concat([]byte("\x00\x00\x00\x08ftyp\x00\x00\x00\x01free"), binary.BigEndian.AppendUint64(nil, 1<<63)), "", 0},
	} {
		got, err := Measure(bytes.NewReader(c.file))
		if c.kind == "" {
			if !errors.Is(err, ErrOther) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			continue
		}
		if err != nil || got.ContentType != c.kind || (got.Length-c.takes).Abs() > 200*time.Millisecond {
			t.Errorf("%s: %+v, %v; want %s of %s", name, got, err, c.kind, c.takes)
		}
	}
}

// A disk that fails is not a broken recording.
func TestMeasureTellsWhatReadingFailedWith(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is broken")
	for name, file := range map[string][]byte{"WebM": soundtest.WebM(time.Second), "MP4": soundtest.MP4(time.Second), "Ogg": soundtest.Ogg(time.Second)} {
		_, err := Measure(io.MultiReader(bytes.NewReader(file[:len(file)-3]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is read, what is measured is possible.
func FuzzMeasure(f *testing.F) {
	f.Add(soundtest.WebM(time.Second))
	f.Add(soundtest.MP4(time.Second))
	f.Add(soundtest.Ogg(time.Second))
	for _, name := range []string{"chromium.webm", "chromium.mp4"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:min(len(b), 2000)])
	}
	random := rand.New(rand.NewPCG(1, 2))
	f.Add(binary.BigEndian.AppendUint64([]byte{0x1a, 0x45, 0xdf, 0xa3}, random.Uint64()))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := Measure(bytes.NewReader(file))
		if err != nil && !errors.Is(err, ErrOther) {
			t.Errorf("reading memory failed with %v", err)
		}
		if err == nil && (got.Length < 0 || got.Length > 48*time.Hour || got.ContentType == "") {
			t.Errorf("measured %+v", got)
		}
	})
}
