package chat

import (
	"encoding/json"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// MessageID names a message.
type MessageID string

// AttachmentID names an attachment.
type AttachmentID string

// Kind is what a message is.
type Kind string

// The kinds. People send text, image, file and audio; the others are
// written by the features that own them.
const (
	Text         Kind = "text"
	Image        Kind = "image"
	File         Kind = "file"
	Audio        Kind = "audio"
	System       Kind = "system"
	Call         Kind = "call"
	Diagnosis    Kind = "diagnosis"
	Prescription Kind = "prescription"
)

// Message is something said in a consultation.
type Message struct {
	ID             MessageID       `json:"id"`
	ClientID       string          `json:"clientId"`
	ConsultationID consultation.ID `json:"consultationId"`
	// Seq is that of the message:created that announced it.
	Seq        rooms.Seq    `json:"seq"`
	SenderID   rooms.UserID `json:"senderId"`
	Kind       Kind         `json:"kind"`
	Text       string       `json:"text,omitempty"`
	Attachment *Attachment  `json:"attachment,omitempty"`
	// Peaks make an audio message a voice message: how loud it is from its
	// beginning to its end, 1 to 100 values of 0 to 100.
	Peaks   []int     `json:"peaks,omitempty"`
	ReplyTo MessageID `json:"replyTo,omitempty"`
	// Detail is what the feature whose kind it is says about it: of a call its
	// outcome and duration.
	Detail    json.RawMessage `json:"detail,omitempty"`
	CreatedAt time.Time       `json:"createdAt"`
	// RecalledAt is set when the sender took it back; Text, Attachment and
	// Peaks are then empty for everyone.
	RecalledAt *time.Time `json:"recalledAt,omitempty"`
}

// personal tells what people say from what features note.
func (k Kind) personal() bool { return k == Text || k == Image || k == File || k == Audio }

// Recalled is the message as everyone sees it after a recall.
func (m Message) Recalled(at time.Time) Message {
	m.Text, m.Attachment, m.Peaks, m.RecalledAt = "", nil, nil, &at
	return m
}

// Attachment is a file in a consultation. It is fetched by its id, by
// participants alone.
type Attachment struct {
	ID             AttachmentID    `json:"id"`
	ConsultationID consultation.ID `json:"consultationId"`
	UploaderID     rooms.UserID    `json:"uploaderId"`
	Kind           Kind            `json:"kind"` // image, audio or file, by content
	Name           string          `json:"name"`
	Size           int64           `json:"size"` // bytes
	ContentType    string          `json:"contentType"`
	SHA256         string          `json:"sha256"` // hex
	Width          int             `json:"width,omitempty"`
	Height         int             `json:"height,omitempty"`
	// DurationMs is how long a recording plays, in milliseconds, as its
	// container has it (WebM, Ogg or MP4 with sound alone); 0 for other files.
	DurationMs int64 `json:"durationMs,omitempty"`
	// HasThumbnail says that /attachments/:id/thumbnail answers.
	HasThumbnail bool      `json:"hasThumbnail"`
	CreatedAt    time.Time `json:"createdAt"`
	// ThumbnailSHA256 names the thumbnail's content.
	ThumbnailSHA256 string `json:"-"`
}

// Receipt is how far someone got: everything up to UpToSeq.
type Receipt struct {
	ConsultationID consultation.ID `json:"consultationId"`
	UserID         rooms.UserID    `json:"userId"`
	UpToSeq        rooms.Seq       `json:"upToSeq"`
}

// QuickReply is a text that a doctor keeps at hand.
type QuickReply struct {
	ID   string `json:"id"`
	Text string `json:"text" limit:"1..1000"`
}
