package terminal

import (
	"context"
	"strings"
	"sync"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
)

// shell is a logged-in user at the terminal, in one room at a time.
type shell struct {
	*client.Client
	*terminal
	me account.User

	room   *client.Room
	stop   context.CancelFunc // of the goroutine that prints the room
	screen sync.WaitGroup
}

// open are the states of open consultations.
const open = consultation.Status("waiting,active,on_hold")

// begin joins the given consultation, or the latest open one.
func (s *shell) begin(ctx context.Context, id consultation.ID) error {
	if id != "" {
		return s.join(ctx, id)
	}
	list, err := s.list(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	return s.join(ctx, list[0].ID)
}

// list prints the open consultations, the one with the latest change first.
func (s *shell) list(ctx context.Context) ([]consultation.Consultation, error) {
	page, err := client.Do(ctx, s.Client, consultation.List, consultation.Filter{Status: open})
	if err != nil {
		return nil, err
	}
	if len(page.Items) == 0 {
		s.line("No open consultations.")
	}
	for _, c := range page.Items {
		s.line("  %s  %-8s %s – %s: %s (%d unread)", c.ID, c.Status, c.PatientName, c.DoctorName, truncate(c.Complaint, 40), c.Unread)
	}
	return page.Items, nil
}

// join leaves the current room, joins another and prints it.
func (s *shell) join(ctx context.Context, id consultation.ID) error {
	s.leave()
	room, err := s.Client.Join(ctx, id, client.Latest)
	if err != nil {
		return err
	}
	ctx, s.stop = context.WithCancel(ctx)
	s.room = room
	c := room.State().Consultation
	s.line("== %s with %s, %s: %s", c.PatientName, c.DoctorName, c.Status, c.Complaint)
	s.screen.Go(func() { s.show(ctx, room) })
	return nil
}

// leave stops printing the room and leaves it, if the Client is connected.
func (s *shell) leave() {
	if s.room == nil {
		return
	}
	s.stop()
	s.screen.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.Connected() {
		_ = s.room.Leave(ctx) // if the connection breaks, the server ends the subscription
	}
	s.room = nil
}

// show prints the room until ctx ends.
func (s *shell) show(ctx context.Context, room *client.Room) {
	v := view{me: s.me.ID, names: map[rooms.UserID]string{}}
	for entry, err := range room.Events(ctx) {
		if err != nil {
			if ctx.Err() == nil {
				s.line("!! %v", err)
			}
			return
		}
		for _, p := range room.State().Participants {
			v.names[p.UserID] = p.Name
		}
		if text := v.print(entry); text != "" {
			s.line("%s", text)
		}
		if entry.Name == chat.MessageCreated.Name && entry.ActorID != s.me.ID {
			in := chat.ReceiptInput{ConsultationID: room.ID(), UpToSeq: entry.Seq}
			_, _ = client.Call(ctx, s.Client, chat.MarkRead, in) // after an error, the next message sets the mark
		}
	}
}

// announce prints that a patient waits in another consultation.
func (s *shell) announce(_ rooms.Event, c consultation.Consultation) {
	if c.Status == consultation.Waiting && c.DoctorID == s.me.ID {
		s.line("** %s waits (/join %s, then /accept)", c.PatientName, c.ID) // only the first event has the complaint
	}
}

// runCommands runs typed commands and sends other lines as messages.
func (s *shell) runCommands(ctx context.Context, typed <-chan string) error {
	for {
		var text string
		var more bool
		select {
		case text, more = <-typed:
		case <-ctx.Done():
			return nil
		case <-s.Done():
			return s.Err()
		}
		command, argument, _ := strings.Cut(text, " ")
		var err error
		switch {
		case !more, command == "/quit":
			return nil
		case text == "":
		case command == "/list":
			_, err = s.list(ctx)
		case command == "/join":
			err = s.join(ctx, consultation.ID(strings.TrimSpace(argument)))
		case s.room == nil:
			s.line("!! /join a consultation first")
		case command == "/accept":
			_, err = client.Call(ctx, s.Client, consultation.Accept, consultation.Input{ConsultationID: s.room.ID()})
		case command == "/end":
			_, err = client.Call(ctx, s.Client, consultation.End, consultation.EndInput{ConsultationID: s.room.ID(), Summary: argument})
		case strings.HasPrefix(command, "/"):
			s.line("!! there is no %s: /list /join ID /accept /end /quit", command)
		default:
			_, err = s.room.Send(ctx, chat.SendInput{Kind: chat.Text, Text: text})
		}
		if err != nil && ctx.Err() == nil {
			s.line("!! %v", err)
		}
	}
}
