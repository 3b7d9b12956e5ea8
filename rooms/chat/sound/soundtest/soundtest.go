// Package soundtest writes small recordings, of silence.
package soundtest

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"time"
)

const frame = 20 * time.Millisecond // of a block or a sample

// WebM is a recording as browsers write it: the segment and the clusters do
// not know where they end.
func WebM(length time.Duration) []byte {
	unknown := []byte{0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	element := func(id []byte, content ...byte) []byte {
		return slices.Concat(id, []byte{0x80 | byte(len(content))}, content)
	}
	track := slices.Concat(element([]byte{0xd7}, 1), element([]byte{0x83}, 2), element([]byte{0x86}, []byte("A_OPUS")...))
	b := bytes.NewBuffer(element([]byte{0x1a, 0x45, 0xdf, 0xa3}, element([]byte{0x42, 0x82}, []byte("webm")...)...))
	b.Write(slices.Concat([]byte{0x18, 0x53, 0x80, 0x67}, unknown))
	b.Write(element([]byte{0x15, 0x49, 0xa9, 0x66}, element([]byte{0x2a, 0xd7, 0xb1}, 0x0f, 0x42, 0x40)...))
	b.Write(element([]byte{0x16, 0x54, 0xae, 0x6b}, element([]byte{0xae}, track...)...))
	for second := time.Duration(0); second < length; second += time.Second {
		b.Write(slices.Concat([]byte{0x1f, 0x43, 0xb6, 0x75}, unknown))
		b.Write(element([]byte{0xe7}, binary.BigEndian.AppendUint32(nil, uint32(second.Milliseconds()))...))
		for at := time.Duration(0); at < min(time.Second, length-second); at += frame {
			b.Write(element([]byte{0xa3}, append(binary.BigEndian.AppendUint16([]byte{0x81}, uint16(at.Milliseconds())), 0x80, 0xfc)...))
		}
	}
	return b.Bytes()
}

// Ogg is a recording in one stream of Opus.
func Ogg(length time.Duration) []byte {
	const rate, early = 48_000, 312
	page := func(flags byte, samples uint64, content []byte) []byte {
		head := append([]byte("OggS\x00"), flags)
		head = binary.LittleEndian.AppendUint64(head, samples)
		return slices.Concat(head, make([]byte, 12), []byte{1, byte(len(content))}, content)
	}
	head := append([]byte("OpusHead\x01\x01"), byte(early&0xff), byte(early>>8))
	head = append(binary.LittleEndian.AppendUint32(head, rate), 0, 0, 0)
	return slices.Concat(page(2, 0, head), page(0, 0, []byte("OpusTags")), page(0, math.MaxUint64, []byte{0xfc}),
		page(4, uint64(length.Seconds()*rate)+early, []byte{0xfc}))
}

// MP4 is a recording in one piece.
func MP4(length time.Duration) []byte {
	box := func(name string, content ...[]byte) []byte {
		all := slices.Concat(content...)
		return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), []byte(name), all)
	}
	mdhd := append(make([]byte, 12), binary.BigEndian.AppendUint32(nil, 1000)...)
	mdhd = append(binary.BigEndian.AppendUint32(mdhd, uint32(length.Milliseconds())), 0, 0, 0, 0)
	hdlr := slices.Concat(make([]byte, 8), []byte("soun"), make([]byte, 13))
	return slices.Concat(box("ftyp", []byte("isom\x00\x00\x02\x00isommp42")), box("moov", box("trak", box("mdia", box("mdhd", mdhd), box("hdlr", hdlr)))),
		box("mdat", []byte{0xfc}))
}
