package sound_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	. "wenzhen.example/rooms/chat/sound"
	"wenzhen.example/rooms/chat/sound/soundtest"
	"wenzhen.example/rooms/roomstest/cost"
)

// The formats that browsers record are measured, and files that resemble them
// are refused.
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
		"Ogg that lasts 49 hours":     {soundtest.Ogg(49 * time.Hour), "", 0},
		"WebM of a million elements":  {append(webm, bytes.Repeat([]byte("\xec\x80"), 1_000_000)...), "", 0},
		"MP4 of a million boxes":      {append(soundtest.MP4(time.Second), bytes.Repeat([]byte("\x00\x00\x00\x08free"), 1_000_000)...), "", 0},
		"MP4 with a large run":        {append(soundtest.MP4(time.Second), append([]byte("\x00\x20\x00\x00trun"), make([]byte, 1<<21-8)...)...), "", 0},
		"words":                       {[]byte("good morning, doctor"), "", 0},
		"next to nothing":             {[]byte("Ogg"), "", 0},
		"a box of an impossible size": {slices.Concat([]byte("\x00\x00\x00\x08ftyp\x00\x00\x00\x01free"), binary.BigEndian.AppendUint64(nil, 1<<63)), "", 0},
	} {
		got, err := Measure(t.Context(), bytes.NewReader(c.file))
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
func TestMeasureReportsReadErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is broken")
	for name, file := range map[string][]byte{"WebM": soundtest.WebM(time.Second), "MP4": soundtest.MP4(time.Second), "Ogg": soundtest.Ogg(time.Second)} {
		_, err := Measure(t.Context(), io.MultiReader(bytes.NewReader(file[:len(file)-3]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file of the largest size whose elements are as short as they can be takes
// little.
func TestHostileRecordings(t *testing.T) {
	const size = 20_000_000 / cost.Slow
	many := func(begin []byte, each string) []byte {
		return append(begin, bytes.Repeat([]byte(each), (size-len(begin))/len(each))...)
	}
	segment := soundtest.WebM(time.Second)
	film := soundtest.MP4(time.Second)
	box := func(size int, name string) string {
		return string(binary.BigEndian.AppendUint32(nil, uint32(size))) + name
	}
	ogg := soundtest.Ogg(time.Second)
	for name, file := range map[string][]byte{
		"WebM of empty elements": many(segment, "\xec\x80"),
		"WebM of blocks":         many(segment, "\xa3\x84\x81\x00\x00\x00"),
		"WebM of clusters":       many(segment, "\x1f\x43\xb6\x75\xff"),
		"MP4 of empty boxes":     many(film, box(8, "free")),
		"MP4 of large boxes":     many(film, box(1, "free")+string(binary.BigEndian.AppendUint64(nil, 16))),
		"MP4 of tracks":          many(film, box(8, "trak")),
		"MP4 of headers":         many(film, box(20, "trex")+string(make([]byte, 12))),
		"MP4 of a run":           many(film, box(17<<20, "trun")+"\x00\x00\x01\x00\xff\xff\xff\xff"),
		"MP4 of runs":            append(many(film, box(1<<20, "trun")+"\x00\x00\x01\x00\x00\x03\xff\xfc"+string(make([]byte, 1<<20-16))), 0),
		"Ogg of empty pages":     many(ogg, "OggS\x00"+string(make([]byte, 22))),
	} {
		cost.Bounded(t, name, func() {
			if got, err := Measure(t.Context(), bytes.NewReader(file)); err != nil && !errors.Is(err, ErrOther) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		})
	}
}

// leaving cancels a context with its first bytes, and counts those read later.
type leaving struct {
	io.Reader
	leave func()
	reads int
}

func (l *leaving) Read(p []byte) (int, error) {
	l.leave()
	l.reads++
	return l.Reader.Read(p)
}

// A recording is not read on when the caller has gone.
func TestTheCallerLeaves(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{
		"WebM": append(soundtest.WebM(time.Second), bytes.Repeat([]byte("\xec\x80"), 500_000)...),
		"MP4":  append(soundtest.MP4(time.Second), bytes.Repeat([]byte("\x00\x00\x00\x08free"), 100_000)...),
		"Ogg":  append(soundtest.Ogg(time.Second), bytes.Repeat(append([]byte("OggS\x00"), make([]byte, 22)...), 100_000)...),
	} {
		ctx, cancel := context.WithCancel(t.Context())
		content := &leaving{Reader: bytes.NewReader(file), leave: cancel}
		if got, err := Measure(ctx, content); !errors.Is(err, context.Canceled) || content.reads != 1 {
			t.Errorf("%s after the caller has left: %+v, %v, %d reads", name, got, err, content.reads)
		}
	}
}

// Whatever is read, what is measured is possible, and takes no more than an
// upload may.
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
		var got Recording
		var err error
		cost.Bounded(t, "a recording", func() { got, err = Measure(context.Background(), bytes.NewReader(file)) })
		if err != nil && !errors.Is(err, ErrOther) {
			t.Errorf("reading memory failed with %v", err)
		}
		if err == nil && (got.Length < 0 || got.Length > 48*time.Hour || got.ContentType == "") {
			t.Errorf("measured %+v", got)
		}
	})
}
