package consultation

import (
	"encoding/json"
	"time"

	"wenzhen.example/rooms"
)

// Note is what a feature has to say in the conversation: that a call was
// missed, that a diagnosis was signed. It becomes a message of the feature's
// own kind.
type Note struct {
	ConsultationID ID
	SenderID       rooms.UserID
	Kind           string // a chat.Kind
	// ClientID makes the note one of a kind: a second with the same is refused.
	ClientID string
	Text     string
	// Detail is the feature's own description, as JSON.
	Detail json.RawMessage
	At     time.Time
}

// Notes puts notes into conversations.
type Notes interface {
	// Note writes n as a message, with its event, in the transaction. It needs
	// nobody's leave: what happened is said in any state of the consultation.
	Note(tx Tx, actor rooms.Actor, n Note) error
}
