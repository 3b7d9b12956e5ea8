package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"io"
)

// turn is how a camera held the picture: the Exif tag Orientation (0x0112),
// 1 to 8. Phones write it instead of turning the pixels; a thumbnail, which
// has no Exif, must have them turned.
type turn uint16

func (t turn) swaps() bool { return t >= 5 && t <= 8 }

// apply moves the pixels to where the tag says they belong.
func (t turn) apply(p *image.RGBA) *image.RGBA {
	if t < 2 || t > 8 {
		return p
	}
	w, h := p.Bounds().Dx(), p.Bounds().Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if t.swaps() {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			nx, ny := x, y
			switch t {
			case 2:
				nx = w - 1 - x
			case 3:
				nx, ny = w-1-x, h-1-y
			case 4:
				ny = h - 1 - y
			case 5:
				nx, ny = y, x
			case 6:
				nx, ny = h-1-y, x
			case 7:
				nx, ny = h-1-y, w-1-x
			case 8:
				nx, ny = y, w-1-x
			}
			out.SetRGBA(nx, ny, p.RGBAAt(x, y))
		}
	}
	return out
}

// orientation reads the tag from the Exif segment of a JPEG (CIPA DC-008,
// section 4.5.4); 1, upright, for anything else.
func orientation(r io.Reader) turn {
	head := make([]byte, 128<<10) // Exif is in the first segments, none longer than 64 KiB
	n, _ := io.ReadFull(r, head)
	head = head[:n]
	if len(head) < 4 || head[0] != 0xff || head[1] != 0xd8 {
		return 1
	}
	for at := 2; at+4 <= len(head) && head[at] == 0xff; {
		size := int(binary.BigEndian.Uint16(head[at+2:]))
		if size < 2 || at+2+size > len(head) {
			return 1
		}
		if body, ok := bytes.CutPrefix(head[at+4:at+2+size], []byte("Exif\x00\x00")); ok && head[at+1] == 0xe1 {
			return tiffOrientation(body)
		}
		at += 2 + size
	}
	return 1
}

func tiffOrientation(b []byte) turn {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if b[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int(order.Uint32(b[4:]))
	if at < 8 || at+2 > len(b) {
		return 1
	}
	for i := range int(order.Uint16(b[at:])) {
		entry := at + 2 + 12*i
		if entry+12 > len(b) {
			return 1
		}
		if order.Uint16(b[entry:]) == 0x0112 {
			return turn(order.Uint16(b[entry+8:]))
		}
	}
	return 1
}
