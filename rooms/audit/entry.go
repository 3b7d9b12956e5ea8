package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"wenzhen/rooms"
)

// LogEntry is one line of the log.
type LogEntry struct {
	// Num counts 1, 2, 3 … without a gap.
	Num int64 `json:"num"`
	// At is in UTC, to the microsecond.
	At      time.Time    `json:"at"`
	ActorID rooms.UserID `json:"actorId"`
	Role    rooms.Role   `json:"role"`
	// Address is where the request came from, "" for the server itself.
	Address string `json:"address,omitempty"`
	// Action is the name of the command that did it.
	Action string `json:"action"`
	// Subject is what it was done to: "diagnosis:<id>", "patient:<id>" …
	Subject string `json:"subject"`
	// Reason is why, where someone had to say (break-glass).
	Reason string `json:"reason,omitempty"`
	// Detail is the SHA-256 that the subject was left with, where it has one, or
	// what of the subject it was: "invitation:<id>", "user:<id>".
	Detail string `json:"detail,omitempty"`
	// Previous is the SHA256 of the entry before; "" in the first.
	Previous string `json:"previous"`
	// SHA256 is over the entry as JSON with this field empty, in hex.
	SHA256 string `json:"sha256"`
}

// sum is what SHA256 has to be.
func (e LogEntry) sum() (string, error) {
	e.SHA256 = ""
	e.At = e.At.UTC()
	raw, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("encode audit entry: %w", err)
	}
	digest := sha256.Sum256(raw)
	return hex.EncodeToString(digest[:]), nil
}

// Tx is the transaction that an entry is appended in.
type Tx interface {
	// NextAudit takes the next number, and tells the SHA256 of the entry before;
	// until the transaction ends nobody else can.
	NextAudit() (num int64, previous string, err error)
	// InsertAudit writes the entry and makes it the last.
	InsertAudit(LogEntry) error
}

// Append writes that actor did action to subject at a time, as part of tx.
// more, which may be nil, fills in Reason and Detail.
func Append(tx Tx, actor rooms.Actor, at time.Time, action, subject string, more func(*LogEntry)) error {
	e := LogEntry{At: at.UTC(), ActorID: actor.UserID, Role: actor.Role, Address: actor.Address, Action: action, Subject: subject}
	if more != nil {
		more(&e)
	}
	var err error
	if e.Num, e.Previous, err = tx.NextAudit(); err != nil {
		return err
	}
	if e.SHA256, err = e.sum(); err != nil {
		return err
	}
	return tx.InsertAudit(e)
}

// Check follows a stretch of the chain, which begins after the entry last
// (the zero LogEntry before the first). It returns the first entry's number that
// does not follow, and what is wrong with it; 0 and nil for a sound stretch.
func Check(last LogEntry, stretch []LogEntry) (int64, error) {
	for _, e := range stretch {
		want, err := e.sum()
		switch {
		case err != nil:
			return e.Num, err
		case e.Num != last.Num+1:
			return e.Num, fmt.Errorf("entry %d follows entry %d: something between them is gone", e.Num, last.Num)
		case e.Previous != last.SHA256:
			return e.Num, fmt.Errorf("entry %d does not follow from entry %d", e.Num, last.Num)
		case e.SHA256 != want:
			return e.Num, fmt.Errorf("entry %d has been changed", e.Num)
		}
		last = e
	}
	return 0, nil
}
