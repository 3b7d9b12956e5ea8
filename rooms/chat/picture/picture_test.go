package picture

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"testing"
	"time"

	"wenzhen.example/rooms/roomstest/cost"
)

// costs has a picture read, and makes sure that it takes no more than it may,
// whatever it is.
func costs(t testing.TB, content []byte) Picture {
	t.Helper()
	var p Picture
	var err error
	cost.Bounded(t, fmt.Sprintf("a picture of %d bytes", len(content)), func() {
		p, err = Read(context.Background(), bytes.NewReader(content), 1500*time.Millisecond)
	})
	if err != nil {
		t.Fatalf("%d bytes cannot be read: %v", len(content), err)
	}
	if len(p.Thumbnail) > 0 {
		small, err := jpeg.DecodeConfig(bytes.NewReader(p.Thumbnail))
		if err != nil || small.Width > Side || small.Height > Side || p.Width <= 0 || p.Height <= 0 {
			t.Errorf("of %d×%d there is a thumbnail of %d×%d: %v", p.Width, p.Height, small.Width, small.Height, err)
		}
	}
	return p
}

// FuzzPicture: whatever a picture is, looking at it takes no more than 2 s and
// 64 MB.
func FuzzPicture(f *testing.F) {
	for _, content := range ordinary(f) {
		f.Add(content)
	}
	for _, content := range hostile(f) {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) { costs(t, content) })
}

// What costs much is kept without a thumbnail, with its size.
func TestHostilePictures(t *testing.T) {
	for name, content := range hostile(t) {
		if p := costs(t, content); len(p.Thumbnail) > 0 && name != "gif, many frames" || p.Width == 0 {
			t.Errorf("%s: %d×%d, a thumbnail of %d bytes", name, p.Width, p.Height, len(p.Thumbnail))
		}
	}
	for name, content := range endless(t) {
		if p := costs(t, content); len(p.Thumbnail) > 0 {
			t.Errorf("%s: %d×%d, a thumbnail of %d bytes", name, p.Width, p.Height, len(p.Thumbnail))
		}
	}
}

// What people send has its size and a thumbnail.
func TestOrdinaryPictures(t *testing.T) {
	for name, content := range ordinary(t) {
		p := costs(t, content)
		if want := image.Pt(64, 40); p.Width != want.X || p.Height != want.Y || len(p.Thumbnail) == 0 {
			t.Errorf("%s: %d×%d, a thumbnail of %d bytes", name, p.Width, p.Height, len(p.Thumbnail))
		}
	}
}

// The pictures of phones and of X-rays are not too large.
func TestWhatIsDecoded(t *testing.T) {
	for name, content := range map[string][]byte{
		"12 megapixels":                         scans(4000, 3000, 3, 1, false),
		"32 megapixels":                         scans(6560, 4928, 3, 1, false),
		"7 megapixels, progressive":             scans(3072, 2304, 3, 10, true),
		"a screenshot":                          bare(t, 1440, 3200, 8, 6, 0),
		"an X-ray of 24 megapixels":             bare(t, 4000, 6000, 16, 0, 0),
		"an X-ray of 12 megapixels, interlaced": bare(t, 3000, 4000, 16, 0, 1),
	} {
		if p, err := planOf(&source{ctx: context.Background(), content: bytes.NewReader(content)}); err != nil || !p.affordable() {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// leaving cancels a context after so many bytes, and counts those read later.
type leaving struct {
	*bytes.Reader
	leave func()
	after int
	late  int
}

func (l *leaving) Read(p []byte) (int, error) {
	if l.after <= 0 {
		l.late += len(p)
	}
	n, err := l.Reader.Read(p)
	if l.after -= n; l.after <= 0 {
		l.leave()
	}
	return n, err
}

// Work on a picture stops when the caller has gone.
func TestTheCallerLeaves(t *testing.T) {
	var noise bytes.Buffer
	picture := image.NewRGBA(image.Rect(0, 0, 1000, 1000))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i * i >> 3)
	}
	if err := png.Encode(&noise, picture); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	content := &leaving{Reader: bytes.NewReader(noise.Bytes()), leave: cancel, after: noise.Len() / 2}
	if p, err := Read(ctx, content, 0); !errors.Is(err, context.Canceled) || len(p.Thumbnail) > 0 || content.late > 0 {
		t.Errorf("after the caller has left: %v, %d bytes read", err, content.late)
	}
	failing := errors.New("the disk is broken")
	if _, err := Read(context.Background(), struct {
		io.Reader
		io.Seeker
	}{io.MultiReader(bytes.NewReader(noise.Bytes()[:5000]), broken{failing}), bytes.NewReader(nil)}, 0); !errors.Is(err, failing) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// ordinary are small pictures of 64×40 of the formats that are decoded.
func ordinary(t testing.TB) map[string][]byte {
	t.Helper()
	b := image.Rect(0, 0, 64, 40)
	all := map[string][]byte{"jpeg, progressive": scans(64, 40, 1, 6, true), "webp": lossy,
		"webp, transparent": canvas(chunk("VP8X", vp8x(64, 40)), chunk("ALPH", make([]byte, 1+64*40)))}
	// A camera that was held upright: Exif says that the pixels lie on their side.
	exif := "\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
	upright := encoded(t, func(w io.Writer) error { return jpeg.Encode(w, image.NewRGBA(image.Rect(0, 0, 40, 64)), nil) })
	all["jpeg, turned"] = slices.Concat(upright[:2], []byte(exif), upright[2:])
	for name, picture := range map[string]image.Image{"rgba": image.NewRGBA(b), "nrgba": image.NewNRGBA(b), "grey": image.NewGray(b),
		"grey 16":  image.NewGray16(b),
		"nrgba 64": image.NewNRGBA64(b), "paletted": image.NewPaletted(b, color.Palette{color.Black, color.White})} {
		all["jpeg, "+name] = encoded(t, func(w io.Writer) error { return jpeg.Encode(w, picture, nil) })
		all["png, "+name] = encoded(t, func(w io.Writer) error { return png.Encode(w, picture) })
		all["gif, "+name] = encoded(t, func(w io.Writer) error { return gif.Encode(w, picture, nil) })
	}
	return all
}

func encoded(t testing.TB, encode func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hostile are small files that would take long, or much memory.
func hostile(t testing.TB) map[string][]byte {
	t.Helper()
	frames := &gif.GIF{}
	for range 500 {
		frames.Image, frames.Delay = append(frames.Image, image.NewPaletted(image.Rect(0, 0, 100, 100), color.Palette{color.Black, color.White})), append(frames.Delay, 0)
	}
	all := map[string][]byte{
		"jpeg, scans of a few bytes":   scans(8000, 4992, 1, 300, true),
		"jpeg, few scans, progressive": scans(8000, 4992, 1, 5, true),
		"jpeg, many scans, small":      scans(640, 480, 1, 2000, true),
		"jpeg, 108 megapixels":         scans(12000, 9000, 3, 1, false),
		"png, 16 bits":                 bare(t, 6300, 6300, 16, 6, 0),
		"png, interlaced":              bare(t, 3500, 3500, 8, 6, 1),
		"png, 1 bit, large":            bare(t, 1<<14, 1<<14, 1, 3, 0),
		"png, one row":                 bare(t, 1<<24, 1, 16, 6, 0),
		"gif, many frames":             encoded(t, func(w io.Writer) error { return gif.EncodeAll(w, frames) }),
		"gif, large":                   slices.Concat([]byte("GIF89a\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02"), make([]byte, 100)),
		"webp, lossless":               []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\xff\xff\xff\x0f\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
	}
	large := slices.Clone(lossy)
	binary.LittleEndian.PutUint16(large[26:], 16383)
	binary.LittleEndian.PutUint16(large[28:], 16383)
	all["webp, large"] = large
	plain, packed := chunk("ALPH", "\x00\x00"), chunk("ALPH", "\x01\xff\xff\xff\xff")
	all["webp, large canvas"] = canvas(chunk("VP8X", vp8x(46340, 46340)), plain)
	all["webp, two canvases"] = canvas(chunk("VP8X", vp8x(46340, 46340)), plain, chunk("VP8X", vp8x(64, 40)))
	all["webp, two transparencies"] = canvas(chunk("VP8X", vp8x(64, 40)), packed, plain)
	return all
}

// endless are files of the largest size that consist of headers, each as short
// as it can be.
func endless(t testing.TB) map[string][]byte {
	t.Helper()
	const size = 20_000_000 / cost.Slow
	many := func(begin, each string) []byte {
		return append([]byte(begin), bytes.Repeat([]byte(each), size/len(each))...)
	}
	frame := string(scans(640, 480, 1, 1, false))
	head := string(bare(t, 64, 40, 8, 6, 0)[:33])
	return map[string][]byte{
		"jpeg, many segments":        many(frame[:len(frame)-2], "\xff\xe1\x00\x02"),
		"jpeg, many restarts":        many(frame[:len(frame)-2], "\xff\xd0"),
		"jpeg, many fill bytes":      many(frame[:len(frame)-2], "\xff"),
		"png, many chunks":           many(head, "\x00\x00\x00\x00tEXt\x00\x00\x00\x00"),
		"png, many pieces of pixels": many(head, "\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e"),
		"webp, many chunks":          many("RIFF\xff\xff\xff\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x63\x00\x00\x63\x00\x00", "EXIF\x00\x00\x00\x00"),
		"gif, many comments":         many("GIF89a\x40\x00\x28\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff", "!\xfe\x01\x00\x00"),
	}
}

// bare is a PNG whose pixels are all 0.
func bare(t testing.TB, width, height uint32, depth, colour, interlaced byte) []byte {
	t.Helper()
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(name string, body []byte) {
		whole := append([]byte(name), body...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
		b = append(b, whole...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(whole))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	chunk("IHDR", append(head, depth, colour, 0, 0, interlaced))
	if colour == 3 {
		chunk("PLTE", make([]byte, 6))
	}
	samples := map[byte]int64{0: 1, 2: 3, 3: 1, 6: 4}[colour]
	chunk("IDAT", deflated(t, int64(height)*(1+(int64(width)*samples*int64(depth)+7)/8)))
	chunk("IEND", nil)
	return b
}

// deflated is so many bytes of 0 as zlib has them, made of the same block again
// and again.
func deflated(t testing.TB, n int64) []byte {
	t.Helper()
	const each = 1 << 20
	block := func(n int64) []byte {
		return encoded(t, func(w io.Writer) error {
			z, err := flate.NewWriter(w, flate.BestCompression)
			if err == nil {
				_, err = z.Write(make([]byte, n))
			}
			return errors.Join(err, z.Flush())
		})
	}
	b := append([]byte{0x78, 0xda}, bytes.Repeat(block(each), int(n/each))...)
	b = append(b, block(n%each)...)
	return binary.BigEndian.AppendUint32(append(b, 3, 0), uint32(n%65521)<<16|1) // the end, and Adler-32
}

// scans is a JPEG of so many components and scans. Of a progressive one, all
// scans but the first say in a few bytes that nothing changes in any block.
func scans(width, height uint16, components byte, n int, progressive bool) []byte {
	b := []byte("\xff\xd8\xff\xdb\x00\x43\x00")
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	sof := byte(sof0)
	if progressive {
		sof = sof2
	}
	b = append(b, 0xff, sof, 0, 8+3*components, 8, byte(height>>8), byte(height), byte(width>>8), byte(width), components)
	h := byte(0x22)
	if components == 1 {
		h = 0x11
	}
	for i := range components {
		b = append(b, 1+i, h, 0)
		h = 0x11
	}
	table := func(class, symbol byte) {
		b = append(b, 0xff, 0xc4, 0, 20, class, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, symbol)
	}
	table(0x00, 0) // one code of a bit: no difference
	ac := byte(0)  // end of the block
	if progressive {
		ac = 0xe0 // end of 32,767 blocks, with 14 bits more
	}
	table(0x10, ac)
	blocks := int(width+7) / 8 * (int(height+7) / 8)
	for i := range n {
		b = append(b, 0xff, sos, 0, 6+2*components, components)
		for c := range components {
			b = append(b, 1+c, 0)
		}
		switch {
		case !progressive:
			b = append(b, 0, 63, 0)
			b = append(b, make([]byte, blocks)...) // two bits each, of six in two of the four blocks
		case i == 0:
			b = append(b, 0, 0, 0)
			b = append(b, make([]byte, blocks/8+1)...)
		default:
			b = append(b, 1, 63, 0x10) // refines
			b = append(b, runs(blocks/32767+1)...)
		}
	}
	return append(b, 0xff, eoi)
}

// runs says so many times that the next 32,767 blocks are at their end: a code
// of a bit, 0, and fourteen bits, 1.
func runs(n int) []byte {
	var b []byte
	for at := 0; at < 15*n || at%8 > 0; at++ {
		if at%8 == 0 {
			b = append(b, 0)
		}
		if at%15 > 0 {
			b[at/8] |= 0x80 >> (at % 8)
		}
	}
	return bytes.ReplaceAll(b, []byte{0xff}, []byte{0xff, 0})
}

// canvas is lossy with chunks before its pixels.
func canvas(chunks ...[]byte) []byte {
	b := slices.Concat(lossy[:12], slices.Concat(chunks...), lossy[12:])
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// chunk is a part of a WebP.
func chunk[T string | []byte](name string, body T) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
	return append(append(b, body...), make([]byte, len(body)%2)...)
}

// vp8x is the header of a canvas with transparency.
func vp8x(width, height int) []byte {
	w, h := width-1, height-1
	return []byte{1 << 4, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)}
}

// lossy is a white WebP of 64×40.
var lossy = []byte("RIFF\x38\x00\x00\x00WEBPVP8 \x2c\x00\x00\x00\x50\x03\x00\x9d\x01\x2a\x40\x00\x28\x00\x3f\x11\x88\xbe\x58\xac\x29\x26\xa3\xa2" +
	"\xa8\x01\x80\x22\x09\x69\x00\x00\x13\xf1\x8e\x1f\x08\x45\x80\x00\xfe\xf0\x0b\x4e\x68\x00\x00\x00")
