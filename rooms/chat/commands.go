package chat

import (
	"slices"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// The commands of chat.
var (
	Send = rooms.Command[SendInput, Message]{Name: "message:send", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Send a message in a consultation. Sending the same clientId and content again returns the first result."}
	Recall = rooms.Command[MessageInput, Message]{Name: "message:recall", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Recall a message of the caller within 2 minutes."}
	MarkRead = rooms.Command[ReceiptInput, Receipt]{Name: "message:read", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Mark messages as read up to a seq; the watermark only grows."}
	MarkDelivered = rooms.Command[ReceiptInput, Receipt]{Name: "message:receive", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Mark messages as delivered up to a seq; the watermark only grows."}
	StartTyping = rooms.Command[TypingInput, rooms.Nothing]{Name: "typing:start", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Rate:   rooms.Rate{PerSecond: 5, Burst: 50},
		Doc:    "Report that the caller is typing; valid for 6 seconds."}
	StopTyping = rooms.Command[TypingInput, rooms.Nothing]{Name: "typing:stop", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Report that the caller has stopped typing."}

	History = rooms.Command[HistoryInput, MessagePage]{Name: "message:list", For: rooms.Users, Access: rooms.Participants,
		Doc: "List messages of a consultation backwards, page by page; each page is oldest first."}
	Search = rooms.Command[SearchInput, Found]{Name: "message:search", For: rooms.Users, Access: rooms.Participants,
		Rate: rooms.Rate{PerSecond: 5, Burst: 30},
		Doc:  "Find messages in the caller's consultations, latest first."}

	Upload = rooms.Command[UploadInput, Attachment]{Name: "attachment:upload", For: rooms.Users, Access: rooms.Participants,
		Rate: rooms.Rate{PerSecond: 5, Burst: 50},
		Doc:  "Upload a file to a consultation (multipart field `file`); a message then refers to it."}
	Download = rooms.Command[AttachmentInput, Attachment]{Name: "attachment:read", For: rooms.Users, Access: rooms.Participants,
		Doc: "Download a file of a consultation that the caller takes part in."}

	QuickReplies = rooms.Command[rooms.Nothing, QuickReplyList]{Name: "quick-reply:list", For: rooms.Doctors, Access: rooms.Own,
		Doc: "List the caller's quick replies."}
	SaveQuickReplies = rooms.Command[QuickReplyList, QuickReplyList]{Name: "quick-reply:save", For: rooms.Doctors, Access: rooms.Own,
		Doc: "Replace the caller's quick replies, in this order; at most 100."}
)

// What happens in chat.
var (
	MessageCreated   = rooms.EventType[Message]{Name: "message:created", Doc: "A message was sent."}
	MessageRecalled  = rooms.EventType[Message]{Name: "message:recalled", Doc: "A message was recalled; data is what remains of it."}
	MessageRead      = rooms.EventType[Receipt]{Name: "message:read", Doc: "A participant has read the messages up to a seq."}
	MessageDelivered = rooms.EventType[Receipt]{Name: "message:delivered", Doc: "Messages up to a seq have arrived on a device of a participant."}

	TypingStarted = rooms.SignalType[Typing]{Name: "typing:started", Doc: "A participant is typing; valid for 6 seconds."}
	TypingStopped = rooms.SignalType[Typing]{Name: "typing:stopped", Doc: "A participant has stopped typing."}
)

// TextLimit is the length of a message in characters.
var TextLimit = rooms.MostOf[SendInput]("Text")

// PeaksLimit is how many peaks a voice message may have.
var PeaksLimit = rooms.MostOf[SendInput]("Peaks")

// PeakLimit is how high a peak may be.
const PeakLimit = 100

// SendInput says something.
type SendInput struct {
	ConsultationID consultation.ID `json:"consultationId" limit:"id"`
	ClientID       string          `json:"clientId" limit:"id"`
	Kind           Kind            `json:"kind"` // text, image, file or audio
	// Peaks make an audio message a voice message: how loud the recording is
	// from beginning to end, 1 to 100 values of 0 to 100.
	Peaks        []int        `json:"peaks,omitempty" limit:"..100"`
	Text         string       `json:"text,omitempty" limit:"..10000"`
	AttachmentID AttachmentID `json:"attachmentId,omitempty"`
	ReplyTo      MessageID    `json:"replyTo,omitempty"`
}

// Validate implements rooms.Validator.
func (in SendInput) Validate() error {
	switch {
	case in.ConsultationID == "":
		return rooms.Invalid("consultationId", "consultationId is missing")
	}
	if err := in.validatePeaks(); err != nil {
		return err
	}
	switch in.Kind {
	case Text:
		if strings.TrimSpace(in.Text) == "" {
			return rooms.Invalid("text", "say something")
		}
		if in.AttachmentID != "" {
			return rooms.Invalid("attachmentId", "a text message has no attachment")
		}
	case Image, File, Audio:
		if in.AttachmentID == "" {
			return rooms.Invalid("attachmentId", "a message of kind %s needs an attachment", in.Kind)
		}
	default:
		return rooms.Invalid("kind", "kind must be text, image, file or audio")
	}
	return nil
}

func (in SendInput) validatePeaks() error {
	switch {
	case len(in.Peaks) == 0:
		return nil
	case in.Kind != Audio:
		return rooms.Invalid("peaks", "a message of kind %s has no peaks", in.Kind)
	case slices.Min(in.Peaks) < 0 || slices.Max(in.Peaks) > PeakLimit:
		return rooms.Invalid("peaks", "a peak is from 0 to %d", PeakLimit)
	}
	return nil
}

// MessageInput names a message.
type MessageInput struct {
	ConsultationID consultation.ID `json:"consultationId"`
	MessageID      MessageID       `json:"messageId"`
}

// ReceiptInput moves a watermark.
type ReceiptInput struct {
	ConsultationID consultation.ID `json:"consultationId"`
	UpToSeq        rooms.Seq       `json:"upToSeq" limit:"0.."`
}

// TypingInput names where one writes.
type TypingInput struct {
	ConsultationID consultation.ID `json:"consultationId"`
}

// Typing is who writes where.
type Typing struct {
	ConsultationID consultation.ID `json:"consultationId"`
	UserID         rooms.UserID    `json:"userId"`
}

// HistoryInput pages back from a seq (exclusive), or from the end. Limit is 1
// to 200, 50 by default.
type HistoryInput struct {
	ConsultationID consultation.ID `json:"consultationId"`
	Before         rooms.Seq       `json:"before,omitempty"`
	Limit          int             `json:"limit,omitempty" limit:"1..200"`
}

// MessagePage is a stretch of messages, oldest first; HasMore says that older
// ones are left.
type MessagePage struct {
	Items   []Message `json:"items"`
	HasMore bool      `json:"hasMore"`
}

// SearchInput looks for words; Chinese needs no spaces. Limit is 1 to 100, 20
// by default.
type SearchInput struct {
	Q              string          `json:"q" limit:"1..200"`
	ConsultationID consultation.ID `json:"consultationId,omitempty"`
	Cursor         string          `json:"cursor,omitempty"`
	Limit          int             `json:"limit,omitempty" limit:"1..100"`
}

// Found is a page of messages that match.
type Found struct {
	Items      []Message `json:"items"`
	NextCursor string    `json:"nextCursor"`
}

// UploadInput names the consultation that a file goes to.
type UploadInput struct {
	ConsultationID consultation.ID `json:"consultationId"`
}

// AttachmentInput names an attachment.
type AttachmentInput struct {
	AttachmentID AttachmentID `json:"attachmentId"`
}

// QuickReplyList is a doctor's quick replies, in the doctor's order.
type QuickReplyList struct {
	Items      []QuickReply `json:"items" limit:"..100"`
	NextCursor string       `json:"nextCursor"`
}
