package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"wenzhen.example/rooms"
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
	// SessionID is the login in which it was done, which names the device.
	SessionID rooms.SessionID `json:"sessionId,omitempty"`
	// Action is the name of the command that did it.
	Action string `json:"action"`
	// Subject is what it was done to: "diagnosis:<id>", "patient:<id>" …
	Subject string `json:"subject"`
	// PatientID is the patient whom the subject is about, if it is about one.
	PatientID string `json:"patientId,omitempty"`
	// Outcome is empty if it was done, or else Failed.
	Outcome string `json:"outcome,omitempty"`
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

// namesNobodyElse reports whether an entry says nothing of who consults whom: an admin or
// the server itself did it, or somebody to all of a kind or to themselves.
func (e LogEntry) namesNobodyElse() bool {
	return e.Role == rooms.RoleAdmin || e.ActorID == "" || !strings.Contains(e.Subject, ":") || e.Subject == "user:"+string(e.ActorID)
}

// shortened is what an admin sees of an entry without a reason: who did what and
// when, to which kind of subject. Hashes are left out, because ids could be tried
// on them.
func (e LogEntry) shortened() LogEntry {
	e.Previous, e.SHA256 = "", ""
	if e.PatientID != "" {
		e.Detail = ""
	}
	if !e.namesNobodyElse() {
		e.Subject, _, _ = strings.Cut(e.Subject, ":")
		e.PatientID, e.Reason, e.Detail = "", "", ""
	}
	return e
}

// Tx is the transaction that an entry is appended in.
type Tx interface {
	// LockAudit returns the end of the log as it is stored; until the transaction
	// ends nobody else can append.
	LockAudit() (End, error)
	// PatientOf returns the patient whom a subject is about, "" if it is about none.
	PatientOf(subject string) (string, error)
	// InsertAudit writes an entry, and makes head, which it signs, the end of the log.
	InsertAudit(e LogEntry, head Head) error
}

// Limits of what an entry is made of, in bytes. What is longer is refused: an
// entry is never removed.
const (
	subjectMost = 200
	detailMost  = 200
	reasonMost  = 40_000 // 10,000 characters
)

// bounded refuses an entry that is too long. The subject has an id that a client
// sent.
func (e LogEntry) bounded() error {
	switch {
	case len(e.Subject) > subjectMost:
		return rooms.TooLarge("", "an id may have at most 100 characters")
	case len(e.Detail) > detailMost:
		return rooms.TooLarge("", "an entry of the audit log may have a detail of at most %d bytes", detailMost)
	case len(e.Reason) > reasonMost:
		return rooms.TooLarge("reason", "a reason may have at most 10,000 characters")
	}
	return nil
}

// Failed is the outcome of what failed: a login with a wrong password.
const Failed = "failed"

// Append writes that actor did action to subject at a time, as part of tx.
// more, which may be nil, fills in Reason, Detail and Outcome.
//
// If the end of the log is not what this server has signed, somebody has
// rewritten or cut the log. Append then enters that first (Broken), and the end
// has a mark from then on, which is signed too. The log continues, but the break
// is never covered up.
func Append(tx Tx, actor rooms.Actor, at time.Time, action, subject string, more func(*LogEntry)) error {
	e := LogEntry{At: at.UTC(), ActorID: actor.UserID, Role: actor.Role, Address: actor.Address, SessionID: actor.SessionID,
		Action: action, Subject: subject}
	if more != nil {
		more(&e)
	}
	if err := e.bounded(); err != nil {
		return err
	}
	var err error
	if e.PatientID, err = tx.PatientOf(subject); err != nil {
		return err
	}
	head, err := sound(tx, at)
	if err == nil {
		_, err = add(tx, head, e)
	}
	return err
}

// Inspect compares the end of the log with what this server has signed, and
// marks the log as broken if it differs, as Append does.
func Inspect(tx Tx, at time.Time) error {
	_, err := sound(tx, at)
	return err
}

// MarkBroken marks the log as broken, because checking it after its latest mark,
// the entry after, has found why it is, or because its end is not what this server
// has signed. A log that has been marked since then stays as it is.
func MarkBroken(tx Tx, at time.Time, after int64, why string) error {
	head, err := sound(tx, at)
	if err != nil || why == "" || head.BrokenLast != after {
		return err
	}
	_, err = mark(tx, head, at, why)
	return err
}

// sound is the end of the log to append to; one that is not what it should be is
// marked first.
func sound(tx Tx, at time.Time) (Head, error) {
	end, err := tx.LockAudit()
	if err != nil {
		return Head{}, err
	}
	if why := end.wrong(); why != "" {
		return mark(tx, end.base(), at, why)
	}
	return end.Head, nil
}

// mark enters that the log is broken.
func mark(tx Tx, head Head, at time.Time, why string) (Head, error) {
	head.BrokenLast = head.Num + 1
	if head.BrokenAt <= 0 || head.BrokenAt > head.BrokenLast {
		head.BrokenAt = head.BrokenLast
	}
	return add(tx, head, LogEntry{At: at.UTC(), Action: Broken, Subject: "audit", Reason: why})
}

// add writes an entry after head, and returns the new head.
func add(tx Tx, head Head, e LogEntry) (Head, error) {
	e.Num, e.Previous = head.Num+1, head.SHA256
	var err error
	if e.SHA256, err = e.sum(); err != nil {
		return head, err
	}
	head.Num, head.SHA256 = e.Num, e.SHA256
	return head, tx.InsertAudit(e, head)
}

// Check verifies a stretch of the chain, which begins after the entry last
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
