package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/schedule"
)

func missing(r Route) error {
	return fmt.Errorf("route %s %s names command %q, which does not exist", r.Method, r.Path, r.Command)
}

// answer executes a command whose input and answer are JSON.
func (s *server) answer(r Route, command rooms.Handler) gin.HandlerFunc {
	body := readBody
	if r.content == form {
		body = readForm
	}
	read := inputFrom(body, r, command)
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), s.deps.CommandTimeout)
		defer cancel()
		actor, err := s.actor(c, r)
		if err != nil {
			s.refuse(c, r.Command, err)
			return
		}
		in, err := read(c, actor)
		if err != nil {
			s.refuse(c, r.Command, err)
			return
		}
		out, err := s.deps.Catalogue.Answer(ctx, actor, r.Command, in)
		switch {
		case err != nil:
			s.refuse(c, r.Command, err)
		case r.Status == http.StatusNoContent:
			c.Status(r.Status)
		default:
			if r.versioned {
				tag(c, out)
			}
			if r.text != "" {
				s.asFile(c, r, out)
				return
			}
			status := r.Status
			if r.later != nil && r.later(out) {
				status = http.StatusAccepted
			}
			c.Data(status, "application/json; charset=utf-8", out)
		}
	}
}

// asFile sends an answer that is a text as a file to keep.
func (s *server) asFile(c *gin.Context, r Route, out json.RawMessage) {
	var text string
	if err := json.Unmarshal(out, &text); err != nil {
		s.refuse(c, r.Command, err)
		return
	}
	c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": r.file}))
	c.Data(r.Status, r.text, []byte(text))
}

// tag makes the version of an answer its ETag.
func tag(c *gin.Context, out json.RawMessage) {
	var answer struct {
		Version int64 `json:"version"`
	}
	if json.Unmarshal(out, &answer) == nil {
		c.Header("ETag", `"`+strconv.FormatInt(answer.Version, 10)+`"`)
	}
}

// calendar sends a calendar feed: no login but the secret in its name.
func (s *server) calendar(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), s.deps.CommandTimeout)
	defer cancel()
	token, ok := strings.CutSuffix(c.Param("file"), ".ics")
	if !ok {
		s.refuse(c, schedule.Calendar.Name, rooms.NotFound("calendar"))
		return
	}
	in, err := json.Marshal(schedule.CalendarInput{Token: token})
	if err != nil {
		s.refuse(c, schedule.Calendar.Name, err)
		return
	}
	out, err := s.deps.Catalogue.Answer(ctx, rooms.Actor{Address: s.deps.Address(c.Request)}, schedule.Calendar.Name, in)
	var feed string
	if err == nil {
		err = json.Unmarshal(out, &feed)
	}
	if err != nil {
		s.refuse(c, schedule.Calendar.Name, err)
		return
	}
	c.Data(http.StatusOK, "text/calendar; charset=utf-8", []byte(feed))
}

// actor is who asks: a guest without an Authorization header.
func (s *server) actor(c *gin.Context, r Route) (rooms.Actor, error) {
	from := rooms.Actor{Address: s.deps.Address(c.Request), Agent: c.Request.UserAgent()}
	header := c.GetHeader("Authorization")
	if header == "" || r.Anonymous {
		return from, nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return from, rooms.Unauthenticated("the Authorization header must be Bearer and an access token")
	}
	actor, _, err := s.deps.Accounts.Authenticate(c.Request.Context(), strings.TrimSpace(token))
	if err != nil {
		return from, err
	}
	actor.Address, actor.Agent = from.Address, from.Agent
	return actor, nil
}

// inputOf makes a command's input of a JSON body, query and path, which wins.
func inputOf(r Route, command rooms.Handler) func(*gin.Context, rooms.Actor) (json.RawMessage, error) {
	return inputFrom(readBody, r, command)
}

func inputFrom(readBody func(*gin.Context) (json.RawMessage, error), r Route, command rooms.Handler) func(*gin.Context, rooms.Actor) (json.RawMessage, error) {
	kinds := fieldKinds(command.In)
	_, versioned := kinds["version"]
	return func(c *gin.Context, actor rooms.Actor) (json.RawMessage, error) {
		body, err := readBody(c)
		if err != nil {
			return nil, err
		}
		query := c.Request.URL.Query()
		key := c.GetHeader("Idempotency-Key")
		match := strings.Trim(c.GetHeader("If-Match"), `"`)
		if len(c.Params) == 0 && len(query) == 0 && (key == "" || !r.idempotent) && (match == "" || !versioned) {
			return body, nil
		}
		fields := map[string]json.RawMessage{}
		if len(body) > 0 {
			if fields, err = rooms.Members(body); err != nil {
				return nil, err
			}
		}
		for name, values := range query {
			if _, known := kinds[name]; known {
				if len(values) > 1 {
					return nil, rooms.Invalid(name, "%s is given twice", name)
				}
				if fields[name], err = scalar(name, values[0], kinds[name]); err != nil {
					return nil, err
				}
			}
		}
		for _, p := range c.Params {
			if fields[p.Key], err = scalar(p.Key, p.Value, kinds[p.Key]); err != nil {
				return nil, err
			}
		}
		if versioned && match != "" && match != "*" {
			if fields["version"], err = scalar("version", match, reflect.Int64); err != nil {
				return nil, err
			}
		}
		if _, given := fields["id"]; r.idempotent && key != "" && !given {
			fields["id"], _ = json.Marshal(idFor(actor, key)) // a string always encodes
		}
		return json.Marshal(fields)
	}
}

// idFor makes an id of an Idempotency-Key, so that the same key of the same
// user names the same thing: a UUIDv8 (RFC 9562 section 5.8) over both.
func idFor(actor rooms.Actor, key string) string {
	sum := sha256.Sum256([]byte(string(actor.UserID) + "\n" + key))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// fieldKinds are the JSON fields of an input and what Go makes of them.
func fieldKinds(t reflect.Type) map[string]reflect.Kind {
	kinds := map[string]reflect.Kind{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		kind := t.Field(i).Type.Kind()
		if kind == reflect.Pointer {
			kind = t.Field(i).Type.Elem().Kind()
		}
		kinds[name] = kind
	}
	return kinds
}

// scalar writes a parameter as the JSON that the field wants.
func scalar(name, value string, kind reflect.Kind) (json.RawMessage, error) {
	switch kind {
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, rooms.Invalid(name, "%s must be a whole number", name)
		}
		return json.RawMessage(strconv.FormatInt(n, 10)), nil // "+5" and "007" are no JSON
	case reflect.Bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return nil, rooms.Invalid(name, "%s must be true or false", name)
		}
		return json.RawMessage(strconv.FormatBool(b)), nil
	}
	return json.Marshal(value)
}

func readBody(c *gin.Context) (json.RawMessage, error) {
	if c.Request.ContentLength == 0 {
		return nil, nil
	}
	if kind, _, err := mime.ParseMediaType(c.ContentType()); c.ContentType() != "" && (err != nil || kind != "application/json") {
		return nil, rooms.Invalid("", "the body must be application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, bodyBytes))
	switch {
	case err != nil:
		return nil, bodyError("", err, bodyBytes)
	case !utf8.Valid(body):
		return nil, rooms.Invalid("", "the body is not valid UTF-8")
	}
	return bytes.TrimSpace(body), nil
}

// bodyError is why a body could not be read: the client's doing, not ours.
func bodyError(field string, err error, most int64) error {
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return rooms.TooLarge(field, "the body may have at most %d bytes", most)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return rooms.Invalid(field, "the body came too slowly")
	}
	return rooms.Invalid(field, "the body ended early or is not well-formed")
}

// upload executes a command that has a file: multipart/form-data, field `file`.
func (s *server) upload(r Route, command rooms.Handler) gin.HandlerFunc {
	most := s.deps.AttachmentBytes + bodyBytes
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), s.deps.UploadTimeout)
		defer cancel()
		actor, err := s.actor(c, r)
		ctx, release := s.deps.Leases.Start(ctx, actor)
		defer release()
		if err == nil {
			// Nobody uploads who may not even ask.
			err = s.deps.Catalogue.Allow(ctx, actor, command)
		}
		if err != nil {
			s.refuseUpload(c, r.Command, err, c.Request.Body)
			return
		}
		control, sent := http.NewResponseController(c.Writer), c.Request.Body
		arriveWithin(control, s.deps.UploadTimeout)
		_ = control.SetWriteDeadline(time.Now().Add(s.deps.UploadTimeout + s.stall())) // of the answer; a test's connection has none
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, most)
		file, err := filePart(c.Request, s.deps.AttachmentBytes)
		if err != nil {
			s.refuseUpload(c, r.Command, err, sent)
			return
		}
		in, err := json.Marshal(map[string]string{"consultationId": c.Param("consultationId")})
		if err != nil {
			s.refuse(c, r.Command, err)
			return
		}
		out, err := s.deps.Catalogue.Answer(rooms.WithUpload(ctx, file), actor, r.Command, in)
		if err != nil {
			s.refuseUpload(c, r.Command, err, sent)
			return
		}
		c.Data(r.Status, "application/json; charset=utf-8", out)
	}
}

// What a multipart body may have before its file: other fields of forms, which
// are not read. A part can be ten bytes long and takes some hundred in memory.
const (
	leadingParts = 20
	leadingBytes = 64 << 10
)

// filePart finds the field `file` of a multipart body; it is read as it comes,
// never held whole.
func filePart(r *http.Request, most int64) (*rooms.Upload, error) {
	begin := &leading{ReadCloser: r.Body, left: leadingBytes}
	r.Body = begin
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, rooms.Invalid("file", "the body must be multipart/form-data")
	}
	for range leadingParts + 1 {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil, rooms.Invalid("file", "field `file` is missing")
		case errors.Is(err, errLeading):
			return nil, tooMuchLeading()
		case err != nil:
			return nil, bodyError("file", err, most)
		case part.FormName() == "file":
			begin.left = math.MaxInt64
			return &rooms.Upload{Name: part.FileName(), Body: body{part, most}}, nil
		}
	}
	return nil, tooMuchLeading()
}

var errLeading = errors.New("too much before the file")

func tooMuchLeading() error {
	return rooms.TooLarge("file", "field `file` may have at most %d fields and %d bytes before it", leadingParts, leadingBytes)
}

// leading is a body of which so many bytes are left to be read.
type leading struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (l *leading) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLeading
	}
	n, err := l.ReadCloser.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// body gives the errors of reading a request's body their code.
type body struct {
	io.Reader
	most int64
}

// Read implements io.Reader.
func (b body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = bodyError("file", err, b.most)
	}
	return n, err
}

// rangesMost is how many ranges of a file can be asked for at a time. For each,
// a chunk of an encrypted file is read and decrypted, and 150 bytes are sent.
const rangesMost = 8

// download sends a file to a participant, for as long as they are one. It is never shown as a page of ours:
// it comes as an attachment, its type is not guessed, and nothing in it may run.
func (s *server) download(r Route, command rooms.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		actor, err := s.actor(c, r)
		ctx, release := s.deps.Leases.Start(c.Request.Context(), actor)
		defer release()
		if err == nil {
			err = s.deps.Catalogue.Allow(ctx, actor, command)
		}
		if err != nil {
			s.refuse(c, r.Command, err)
			return
		}
		a, content, err := s.deps.Attachments.Open(ctx, actor, chat.AttachmentID(c.Param("attachmentId")), r.content == thumbnail)
		if err != nil {
			s.refuse(c, r.Command, err)
			return
		}
		defer content.Close()
		h := c.Writer.Header()
		h.Set("Content-Type", a.ContentType)
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.Name}))
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("ETag", `"`+a.SHA256+r.content.suffix()+`"`)
		if strings.Count(c.GetHeader("Range"), ",") >= rangesMost {
			c.Request.Header.Del("Range") // the answer is the whole file (RFC 9110 section 14.2)
		}
		w, done := s.writeSlowly(ctx, c.Writer)
		defer done()
		http.ServeContent(w, c.Request, "", a.CreatedAt, content)
		if ctx.Err() != nil && c.Request.Context().Err() == nil { // the access ended, not the client
			panic(http.ErrAbortHandler) // what arrived must not be taken for whole
		}
	}
}

func (c content) suffix() string {
	if c == thumbnail {
		return "-thumbnail"
	}
	return ""
}
