package picture

import (
	"bufio"
	"encoding/binary"
	"image"
	"io"

	"golang.org/x/image/webp"
)

// A lossy WebP is read whole before it is decoded, so that nothing can stop the
// decoder: it must not be large.
const (
	webpPixels = 8_000_000
	webpBytes  = 4_000_000
)

// planWebP reads a WebP up to its pixels. A picture with lossless content, even
// if only its transparency is lossless, is not decoded: the memory for its
// tables cannot be computed from its size. Nor is one whose canvas is not the
// size of its pixels, or has two: the decoder allocates the transparency of a
// canvas before it compares them.
func planWebP(r *bufio.Reader) (plan, error) {
	var p plan
	if err := skip(r, 12); err != nil {
		return plan{}, err
	}
	var canvas image.Point
	lossless, alpha := false, int64(0)
	var head [18]byte // of a chunk, and the first bytes of what is in it
	for {
		if _, err := io.ReadFull(r, head[:8]); err != nil {
			return plan{}, err
		}
		size := int64(binary.LittleEndian.Uint32(head[4:8]))
		n, err := io.ReadFull(r, head[8:8+min(10, size)])
		if err != nil {
			return plan{}, err
		}
		b := head[8:]
		switch string(head[:4]) {
		case "VP8X":
			if canvas != (image.Point{}) {
				return p, nil
			}
			canvas = image.Pt(1+int(uint32(b[4])|uint32(b[5])<<8|uint32(b[6])<<16), 1+int(uint32(b[7])|uint32(b[8])<<8|uint32(b[9])<<16))
			p.width, p.height = canvas.X, canvas.Y
		case "ALPH":
			lossless, alpha = lossless || b[0]&3 != 0, 1
		case "VP8L":
			bits := binary.LittleEndian.Uint32(b[1:])
			p.width, p.height = 1+int(bits&0x3fff), 1+int(bits>>14&0x3fff)
			return p, nil
		case "VP8 ":
			p.width, p.height = int(binary.LittleEndian.Uint16(b[6:])&0x3fff), int(binary.LittleEndian.Uint16(b[8:])&0x3fff)
			fits := canvas == (image.Point{}) || canvas == image.Pt(p.width, p.height)
			if pixels := int64(p.width) * int64(p.height); fits && !lossless && pixels <= webpPixels && size <= webpBytes {
				blocks := int64((p.width+15)/16) * int64((p.height+15)/16)
				p.bytes, p.decode = (3*256/2+16)*blocks+alpha*pixels+size, webp.Decode
			}
			return p, nil
		}
		if err := skip(r, size-int64(n)+size&1); err != nil {
			return plan{}, err
		}
	}
}
