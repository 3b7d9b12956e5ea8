package picture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
	"io"
	"math"
)

// plan is what decoding a picture would take.
type plan struct {
	width, height int
	// bytes is the most that the decoder allocates for the pixels.
	bytes int64
	scans int64
	// turnable pictures may say how the camera was held.
	turnable bool
	// decode is nil for what is not decoded.
	decode func(io.Reader) (image.Image, error)
}

// affordable reports whether a picture may be decoded.
func (p plan) affordable() bool {
	return p.decode != nil && p.bytes <= mostBytes && p.scans <= mostScans && int64(p.width)*int64(p.height)*p.scans <= mostVisits
}

var errUnknown = errors.New("not a picture that can be decoded")

// planOf reads the headers of a picture, those of each format as Go's decoder
// of it reads them.
func planOf(in *source) (plan, error) {
	if err := in.rewind(); err != nil {
		return plan{}, err
	}
	r := bufio.NewReader(in)
	head, err := r.Peek(16)
	if err != nil {
		return plan{}, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xd8")):
		return planJPEG(r)
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return planPNG(r)
	case bytes.HasPrefix(head, []byte("GIF8")):
		w, h := int(binary.LittleEndian.Uint16(head[6:])), int(binary.LittleEndian.Uint16(head[8:]))
		// Only the first frame is decoded, which is at most as large as the whole;
		// interlacing copies it.
		return plan{width: w, height: h, bytes: 2 * int64(w) * int64(h), decode: gif.Decode}, nil
	case bytes.HasPrefix(head, []byte("RIFF")) && string(head[8:12]) == "WEBP":
		return planWebP(r)
	}
	return plan{}, errUnknown
}

// skip passes over n bytes.
func skip(r *bufio.Reader, n int64) error {
	_, err := r.Discard(int(min(n, math.MaxInt))) // no file is larger
	return err
}
