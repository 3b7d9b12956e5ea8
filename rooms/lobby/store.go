package lobby

import (
	"wenzhen.example/rooms"
)

// Store is what the lobby needs remembered.
type Store interface {
	rooms.Transactions[Tx]
}

// Tx is a transaction over the lobby.
type Tx interface {
	rooms.Tx
	// Lines are the last most lines, the oldest first.
	Lines(most int) ([]Line, error)
	// KeepLine adds a line as number seq and forgets all but the last most.
	KeepLine(seq rooms.Seq, line Line, most int) error
}
