package e2e_test

import (
	"strings"
	"testing"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/schedule"
)

// booked is an appointment of bo's that its doctor wang has handed to li, which
// bo has yet to accept.
type booked struct {
	bo, wang, li *person
	schedule.Appointment
}

func (w *world) hands(bo, wang *person) booked {
	w.t.Helper()
	li := w.doctor("li")
	start := always(wang, 60)
	always(li, 60)
	b := booked{bo: bo, wang: wang, li: li}
	b.Appointment = do(bo, schedule.Book, bookingOf(wang, start)).Appointment
	do(wang, schedule.AddException, schedule.ExceptionInput{Kind: schedule.TimeOff, Start: start, End: start.Add(time.Hour), SubstituteID: li.user.ID})
	return b
}

// accepted gives the appointment to li.
func (b booked) accepted() {
	b.wang.w.t.Helper()
	do(b.bo, schedule.AcceptOffer, schedule.AppointmentRef{AppointmentID: b.ID})
}

// heardUntil reads frames until one has a mark in it, and returns those before.
func (b *bare) heardUntil(mark string) []string {
	b.t.Helper()
	var all []string
	for {
		packet := b.next()
		if strings.Contains(packet, mark) {
			return all
		}
		all = append(all, packet)
	}
}

// replacedHearsNothing tries on the node of a socket of wang's, where the
// others are connected to the first.
func replacedHearsNothing(t *testing.T, w, there *world) {
	bo, wang := w.patient("bo"), w.doctor("wang")
	b := w.hands(bo, wang)
	id := b.ConsultationID
	other := bo.consults(wang, "another matter")
	at := there.bare(t)
	if got := at.connect(wang.again().Tokens().AccessToken); !strings.HasPrefix(got, joined) {
		t.Fatalf("wang cannot connect: %s", got)
	}
	for i, room := range []consultation.ID{id, other} {
		if r := at.ask(i+1, consultation.Join.Name, consultation.JoinInput{ConsultationID: room}); !r.OK {
			t.Fatalf("join: %v", r.Error)
		}
	}
	bo.says(id, "for wang")
	at.heardUntil("for wang")
	b.accepted()
	bo.says(id, secret)
	bo.says(other, "the end")
	left := false
	for _, packet := range at.heardUntil("the end") {
		if strings.Contains(packet, consultation.Left.Name) {
			left = true
			continue
		}
		if strings.Contains(packet, secret) || left && strings.Contains(packet, string(id.Room())) {
			t.Errorf("who was replaced hears %s", packet)
		}
	}
	if !left {
		t.Error("who was replaced is not told")
	}
	if r := at.ask(9, consultation.Join.Name, consultation.JoinInput{ConsultationID: id}); rooms.CodeOf(r.Error) != rooms.CodeNotFound {
		t.Errorf("joins again: %+v", r)
	}
}

// A doctor who was replaced hears nothing more of the room.
func TestAReplacedDoctorHearsNothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	replacedHearsNothing(t, w, w)
}

// Nor on another node, with Redis or without.
func TestAReplacedDoctorHearsNothingElsewhere(t *testing.T) {
	t.Parallel()
	list, wires := nodes(t, 2)
	replacedHearsNothing(t, list[0], list[1])
	for _, wire := range wires {
		wire.Cut()
	}
	replacedHearsNothing(t, list[0], list[1])
}
