package terminal

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
)

// patience bounds the time for leaving a room.
const patience = 3 * time.Second

// terminal prints lines, one at a time.
type terminal struct {
	mu  sync.Mutex
	out io.Writer
	off bool // the connection is down, and this was printed
}

func (t *terminal) line(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(t.out, printable(fmt.Sprintf(format, args...))) // fails if the terminal is closed
}

// printable replaces control characters, so that messages of others cannot send escape
// sequences to the terminal, and marks further lines of a text, so that they cannot
// look like lines of the program.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return '·'
		}
		return r
	}, s)
	return strings.ReplaceAll(s, "\n", "\n      | ")
}

// status prints when the connection breaks and when it is back.
func (t *terminal) status(status client.Status, _ error) {
	t.mu.Lock()
	was := t.off
	t.off = status == client.Offline
	t.mu.Unlock()
	switch {
	case status == client.Offline && !was:
		t.line("-- the connection is down; what you type is sent when it is back")
	case status == client.Online && was:
		t.line("-- connected again")
	}
}

// view formats the events of a room as lines. The user's own messages have ticks: ✓
// means stored by the server, ✓✓ read by the other participant.
type view struct {
	me    rooms.UserID
	names map[rooms.UserID]string
}

func (v view) print(e rooms.Event) string {
	clock := e.At.Local().Format("15:04")
	name := v.names[e.ActorID]
	if name == "" {
		name = "Wenzhen"
	}
	switch e.Name {
	case chat.MessageCreated.Name:
		if m, err := client.Decode(chat.MessageCreated, e); err == nil {
			return clock + " " + v.message(name, m)
		}
	case chat.MessageRecalled.Name:
		return fmt.Sprintf("%s -- %s recalled a message", clock, name)
	case chat.MessageRead.Name:
		if e.ActorID != v.me {
			return fmt.Sprintf("%s ✓✓ read by %s", clock, name)
		}
	case consultation.ConsultationUpdated.Name:
		if c, err := client.Decode(consultation.ConsultationUpdated, e); err == nil {
			return fmt.Sprintf("%s -- the consultation is %s", clock, c.Status)
		}
	case consultation.ParticipantJoined.Name:
		if p, err := client.Decode(consultation.ParticipantJoined, e); err == nil {
			v.names[p.UserID] = p.Name
			return fmt.Sprintf("%s -- %s may enter (%s)", clock, p.Name, p.Role)
		}
	case consultation.ParticipantLeft.Name:
		if d, err := client.Decode(consultation.ParticipantLeft, e); err == nil {
			return fmt.Sprintf("%s -- %s has left the consultation", clock, cmp.Or(v.names[d.UserID], "someone"))
		}
	}
	return ""
}

func (v view) message(name string, m chat.Message) string {
	text := m.Text
	switch {
	case m.RecalledAt != nil:
		text = "(recalled)"
	case m.Attachment != nil && m.Attachment.DurationMs > 0:
		length := time.Duration(m.Attachment.DurationMs) * time.Millisecond
		text = strings.TrimSpace(fmt.Sprintf("[%s %s] %s", m.Attachment.Kind, length, text))
	case m.Attachment != nil:
		text = strings.TrimSpace(fmt.Sprintf("[%s %s, %d bytes] %s", m.Attachment.Kind, m.Attachment.Name, m.Attachment.Size, text))
	}
	if m.SenderID == v.me {
		return name + ": " + text + " ✓"
	}
	return name + ": " + text
}

// truncate shortens a text to at most most characters.
func truncate(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}
