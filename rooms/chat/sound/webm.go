package sound

import (
	"cmp"
	"encoding/binary"
	"math/bits"
)

// The elements that are looked at (RFC 9559, section 5).
const (
	idSegment        = 0x18538067
	idInfo           = 0x1549a966
	idTimestampScale = 0x2ad7b1
	idTracks         = 0x1654ae6b
	idTrackEntry     = 0xae
	idTrackType      = 0x83
	idCluster        = 0x1f43b675
	idTimestamp      = 0xe7
	idBlockGroup     = 0xa0
	idBlock          = 0xa1
	idSimpleBlock    = 0xa3
)

const trackOfSound = 2

// unknownSize is that of an element which ends where something follows that
// cannot be in it (RFC 8794, section 6.2); recorders write segments and
// clusters so, as they do not know.
const unknownSize = ^uint64(0)

// webm reads a WebM file. It lasts from its first block to the end of its
// last, which is taken to be as long as the one before. Elements that hold
// others are entered, and all else is passed over, so that where they end does
// not matter.
func webm(in *input) (Recording, error) {
	var (
		scale             uint64 = 1_000_000 // nanoseconds
		tracks            int
		cluster           uint64
		first, last, step float64
		blocks            int
	)
	for in.more() {
		id, err := elementID(in)
		if err != nil {
			return Recording{}, err
		}
		size, err := elementSize(in)
		if err != nil {
			return Recording{}, err
		}
		switch id {
		case idSegment, idInfo, idTracks, idTrackEntry, idCluster, idBlockGroup:
			continue
		}
		if size == unknownSize {
			return Recording{}, ErrOther
		}
		switch id {
		case idTimestampScale:
			scale, err = unsigned(in, size)
		case idTimestamp:
			cluster, err = unsigned(in, size)
		case idTrackType:
			var kind uint64
			if kind, err = unsigned(in, size); err == nil && kind != trackOfSound {
				err = ErrOther
			}
			tracks++
		case idBlock, idSimpleBlock:
			var at float64
			if at, err = blockTime(in, size, cluster); err != nil {
				break
			}
			if blocks++; blocks == 1 {
				first, last = at, at
			} else if at > last {
				last, step = at, at-last
			}
		default:
			err = in.skip(size)
		}
		if err != nil {
			return Recording{}, err
		}
	}
	if in.err != nil || tracks != 1 {
		return Recording{}, cmp.Or(in.err, ErrOther)
	}
	return recording(WebM, (last-first+step)*float64(scale)/1e9)
}

// elementID reads an id with its length marker (RFC 8794, section 5).
func elementID(in *input) (uint32, error) {
	lead, err := in.ReadByte()
	if err != nil {
		return 0, inTheMiddle(err)
	}
	more := bits.LeadingZeros8(lead)
	if more > 3 {
		return 0, ErrOther
	}
	rest, err := unsigned(in, uint64(more))
	return uint32(lead)<<(8*more) | uint32(rest), err
}

// elementSize reads a size without its length marker (RFC 8794, section 6).
func elementSize(in *input) (uint64, error) {
	lead, err := in.ReadByte()
	if err != nil {
		return 0, inTheMiddle(err)
	}
	more := bits.LeadingZeros8(lead)
	if more > 7 {
		return 0, ErrOther
	}
	rest, err := unsigned(in, uint64(more))
	size := (uint64(lead)&^(0x80>>more))<<(8*more) | rest
	if size == 1<<(7*(more+1))-1 {
		return unknownSize, err
	}
	return size, err
}

func unsigned(in *input, size uint64) (uint64, error) {
	if size > 8 {
		return 0, ErrOther
	}
	b, err := in.piece(size)
	var n uint64
	for _, x := range b {
		n = n<<8 | uint64(x)
	}
	return n, err
}

// blockTime is when a block begins, in ticks, and passes over it (RFC 9559,
// section 10.1): track number, 16 bits relative to the cluster, flags, sound.
func blockTime(in *input, size, cluster uint64) (float64, error) {
	if size < 4 {
		return 0, ErrOther
	}
	head, err := in.piece(4)
	if err != nil {
		return 0, err
	}
	if head[0]&0x80 == 0 {
		return 0, ErrOther // more than 127 tracks
	}
	return float64(cluster) + float64(int16(binary.BigEndian.Uint16(head[1:]))), in.skip(size - 4)
}
