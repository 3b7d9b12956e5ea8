package client

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
)

// Upload uploads a file to a consultation; a message then refers to it by its
// id. The file is sent while it is read, so the request is not repeated: after an
// error, call Upload again with a new reader. Upload does not return during a Read.
func (c *Client) Upload(ctx context.Context, id consultation.ID, name string, file io.Reader) (chat.Attachment, error) {
	var a chat.Attachment
	route, _ := routeOf(chat.Upload.Name)
	path, err := fillPath(route.Path, map[string]json.RawMessage{"consultationId": mustString(string(id))})
	if err != nil {
		return a, err
	}
	token, err := c.AccessToken(ctx)
	if err != nil {
		return a, err
	}
	body, write := io.Pipe()
	form := multipart.NewWriter(write)
	written := make(chan struct{})
	go func() { // ends with the request, which closes the pipe
		defer close(written)
		part, err := form.CreateFormFile("file", name)
		if err == nil {
			_, err = io.Copy(part, file)
		}
		if err == nil {
			err = form.Close()
		}
		write.CloseWithError(err)
	}()
	defer func() {
		body.Close()
		<-written
	}()
	request, err := http.NewRequestWithContext(ctx, route.Method, c.base+"/api/v1"+path, body)
	if err != nil {
		return a, rooms.Invalid("", "%v", err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	response, err := c.request(request, token)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		return a, rooms.Unavailable(err, "the answer to the upload is incomplete")
	}
	return a, nil
}

// File is a file that is being downloaded. The caller must close it.
type File struct {
	io.ReadCloser
	Name, ContentType string
	Size              int64 // bytes; -1 if unknown
}

// Download downloads a file of a consultation of the user.
func (c *Client) Download(ctx context.Context, id chat.AttachmentID) (File, error) {
	route, _ := routeOf(chat.Download.Name)
	return c.fetch(ctx, route.Path, id)
}

// Thumbnail downloads the small version of a picture that has one.
func (c *Client) Thumbnail(ctx context.Context, id chat.AttachmentID) (File, error) {
	return c.fetch(ctx, thumbnailPath, id)
}

func (c *Client) fetch(ctx context.Context, route string, id chat.AttachmentID) (File, error) {
	path, err := fillPath(route, map[string]json.RawMessage{"attachmentId": mustString(string(id))})
	if err != nil {
		return File{}, err
	}
	return authorized(ctx, c, func(token string) (File, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/v1"+path, nil)
		if err != nil {
			return File{}, rooms.Invalid("", "%v", err)
		}
		response, err := c.request(request, token)
		if err != nil {
			return File{}, err
		}
		f := File{ReadCloser: response.Body, ContentType: response.Header.Get("Content-Type"), Size: response.ContentLength}
		if _, params, err := mime.ParseMediaType(response.Header.Get("Content-Disposition")); err == nil {
			f.Name = strings.ReplaceAll(params["filename"], "/", "_") // the server sends none with a slash
		}
		return f, nil
	})
}

func mustString(s string) json.RawMessage {
	b, _ := json.Marshal(s) // strings always encode
	return b
}
