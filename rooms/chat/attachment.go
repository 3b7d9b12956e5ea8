package chat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // decoders of pictures that thumbnails are made of
	"image/jpeg"
	_ "image/png"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"

	"wenzhen/rooms"
	"wenzhen/rooms/chat/sound"
)

// Thumbnails fit into a square of thumbnailSide pixels; a picture of more
// than thumbnailPixels gets none, for decoding it would take too much memory.
const (
	thumbnailSide   = 480
	thumbnailPixels = 40_000_000
)

// allowed are the types that may be uploaded, found by content. What a browser
// would run (HTML, SVG, script) and programs are not among them.
var allowed = []string{
	"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/heic", "image/heif",
	"audio/", "video/mp4", "video/webm", "video/quicktime",
	"application/pdf", "application/dicom", "application/zip", "text/plain", "text/csv", "text/rtf",
	"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.openxmlformats-", "application/vnd.oasis.opendocument.",
}

func (s *Service) upload(ctx context.Context, actor rooms.Actor, in UploadInput) (Attachment, error) {
	file := rooms.UploadOf(ctx)
	if file == nil {
		return Attachment{}, rooms.Invalid("file", "send the file as multipart field `file`")
	}
	me, err := s.store.Speaker(ctx, in.ConsultationID, actor.UserID)
	if err != nil {
		return Attachment{}, err
	}
	if err := me.May(); err != nil {
		return Attachment{}, err
	}
	if err := s.room(ctx, actor.UserID, 1); err != nil { // before it is read
		return Attachment{}, err
	}
	sum, size, err := s.blobs.Put(ctx, file.Body, s.cfg.AttachmentBytes)
	switch {
	case err != nil:
		return Attachment{}, err
	case size == 0:
		return Attachment{}, rooms.Invalid("file", "the file is empty")
	}
	now := s.now()
	a := Attachment{ID: AttachmentID(rooms.NewID(now)), ConsultationID: in.ConsultationID, UploaderID: actor.UserID,
		Name: cleanName(file.Name), Size: size, SHA256: sum, CreatedAt: now}
	if err := s.inspect(ctx, &a); err != nil {
		return Attachment{}, err
	}
	return a, s.store.InTx(ctx, func(tx Tx) error {
		if s.cfg.UserBytes > 0 {
			used, err := tx.Uploaded(actor.UserID)
			if err == nil {
				err = s.fits(used, a.Size)
			}
			if err != nil {
				return err
			}
		}
		return tx.InsertAttachment(a)
	})
}

// room tells whether a user may upload so many bytes more, as things stand.
func (s *Service) room(ctx context.Context, user rooms.UserID, size int64) error {
	if s.cfg.UserBytes == 0 {
		return nil
	}
	used, err := s.store.Uploaded(ctx, user)
	if err != nil {
		return err
	}
	return s.fits(used, size)
}

func (s *Service) fits(used, size int64) error {
	if used+size > s.cfg.UserBytes {
		return rooms.TooLarge("file", "all your files together may have at most %d bytes", s.cfg.UserBytes)
	}
	return nil
}

// inspect finds out by its content what a file is, and makes a thumbnail of a
// picture.
func (s *Service) inspect(ctx context.Context, a *Attachment) error {
	content, err := s.blobs.Open(ctx, a.SHA256)
	if err != nil {
		return err
	}
	defer content.Close()
	kind, err := mimetype.DetectReader(content)
	if err != nil {
		return fmt.Errorf("sniff %s: %w", a.SHA256, err)
	}
	a.ContentType = kind.String()
	if recordable(a.ContentType) {
		if err := measure(a, content); err != nil {
			return err
		}
	}
	if !permitted(a.ContentType) {
		return rooms.Invalid("file", "files of type %s are not accepted", a.ContentType)
	}
	switch family, _, _ := strings.Cut(a.ContentType, "/"); family {
	case "image":
		a.Kind = Image
		return s.thumbnail(ctx, a, content)
	case "audio":
		a.Kind = Audio
	default:
		a.Kind = File
	}
	return nil
}

// recordable tells whether recordings come in files of a type: containers of
// sound are taken for those of pictures by how they begin.
func recordable(contentType string) bool {
	switch _, container, _ := strings.Cut(contentType, "/"); container {
	case "webm", "mp4", "x-m4a", "ogg":
		return true
	}
	return false
}

// measure notes what a recording is and how long it plays; what is none stays
// what it looked like.
func measure(a *Attachment, content io.ReadSeeker) error {
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind %s: %w", a.SHA256, err)
	}
	recording, err := sound.Measure(content)
	if errors.Is(err, sound.ErrOther) {
		return nil
	} else if err != nil {
		return fmt.Errorf("measure %s: %w", a.SHA256, err)
	}
	a.ContentType, a.DurationMs = recording.ContentType, recording.Length.Milliseconds()
	return nil
}

func permitted(contentType string) bool {
	for _, prefix := range allowed {
		if strings.HasPrefix(contentType, prefix) {
			return true
		}
	}
	return false
}

// thumbnail notes a picture's size and makes a small one of it. A picture that
// cannot be decoded here (HEIC, a broken file) is kept without.
func (s *Service) thumbnail(ctx context.Context, a *Attachment, content io.ReadSeeker) error {
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind %s: %w", a.SHA256, err)
	}
	size, _, err := image.DecodeConfig(content)
	if err != nil || size.Width <= 0 || size.Height <= 0 {
		return nil
	}
	a.Width, a.Height = size.Width, size.Height
	if size.Width > thumbnailPixels/size.Height {
		return nil
	}
	select {
	case s.images <- struct{}{}:
		defer func() { <-s.images }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind %s: %w", a.SHA256, err)
	}
	turn := orientation(content)
	if turn.swaps() {
		a.Width, a.Height = a.Height, a.Width
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind %s: %w", a.SHA256, err)
	}
	picture, _, err := image.Decode(content)
	if err != nil {
		return nil
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, turn.apply(shrink(picture)), &jpeg.Options{Quality: 80}); err != nil {
		return fmt.Errorf("encode thumbnail: %w", err)
	}
	a.ThumbnailSHA256, _, err = s.blobs.Put(ctx, &out, int64(out.Len()))
	a.HasThumbnail = err == nil
	return err
}

// shrink fits a picture into the square of a thumbnail, on white.
func shrink(picture image.Image) *image.RGBA {
	b := picture.Bounds()
	w, h := b.Dx(), b.Dy()
	if longest := max(w, h); longest > thumbnailSide {
		w, h = max(1, w*thumbnailSide/longest), max(1, h*thumbnailSide/longest)
	}
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(small, small.Bounds(), image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(small, small.Bounds(), picture, b, draw.Over, nil)
	return small
}

// cleanName keeps the last element of a client's file name, without control
// characters, in at most 200 characters.
func cleanName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, name)
	if name == "." || name == ".." || name == "/" || name == "" {
		return "file"
	}
	if utf8.RuneCountInString(name) > 200 {
		name = string([]rune(name)[:200])
	}
	return name
}

func (s *Service) attachment(ctx context.Context, actor rooms.Actor, in AttachmentInput) (Attachment, error) {
	a, recalled, err := s.store.Attachment(ctx, in.AttachmentID)
	if err != nil {
		return Attachment{}, err
	}
	if _, err := s.store.Participant(ctx, a.ConsultationID, actor.UserID); err != nil || recalled {
		if err == nil || rooms.CodeOf(err) == rooms.CodeNotFound {
			err = rooms.NotFound("attachment")
		}
		return Attachment{}, err
	}
	return a, nil
}

// Open reads a file, or its thumbnail, for a participant. The caller closes
// it. Errors: not_found, also for strangers.
func (s *Service) Open(ctx context.Context, actor rooms.Actor, id AttachmentID, thumbnail bool) (Attachment, io.ReadSeekCloser, error) {
	if !rooms.ValidID(string(id)) { // it did not come through a command
		return Attachment{}, nil, rooms.NotFound("attachment")
	}
	a, err := s.attachment(ctx, actor, AttachmentInput{AttachmentID: id})
	if err != nil {
		return Attachment{}, nil, err
	}
	sum := a.SHA256
	if thumbnail {
		if !a.HasThumbnail {
			return Attachment{}, nil, rooms.NotFound("thumbnail")
		}
		sum, a.ContentType = a.ThumbnailSHA256, "image/jpeg"
	}
	content, err := s.blobs.Open(ctx, sum)
	return a, content, err
}
