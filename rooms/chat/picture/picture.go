package picture

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"time"

	"golang.org/x/image/draw"
)

// Side is the side of the square, in pixels, that thumbnails fit into.
const Side = 480

// The limits of decoding. Beside the pixels a decoder keeps its tables and its
// input, and the thumbnail is made, for which the rest of 64 MB is left.
const (
	mostBytes = 56_000_000
	mostScans = 100
	// mostVisits is the most scans of a JPEG times its pixels.
	mostVisits = 200_000_000
)

// Picture is what is known of a picture.
type Picture struct {
	// Width and Height are in pixels, as it is shown; 0 if the format is not
	// known.
	Width, Height int
	// Thumbnail is a JPEG; empty for a picture that cannot be decoded, or that
	// would cost too much.
	Thumbnail []byte
}

// Read finds out what a picture is and makes its thumbnail, unless decoding takes
// longer than within; 0 is no limit. Errors: those of content and of ctx.
func Read(ctx context.Context, content io.ReadSeeker, within time.Duration) (Picture, error) {
	in := &source{ctx: ctx, content: content}
	p, err := planOf(in)
	if err != nil || in.err != nil || p.width <= 0 || p.height <= 0 {
		return Picture{}, in.err
	}
	turned := turn(1)
	if p.turnable {
		if err := in.rewind(); err != nil {
			return Picture{}, err
		}
		turned = orientation(in)
	}
	pic := Picture{Width: p.width, Height: p.height}
	if turned.swaps() {
		pic.Width, pic.Height = pic.Height, pic.Width
	}
	if !p.affordable() {
		return pic, in.err
	}
	pic.Thumbnail, err = thumbnail(in, p, turned, within)
	return pic, err
}

// thumbnail decodes a picture; nil if that fails, or takes too long.
func thumbnail(in *source, p plan, turned turn, within time.Duration) ([]byte, error) {
	if err := in.rewind(); err != nil {
		return nil, err
	}
	whole := in.ctx
	if within > 0 {
		ctx, cancel := context.WithTimeout(whole, within)
		defer cancel()
		in.ctx = ctx
	}
	decoded, err := p.decode(in)
	switch {
	case whole.Err() != nil:
		return nil, whole.Err()
	case errors.Is(in.err, context.DeadlineExceeded):
		return nil, nil
	case in.err != nil:
		return nil, in.err
	case err != nil:
		return nil, nil
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, turned.apply(shrink(decoded)), &jpeg.Options{Quality: 80}); err != nil {
		return nil, fmt.Errorf("encode thumbnail: %w", err)
	}
	return out.Bytes(), nil
}

// shrink fits a picture into the square of a thumbnail, on white.
func shrink(picture image.Image) *image.RGBA {
	b := picture.Bounds()
	w, h := b.Dx(), b.Dy()
	if longest := max(w, h); longest > Side {
		w, h = max(1, w*Side/longest), max(1, h*Side/longest)
	}
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(small, small.Bounds(), image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(small, small.Bounds(), picture, b, draw.Over, nil)
	return small
}

// source is the picture that a decoder reads. It is buffered, reads in pieces
// that are too small for large allocations, and stops at the end of a context.
// It keeps the error of a failed read, which decoders replace with errors of
// their own.
type source struct {
	ctx     context.Context
	content io.ReadSeeker
	buffer  *bufio.Reader
	err     error
}

// piece is the most bytes that a decoder is given at once: a JPEG's scan can be
// 20 bytes long and visit every pixel.
const piece = 256

func (s *source) rewind() error {
	if s.err != nil {
		return s.err
	}
	if _, err := s.content.Seek(0, io.SeekStart); err != nil {
		s.err = err
		return err
	}
	if s.buffer == nil {
		s.buffer = bufio.NewReaderSize(s.content, 32<<10)
	} else {
		s.buffer.Reset(s.content)
	}
	return nil
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if s.err == nil {
		s.err = s.ctx.Err()
	}
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.buffer.Read(p[:min(len(p), piece)])
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
