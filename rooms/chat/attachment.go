package chat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat/picture"
	"wenzhen.example/rooms/chat/sound"
	"wenzhen.example/rooms/consultation"
)

// allowed are the types that may be uploaded, found by content. What a browser
// would run (HTML, SVG, script) and programs are not among them.
var allowed = []string{
	"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/heic", "image/heif", "image/avif",
	"audio/", "video/mp4", "video/webm", "video/quicktime",
	"application/pdf", "application/dicom", "application/zip", "text/plain", "text/csv", "text/rtf",
	"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.openxmlformats-", "application/vnd.oasis.opendocument.",
}

// uploadsAtOnce is how many files of one user are received, and lie on disk
// without being kept, at the same time; more of them wait.
const uploadsAtOnce = 4

func (s *Service) upload(ctx context.Context, actor rooms.Actor, in UploadInput) (Attachment, error) {
	file := rooms.UploadOf(ctx)
	if file == nil {
		return Attachment{}, rooms.Invalid("file", "send the file as multipart field `file`")
	}
	rooms.DependOn(ctx, in.ConsultationID.Room())
	me, err := s.store.Speaker(ctx, in.ConsultationID, actor.UserID)
	if err != nil {
		return Attachment{}, err
	}
	if err := me.May(); err != nil {
		return Attachment{}, err
	}
	if err := s.refused.may(actor.UserID); err != nil {
		return Attachment{}, err
	}
	if err := s.room(ctx, actor.UserID, 1); err != nil { // before it is read
		return Attachment{}, err
	}
	done, err := s.receiving.Take(ctx, string(actor.UserID))
	if err != nil {
		return Attachment{}, err
	}
	defer done()
	body := &counted{from: file.Body}
	a, err := s.receive(ctx, actor.UserID, in.ConsultationID, rooms.Upload{Name: file.Name, Body: body})
	if code := rooms.CodeOf(err); code == rooms.CodeInvalid || code == rooms.CodeTooLarge || ctx.Err() != nil {
		s.refused.note(actor.UserID, body.n)
	}
	return a, err
}

// receive reads a file and judges it. Nothing of it is on disk under a name
// that lasts before it has passed.
func (s *Service) receive(ctx context.Context, user rooms.UserID, id consultation.ID, file rooms.Upload) (Attachment, error) {
	begin, err := beginning(file.Body)
	if err != nil {
		return Attachment{}, err
	}
	now := s.now()
	a := Attachment{ID: AttachmentID(rooms.NewID(now)), ConsultationID: id, UploaderID: user,
		Name: cleanName(file.Name), ContentType: mimetype.Detect(begin).String(), CreatedAt: now}
	switch {
	case len(begin) == 0:
		return Attachment{}, rooms.Invalid("file", "the file is empty")
	case !permitted(a.ContentType) && !recordable(a.ContentType):
		// It is read on, for a client that still sends does not hear the answer.
		_, _ = io.CopyN(io.Discard, file.Body, s.cfg.AttachmentBytes)
		return Attachment{}, notAccepted(a.ContentType)
	}
	content, err := s.blobs.Receive(ctx, io.MultiReader(bytes.NewReader(begin), file.Body), s.cfg.AttachmentBytes)
	if err != nil {
		return Attachment{}, err
	}
	defer content.Close()
	a.SHA256, a.Size = content.SHA256(), content.Size()
	if err := s.room(ctx, user, a.Size); err != nil { // before it is looked into
		return Attachment{}, err
	}
	small, err := s.inspect(ctx, &a, content)
	if err != nil {
		return Attachment{}, err
	}
	err = s.keep(ctx, &a, content, small)
	return a, err
}

// keep stores a file, with its thumbnail if there is one, and then its row. One
// file of a user is kept after the other, so that of several the later ones are
// refused before they are stored.
func (s *Service) keep(ctx context.Context, a *Attachment, content Received, small []byte) error {
	done, err := s.keeping.Take(ctx, string(a.UploaderID))
	if err != nil {
		return err
	}
	defer done()
	if err := s.room(ctx, a.UploaderID, a.Size); err != nil {
		return err
	}
	if err := content.Keep(); err != nil {
		return err
	}
	if a.HasThumbnail = len(small) > 0; a.HasThumbnail {
		thumbnail, err := s.blobs.Receive(ctx, bytes.NewReader(small), int64(len(small)))
		if err != nil {
			return err
		}
		defer thumbnail.Close()
		if err := thumbnail.Keep(); err != nil {
			return err
		}
		a.ThumbnailSHA256 = thumbnail.SHA256()
	}
	return s.store.InTx(ctx, func(tx Tx) error {
		if _, err := tx.Participant(a.ConsultationID, a.UploaderID); err != nil {
			return err // access was lost while the file came
		}
		if s.cfg.UserBytes > 0 {
			used, err := tx.Uploaded(a.UploaderID)
			if err == nil {
				err = s.fits(used, a.Size)
			}
			if err != nil {
				return err
			}
		}
		return tx.InsertAttachment(*a)
	})
}

// beginning is what the type of a file is found by; shorter only if the file is.
func beginning(r io.Reader) ([]byte, error) {
	begin := make([]byte, 3072)
	n, err := io.ReadFull(r, begin)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return begin[:n], err
}

// counted counts what is read.
type counted struct {
	from io.Reader
	n    int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}

// room reports whether a user may upload so many bytes more, as things stand.
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
// picture, nil if it gets none. Looking into a file takes memory and time, so
// that users take turns.
func (s *Service) inspect(ctx context.Context, a *Attachment, content io.ReadSeeker) (small []byte, err error) {
	if recordable(a.ContentType) {
		if err := s.measure(ctx, a, content); err != nil {
			return nil, err
		}
	}
	if !permitted(a.ContentType) {
		return nil, notAccepted(a.ContentType)
	}
	switch family, _, _ := strings.Cut(a.ContentType, "/"); family {
	case "image":
		a.Kind = Image
		done, err := s.drawing.Take(ctx, string(a.UploaderID))
		if err != nil {
			return nil, err
		}
		defer done()
		p, err := picture.Read(ctx, content, s.cfg.PictureFor)
		if err != nil {
			return nil, fmt.Errorf("read picture %s: %w", a.SHA256, err)
		}
		a.Width, a.Height = p.Width, p.Height
		return p.Thumbnail, nil
	case "audio":
		a.Kind = Audio
	default:
		a.Kind = File
	}
	return nil, nil
}

func notAccepted(contentType string) error {
	return rooms.Invalid("file", "files of type %s are not accepted", contentType)
}

// recordable reports whether recordings come in files of a type: containers of
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
func (s *Service) measure(ctx context.Context, a *Attachment, content io.ReadSeeker) error {
	done, err := s.measuring.Take(ctx, string(a.UploaderID))
	if err != nil {
		return err
	}
	defer done()
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind %s: %w", a.SHA256, err)
	}
	recording, err := sound.Measure(ctx, content)
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

// nameMost is how many characters the name of a file may have, and
// extensionMost how many of them are kept for its extension.
const nameMost, extensionMost = 200, 20

// cleanName keeps the last element of a client's file name, without control
// characters. What is too long is cut before its extension, without which
// nothing would open the file.
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
	if utf8.RuneCountInString(name) <= nameMost {
		return name
	}
	extension := []rune(path.Ext(name))
	if len(extension) > extensionMost {
		extension = nil
	}
	return string([]rune(name)[:nameMost-len(extension)]) + string(extension)
}

func (s *Service) attachment(ctx context.Context, actor rooms.Actor, in AttachmentInput) (Attachment, error) {
	a, recalled, err := s.store.Attachment(ctx, in.AttachmentID)
	if err != nil {
		return Attachment{}, err
	}
	rooms.DependOn(ctx, a.ConsultationID.Room())
	me, err := s.store.Participant(ctx, a.ConsultationID, actor.UserID)
	shown := !recalled
	if err == nil && shown && me.Since > 0 && a.UploaderID != actor.UserID {
		shown, err = s.store.ShownAfter(ctx, a.ID, me.Since)
	}
	if err == nil && !shown || rooms.CodeOf(err) == rooms.CodeNotFound {
		err = rooms.NotFound("attachment")
	}
	if err != nil {
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
