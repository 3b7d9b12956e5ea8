package sound

import (
	"cmp"
	"encoding/binary"
	"io"
)

// mp4 reads an MP4 file of one track (ISO/IEC 14496-12). It lasts as long as
// the header of its track says, and as the fragments after it, which is how
// recorders write. Boxes that hold others are entered, and all else is passed
// over.
func mp4(in *input) (Recording, error) {
	var m movie
	for in.more() {
		head, err := in.piece(8)
		if err != nil {
			return Recording{}, err
		}
		size, name := uint64(binary.BigEndian.Uint32(head)), string(head[4:])
		header := uint64(len(head))
		switch size {
		case 0: // to the end of the file
			size = header
			if _, err := io.Copy(io.Discard, in); err != nil {
				return Recording{}, err
			}
		case 1:
			long, err := in.piece(8)
			if err != nil {
				return Recording{}, err
			}
			size, header = binary.BigEndian.Uint64(long), 16
		}
		if size < header {
			return Recording{}, ErrOther
		}
		if err := m.box(in, name, size-header); err != nil {
			return Recording{}, err
		}
	}
	if in.err != nil || m.tracks != 1 || m.sounds != 1 || m.scale == 0 {
		return Recording{}, cmp.Or(in.err, ErrOther)
	}
	return recording(MP4, m.ticks/float64(m.scale))
}

// movie is what has been read of one.
type movie struct {
	tracks, sounds int
	scale          uint32  // ticks a second
	ticks          float64 // how long it plays
	usual          uint32  // ticks of a sample, of the track
	sample         uint32  // ticks of a sample, of the fragment
}

func (m *movie) box(in *input, name string, size uint64) error {
	switch name {
	case "moov", "mdia", "mvex", "moof":
		return nil
	case "trak":
		m.tracks++
		return nil
	case "traf":
		m.sample = m.usual
		return nil
	case "mdhd", "hdlr", "trex", "tfhd", "trun":
	default:
		return in.skip(size)
	}
	b, err := in.piece(size)
	if err != nil {
		return err
	}
	f := &field{b: b}
	flags := f.u32()
	version := flags >> 24
	switch name {
	case "mdhd":
		m.media(f, version)
	case "hdlr":
		f.take(4)
		if string(f.take(4)) != "soun" {
			return ErrOther
		}
		m.sounds++
	case "trex": // track, description, duration
		f.take(8)
		m.usual = f.u32()
	case "tfhd":
		m.fragment(f, flags)
	case "trun":
		m.run(f, flags)
	}
	if f.bad {
		return ErrOther
	}
	return nil
}

// media reads a media header: created, modified, ticks a second, ticks.
func (m *movie) media(f *field, version uint32) {
	if version == 1 {
		f.take(16)
		m.scale = f.u32()
		m.add(float64(f.u64()))
		return
	}
	f.take(8)
	m.scale = f.u32()
	m.add(float64(f.u32()))
}

// unknownTicks and above are written by recorders that do not know.
const unknownTicks = 0xffff_ffff

func (m *movie) add(ticks float64) {
	if ticks < unknownTicks {
		m.ticks += ticks
	}
}

// fragment reads the header of a fragment: track, place, description,
// duration of a sample; which of them are there is in the flags.
func (m *movie) fragment(f *field, flags uint32) {
	f.take(4)
	if flags&0x01 != 0 {
		f.take(8)
	}
	if flags&0x02 != 0 {
		f.take(4)
	}
	if flags&0x08 != 0 {
		m.sample = f.u32()
	}
}

// run adds a run of samples, each of the usual duration or of its own.
func (m *movie) run(f *field, flags uint32) {
	count := f.u32()
	if flags&0x01 != 0 {
		f.take(4)
	}
	if flags&0x04 != 0 {
		f.take(4)
	}
	if flags&0x100 == 0 {
		m.ticks += float64(count) * float64(m.sample)
		return
	}
	rest := 0
	for _, flag := range []uint32{0x200, 0x400, 0x800} {
		if flags&flag != 0 {
			rest += 4
		}
	}
	for ; count > 0 && !f.bad; count-- {
		m.ticks += float64(f.u32())
		f.take(rest)
	}
}
