package access_test

import (
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/e2e"
)

// booked is an appointment of bo's that its doctor wang has handed to li, which
// bo has yet to accept.
type booked struct {
	bo, wang, li *e2e.Person
	schedule.Appointment
}

func hands(w *e2e.World, bo, wang *e2e.Person) booked {
	w.T.Helper()
	li := w.Doctor("li")
	start := e2e.Always(wang, 60)
	e2e.Always(li, 60)
	b := booked{bo: bo, wang: wang, li: li}
	b.Appointment = e2e.Do(bo, schedule.Book, e2e.BookingOf(wang, start)).Appointment
	e2e.Do(wang, schedule.AddException, schedule.ExceptionInput{Kind: schedule.TimeOff, Start: start, End: start.Add(time.Hour), SubstituteID: li.User.ID})
	return b
}

// accepted gives the appointment to li.
func (b booked) accepted() {
	b.wang.World.T.Helper()
	e2e.Do(b.bo, schedule.AcceptOffer, schedule.AppointmentRef{AppointmentID: b.ID})
}

// receivedUntil reads frames until one has a mark in it, and returns those before.
func receivedUntil(b *e2e.Bare, mark string) []string {
	b.T.Helper()
	var all []string
	for {
		packet := b.Next()
		if strings.Contains(packet, mark) {
			return all
		}
		all = append(all, packet)
	}
}

// replacedReceivesNothing tries on the node of a socket of wang's, where the
// others are connected to the first.
func replacedReceivesNothing(t *testing.T, w, there *e2e.World) {
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	b := hands(w, bo, wang)
	id := b.ConsultationID
	other := bo.Consults(wang, "another matter")
	at := there.Bare(t)
	if got := at.Connect(wang.Again().Tokens().AccessToken); !strings.HasPrefix(got, e2e.Joined) {
		t.Fatalf("wang cannot connect: %s", got)
	}
	for i, room := range []consultation.ID{id, other} {
		if r := at.Ask(i+1, consultation.Join.Name, consultation.JoinInput{ConsultationID: room}); !r.OK {
			t.Fatalf("join: %v", r.Error)
		}
	}
	bo.Says(id, "for wang")
	receivedUntil(at, "for wang")
	b.accepted()
	bo.Says(id, e2e.Secret)
	bo.Says(other, "the end")
	left := false
	for _, packet := range receivedUntil(at, "the end") {
		if strings.Contains(packet, consultation.ParticipantLeft.Name) {
			left = true
			continue
		}
		if strings.Contains(packet, e2e.Secret) || left && strings.Contains(packet, string(id.Room())) {
			t.Errorf("who was replaced receives %s", packet)
		}
	}
	if !left {
		t.Error("who was replaced is not told")
	}
	if r := at.Ask(9, consultation.Join.Name, consultation.JoinInput{ConsultationID: id}); rooms.CodeOf(r.Error) != rooms.CodeNotFound {
		t.Errorf("joins again: %+v", r)
	}
}

// A doctor who was replaced receives nothing more of the room.
func TestAReplacedDoctorReceivesNothing(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	replacedReceivesNothing(t, w, w)
}

// Nor on another node, with Redis or without.
func TestAReplacedDoctorReceivesNothingElsewhere(t *testing.T) {
	t.Parallel()
	list, wires := e2e.Nodes(t, 2)
	replacedReceivesNothing(t, list[0], list[1])
	for _, wire := range wires {
		wire.Cut()
	}
	replacedReceivesNothing(t, list[0], list[1])
}
