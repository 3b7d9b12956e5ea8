package sound

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
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

// The limits of what is read. An element can be two bytes long, so that a file
// of a permitted size can have millions of them; recorders write fifty for a
// second of sound at most.
const (
	mostElements = 1_000_000
	mostPiece    = 1 << 20 // bytes that are looked at as a whole
	buffered     = 64 << 10
)

// Recording is what a container says of itself.
type Recording struct {
	ContentType string        // WebM, Ogg or MP4
	Length      time.Duration // how long it plays; 0 if there is no sound in it
}

// Measure reads a recording to its end. Errors: ErrOther; what r fails with; the
// context's, when it ends.
func Measure(ctx context.Context, r io.Reader) (Recording, error) {
	in := &input{Reader: bufio.NewReaderSize(&source{ctx, r}, buffered)}
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

// source reads until a context ends.
type source struct {
	ctx  context.Context
	from io.Reader
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.from.Read(p)
}

// input is a file that is read from beginning to end. Where it ends in the
// middle of something the error is io.ErrUnexpectedEOF.
type input struct {
	*bufio.Reader
	elements int
	err      error
	large    bytes.Buffer // the last piece that did not fit into the reader's buffer
}

// more reports whether another element follows. After the last one err says
// why, if it is not the end of the file: ErrOther for too many elements, or what
// reading fails with.
func (in *input) more() bool {
	switch _, err := in.Peek(1); {
	case errors.Is(err, io.EOF):
		return false
	case err != nil:
		in.err = err
		return false
	}
	if in.elements++; in.elements > mostElements {
		in.err = fmt.Errorf("%w: it has more than %d elements", ErrOther, mostElements)
	}
	return in.err == nil
}

// piece is the next n bytes, until the next read. It grows with what is there,
// not with what a length in the file claims.
func (in *input) piece(n uint64) ([]byte, error) {
	if n > mostPiece {
		return nil, ErrOther
	}
	if n <= buffered {
		b, err := in.Peek(int(n))
		if err == nil {
			_, err = in.Discard(len(b))
		}
		return b, inTheMiddle(err)
	}
	in.large.Reset()
	_, err := io.CopyN(&in.large, in, int64(n))
	return in.large.Bytes(), inTheMiddle(err)
}

func (in *input) skip(n uint64) error {
	_, err := in.Discard(int(min(n, math.MaxInt))) // no file is larger
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
