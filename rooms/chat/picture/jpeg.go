package picture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"image/jpeg"
	"io"
)

// Markers of a JPEG (ITU-T T.81, table B.1).
const (
	sof0  = 0xc0 // baseline
	sof1  = 0xc1 // extended sequential
	sof2  = 0xc2 // progressive
	rst0  = 0xd0
	rst7  = 0xd7
	eoi   = 0xd9
	sos   = 0xda
	app14 = 0xee
)

// planJPEG reads a JPEG up to its end, for its scans are counted: a scan of a
// progressive one visits all blocks, though it may say in a few bytes that
// nothing changes in them.
func planJPEG(r *bufio.Reader) (plan, error) {
	p := plan{turnable: true, decode: jpeg.Decode}
	rgb, segment := false, make([]byte, 1<<16)
	var size [2]byte
	if err := skip(r, 2); err != nil {
		return plan{}, err
	}
	for {
		marker, err := nextMarker(r)
		switch {
		case errors.Is(err, io.EOF) || marker == eoi:
			if rgb {
				p.bytes += 4 * int64(p.width) * int64(p.height)
			}
			return p, nil
		case err != nil:
			return plan{}, err
		case rst0 <= marker && marker <= rst7:
			continue
		case marker == sos:
			p.scans++
		}
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return plan{}, err
		}
		body := segment[:max(0, int(binary.BigEndian.Uint16(size[:]))-2)]
		if _, err := io.ReadFull(r, body); err != nil {
			return plan{}, err
		}
		switch {
		case sof0 <= marker && marker <= sof2 && p.width == 0:
			if err := p.frame(body, marker == sof2); err != nil {
				return plan{}, err
			}
		case marker == app14 && len(body) >= 12 && body[11] == 0: // Adobe's, of RGB
			rgb = true
		}
	}
}

// nextMarker reads on to the next marker, over what a scan consists of.
func nextMarker(r *bufio.Reader) (byte, error) {
	for {
		if b, err := r.ReadByte(); err != nil {
			return 0, err
		} else if b != 0xff {
			continue
		}
		b, err := r.ReadByte()
		for err == nil && b == 0xff {
			b, err = r.ReadByte()
		}
		if err != nil || b != 0 {
			return b, err
		}
	}
}

// frame reads the header of the frame.
func (p *plan) frame(b []byte, progressive bool) error {
	if len(b) < 6 {
		return errUnknown
	}
	components := int(b[5])
	if components == 0 || components > 4 || len(b) != 6+3*components {
		return errUnknown
	}
	p.height, p.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	h, v := int(b[7]>>4), int(b[7]&0xf)
	var perUnit int64 // blocks in an MCU
	for i := range components {
		perUnit += int64(b[7+3*i]>>4) * int64(b[7+3*i]&0xf)
	}
	if components == 1 { // whose sampling has no effect
		h, v, perUnit = 1, 1, 1
	}
	if h == 0 || v == 0 {
		return errUnknown
	}
	samples := 64 * perUnit * int64((p.width+8*h-1)/(8*h)) * int64((p.height+8*v-1)/(8*v))
	p.bytes += samples
	if progressive {
		p.bytes += 4 * samples // the coefficients of all scans are kept
	}
	if components == 4 || components == 3 && b[6] == 'R' && b[9] == 'G' && b[12] == 'B' {
		p.bytes += 4 * int64(p.width) * int64(p.height) // the planes are brought together
	}
	return nil
}
