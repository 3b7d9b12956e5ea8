package picture

import (
	"bufio"
	"encoding/binary"
	"image/png"
	"io"
)

// planPNG reads a PNG up to its pixels: what comes before says how many bytes
// one of them will take.
func planPNG(r *bufio.Reader) (plan, error) {
	p := plan{decode: png.Decode}
	if err := skip(r, 8); err != nil {
		return plan{}, err
	}
	var depth, colour, interlaced byte
	transparent := false
	var head [8]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return plan{}, err
		}
		size, name := int64(binary.BigEndian.Uint32(head[:])), string(head[4:])
		switch name {
		case "IHDR":
			var b [13]byte
			if size != int64(len(b)) {
				return plan{}, errUnknown
			}
			if _, err := io.ReadFull(r, b[:]); err != nil {
				return plan{}, err
			}
			w, h := binary.BigEndian.Uint32(b[:]), binary.BigEndian.Uint32(b[4:])
			if w > 1<<24 || h > 1<<24 {
				return plan{}, errUnknown
			}
			p.width, p.height = int(w), int(h)
			depth, colour, interlaced = b[8], b[9], b[12]
			size = 0
		case "tRNS":
			transparent = true
		case "IDAT":
			p.bytes = pngPixel(depth, colour, transparent) * int64(p.width) * int64(p.height)
			if interlaced != 0 {
				p.bytes *= 2 // each pass is a picture of its own
			}
			return p, nil
		}
		if err := skip(r, size+4); err != nil { // and its checksum
			return plan{}, err
		}
	}
}

// pngPixel is how many bytes a pixel takes once it is decoded.
func pngPixel(depth, colour byte, transparent bool) int64 {
	const grey, palette = 0, 3
	switch {
	case colour == palette:
		return 1
	case colour == grey && !transparent:
		return max(1, int64(depth)/8)
	}
	return max(4, int64(depth)/2)
}
