package sound

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// The types of recordings (RFC 9559, RFC 5334, RFC 4337).
const (
	WebM = "audio/webm"
	Ogg  = "audio/ogg"
	MP4  = "audio/mp4"
)

// ErrOther says that something is not a recording: another format, pictures
// beside the sound, several tracks, or broken.
var ErrOther = errors.New("not a recording")

// longest is what a recording may claim to last before it counts as broken.
const longest = 48 * time.Hour

// Recording is what a container says of itself.
type Recording struct {
	ContentType string        // WebM, Ogg or MP4
	Length      time.Duration // how long it plays; 0 if there is no sound in it
}

// Measure reads a recording to its end. Errors: ErrOther; what r fails with.
func Measure(r io.Reader) (Recording, error) {
	in := &input{Reader: bufio.NewReaderSize(r, 64<<10)}
	head, err := in.Peek(12)
	if errors.Is(err, io.EOF) {
		return Recording{}, ErrOther
	} else if err != nil {
		return Recording{}, err
	}
	var rec Recording
	switch {
	case bytes.HasPrefix(head, []byte{0x1a, 0x45, 0xdf, 0xa3}):
		rec, err = webm(in)
	case bytes.HasPrefix(head, []byte("OggS")):
		rec, err = ogg(in)
	case bytes.Equal(head[4:8], []byte("ftyp")):
		rec, err = mp4(in)
	default:
		return Recording{}, ErrOther
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: it ends too early", ErrOther)
	}
	return rec, err
}

// recording is one of a length in seconds.
func recording(contentType string, seconds float64) (Recording, error) {
	if !(seconds >= 0 && seconds <= longest.Seconds()) { // NaN neither
		return Recording{}, fmt.Errorf("%w: it claims to last %g s", ErrOther, seconds)
	}
	return Recording{contentType, time.Duration(seconds * float64(time.Second))}, nil
}

// input is a file that is read from beginning to end. Where it ends in the
// middle of something the error is io.ErrUnexpectedEOF.
type input struct{ *bufio.Reader }

// most is the largest piece that is looked at as a whole.
const most = 16 << 20

// over tells whether nothing is left.
func (in *input) over() bool {
	_, err := in.Peek(1)
	return errors.Is(err, io.EOF)
}

// piece is the next n bytes. It grows with what is there, not with what a
// length in the file claims.
func (in *input) piece(n uint64) ([]byte, error) {
	if n > most {
		return nil, ErrOther
	}
	var b bytes.Buffer
	_, err := io.CopyN(&b, in, int64(n))
	return b.Bytes(), inTheMiddle(err)
}

func (in *input) skip(n uint64) error {
	if n > 1<<62 {
		return ErrOther
	}
	_, err := io.CopyN(io.Discard, in, int64(n))
	return inTheMiddle(err)
}

func inTheMiddle(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// field reads big-endian numbers off a piece; past its end they are 0 and bad
// is set.
type field struct {
	b   []byte
	bad bool
}

func (f *field) take(n int) []byte {
	if n > len(f.b) {
		f.b, f.bad = nil, true
		return make([]byte, n)
	}
	taken := f.b[:n]
	f.b = f.b[n:]
	return taken
}

func (f *field) u32() uint32 { return binary.BigEndian.Uint32(f.take(4)) }
func (f *field) u64() uint64 { return binary.BigEndian.Uint64(f.take(8)) }
