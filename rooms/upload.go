package rooms

import (
	"context"
	"io"
)

// Upload is a file that comes with a command. Like a Subscriber it travels in
// the context, so that an upload is a command like any other.
type Upload struct {
	Name string // as the client calls it; never a path on this machine
	Body io.Reader
}

type uploadKey struct{}

// WithUpload puts a file into the context of a command.
func WithUpload(ctx context.Context, u *Upload) context.Context {
	return context.WithValue(ctx, uploadKey{}, u)
}

// UploadOf is the file that came with the command, or nil.
func UploadOf(ctx context.Context) *Upload {
	u, _ := ctx.Value(uploadKey{}).(*Upload)
	return u
}
