package sound

import (
	"bytes"
	"cmp"
	"encoding/binary"
)

const (
	firstPage  = 0x02 // of a stream, in a page's flags
	noPosition = ^uint64(0)
)

// ogg reads an Ogg file of one stream. Its last page says how many samples
// there are (RFC 3533, section 6).
func ogg(in *input) (Recording, error) {
	var streams int
	var rate, skipped, position uint64
	for in.more() {
		head, err := in.piece(27)
		if err != nil {
			return Recording{}, err
		}
		if !bytes.HasPrefix(head, []byte("OggS\x00")) {
			return Recording{}, ErrOther
		}
		begins, at := head[5]&firstPage != 0, binary.LittleEndian.Uint64(head[6:])
		laces, err := in.piece(uint64(head[26]))
		if err != nil {
			return Recording{}, err
		}
		var size uint64
		for _, lace := range laces {
			size += uint64(lace)
		}
		if !begins {
			if at != noPosition {
				position = max(position, at)
			}
			if err := in.skip(size); err != nil {
				return Recording{}, err
			}
			continue
		}
		packet, err := in.piece(size)
		if err != nil {
			return Recording{}, err
		}
		if rate, skipped = clock(packet); rate == 0 {
			return Recording{}, ErrOther
		}
		streams++
	}
	if in.err != nil || streams != 1 {
		return Recording{}, cmp.Or(in.err, ErrOther)
	}
	return recording(Ogg, float64(position-min(position, skipped))/float64(rate))
}

// clock is how many samples a second a stream counts, and how many come
// before the first that is played; 0 if the packet does not begin a stream of sound.
// Opus always counts 48,000 (RFC 7845, section 4).
func clock(packet []byte) (rate, skipped uint64) {
	switch {
	case bytes.HasPrefix(packet, []byte("OpusHead")) && len(packet) >= 19:
		return 48_000, uint64(binary.LittleEndian.Uint16(packet[10:]))
	case bytes.HasPrefix(packet, []byte("\x01vorbis")) && len(packet) >= 30:
		return uint64(binary.LittleEndian.Uint32(packet[12:])), 0
	}
	return 0, 0
}
