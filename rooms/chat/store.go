package chat

import (
	"context"
	"io"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// Store is what chat needs remembered. A thing that is not there is an
// *rooms.Error of code not_found. Messages come back as the record has them,
// content of recalled ones included; the service hides it.
type Store interface {
	rooms.Transactions[Tx]
	// In is the transaction of another feature as one of this.
	In(tx rooms.Tx) Tx

	// Speaker is what user may say in a consultation; not_found for a stranger.
	Speaker(ctx context.Context, id consultation.ID, user rooms.UserID) (consultation.Speaker, error)
	Participant(ctx context.Context, id consultation.ID, user rooms.UserID) (consultation.Participant, error)
	// Messages are the last limit messages between two seqs, both exclusive,
	// oldest first; before 0 means from the end.
	Messages(ctx context.Context, id consultation.ID, after, before rooms.Seq, limit int) ([]Message, error)
	Search(ctx context.Context, q Query) ([]Message, error)
	// Attachment also reports whether the message with it was recalled.
	Attachment(ctx context.Context, id AttachmentID) (a Attachment, recalled bool, err error)
	// ShownAfter reports whether an attachment was sent after a seq, or is a
	// board's background since then.
	ShownAfter(ctx context.Context, id AttachmentID, after rooms.Seq) (bool, error)
	// Uploaded is how many bytes the files of a user have together.
	Uploaded(ctx context.Context, user rooms.UserID) (int64, error)
	QuickReplies(ctx context.Context, doctor rooms.UserID) ([]QuickReply, error)
}

// Tx is a transaction over chat and the consultations that it happens in.
type Tx interface {
	consultation.Tx
	Speaker(id consultation.ID, user rooms.UserID) (consultation.Speaker, error)
	// MessageByClientID finds what a sender's device has sent under an id.
	MessageByClientID(id consultation.ID, sender rooms.UserID, clientID string) (Message, error)
	Message(id MessageID) (Message, error)
	// InsertMessage makes the event that is recorded next, in the room and with the
	// seq of m, the message m.
	InsertMessage(m Message) error
	// RecallMessage makes left, which is recalled, what the log shows of a message.
	// What it said is kept beside it for the audit.
	RecallMessage(left Message) error
	// ForeignMessage reports whether another user has a message in (after, upTo].
	ForeignMessage(id consultation.ID, user rooms.UserID, after, upTo rooms.Seq) (bool, error)
	SaveWatermarks(id consultation.ID, p consultation.Participant) error
	LastSeq(room rooms.RoomID) (rooms.Seq, error)
	Attachment(id AttachmentID) (Attachment, error)
	Uploaded(user rooms.UserID) (int64, error)
	InsertAttachment(Attachment) error
	SaveQuickReplies(doctor rooms.UserID, list []QuickReply) error

	retentionTx
}

// Query is a page of messages that match words, latest first, in the
// consultations that User takes part in, as far back as User may see there.
type Query struct {
	User         rooms.UserID
	Words        string
	Consultation consultation.ID // "" for all
	After        *rooms.Cursor
	Limit        int
}

// Blobs keeps the content of files under its SHA-256.
type Blobs interface {
	// Receive reads r to its end, up to most bytes; past them it is too_large.
	// What it returns is closed by the caller.
	Receive(ctx context.Context, r io.Reader, most int64) (Received, error)
	// Open reads back what was kept; not_found for what never was.
	Open(ctx context.Context, sha256 string) (io.ReadSeekCloser, error)
	// Remove removes a content that was last kept before a time; one that is not
	// there is no error.
	Remove(ctx context.Context, sha256 string, before time.Time) error
}

// Received is a content that was read, from its beginning, and that is not kept
// yet.
type Received interface {
	io.ReadSeeker
	SHA256() string
	Size() int64
	// Keep stores the content. When it returns the content is on disk.
	Keep() error
	// Close forgets what was not kept.
	Close() error
}
