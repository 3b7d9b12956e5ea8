package e2e

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"testing"

	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
)

// Form is a multipart body with a file.
func Form(t testing.TB, name string, content []byte) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	f := multipart.NewWriter(&b)
	part, err := f.CreateFormFile("file", name)
	Must(t, err)
	_, err = part.Write(content)
	Must(t, err)
	Must(t, f.Close())
	return b.String(), f.FormDataContentType()
}

// SomePNG is a picture.
func SomePNG(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	Must(t, png.Encode(&b, image.NewRGBA(image.Rect(0, 0, width, height))))
	return b.Bytes()
}

// Uploads puts a file into a consultation.
func (p *Person) Uploads(id consultation.ID, name string, content []byte) chat.Attachment {
	p.World.T.Helper()
	a, err := p.Upload(p.World.T.Context(), id, name, bytes.NewReader(content))
	Must(p.World.T, err)
	return a
}
