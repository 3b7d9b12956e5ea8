package schedule_test

import (
	"encoding/json"
	"slices"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
	. "wenzhen.example/rooms/schedule"
)

// reassigned books with one doctor, who offers the other; it returns the
// appointment, which the patient has not answered.
func reassigned(w *roomstest.World) (bo, wang, li *roomstest.Person, a Appointment) {
	bo, wang, li = w.Patient("bo"), w.Doctor("wang"), w.Doctor("li")
	works(wang, "09:00", "12:00", 1)
	works(li, "09:00", "12:00", 1)
	a = roomstest.Must(bo, Book, booking(wang, "09:00")).Appointment
	roomstest.Must(wang, AddException, ExceptionInput{Kind: TimeOff, Start: monday, End: monday.AddDate(0, 0, 1), SubstituteID: li.User.ID})
	return bo, wang, li, a
}

// Who was replaced loses access with an event of the room, before anything
// else that happens there; the devices of both doctors learn of it.
func TestAReplacedDoctorLosesTheRoom(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, li, a := reassigned(w)
	room := a.ConsultationID.Room()
	before := len(w.Events(room))
	roomstest.Must(bo, AcceptOffer, AppointmentRef{AppointmentID: a.ID})
	after := w.Events(room)[before:]
	if len(after) < 3 || after[0].Name != consultation.ParticipantLeft.Name || !slices.Equal(after[0].Lost, []rooms.UserID{wang.User.ID}) {
		t.Fatalf("the room got %+v", after)
	}
	var left consultation.Departure
	if err := json.Unmarshal(after[0].Data, &left); err != nil || left.UserID != wang.User.ID || left.Reason != consultation.LeftReassigned {
		t.Errorf("%s, %v", after[0].Data, err)
	}
	for _, p := range after {
		gone := p.Name == consultation.ParticipantLeft.Name
		if slices.Contains(p.Also, rooms.UserRoom(wang.User.ID)) != gone && p.Name != AppointmentUpdated.Name {
			t.Errorf("%s is delivered to %v", p.Name, p.Also)
		}
		if !gone && len(p.Lost) > 0 {
			t.Errorf("%s: %v lost access", p.Name, p.Lost)
		}
	}
	if code := roomstest.Code(wang, consultation.Read, consultation.Input{ConsultationID: a.ConsultationID}); code != rooms.CodeNotFound {
		t.Errorf("who was replaced reads: %q", code)
	}
	roomstest.Must(li, consultation.Read, consultation.Input{ConsultationID: a.ConsultationID})
}

// A second doctor who takes the appointment over becomes its doctor.
func TestTheSecondDoctorTakesOver(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, li, a := reassigned(w)
	id := a.ConsultationID
	roomstest.Must(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: li.User.ID, Role: consultation.PartColleague})
	roomstest.Must(bo, AcceptOffer, AppointmentRef{AppointmentID: a.ID})
	joined := roomstest.Must(bo, consultation.Join, consultation.JoinInput{ConsultationID: id})
	parts := map[rooms.UserID]consultation.Part{}
	for _, p := range joined.Participants {
		parts[p.UserID] = p.Role
	}
	if len(parts) != 2 || parts[li.User.ID] != consultation.PartDoctor || parts[bo.User.ID] != consultation.PartPatient {
		t.Errorf("the participants are %v", parts)
	}
	if joined.Consultation.DoctorID != li.User.ID {
		t.Errorf("the doctor is %s, was %s", joined.Consultation.DoctorID, wang.User.ID)
	}
}

// door is a connection that lets something happen while it subscribes.
type door struct {
	meanwhile func()
	receives  map[rooms.RoomID]rooms.Seq
}

func (d *door) Subscribe(room rooms.RoomID, known rooms.Seq) error {
	d.receives[room] = known
	if d.meanwhile != nil {
		d.meanwhile()
	}
	return nil
}
func (d *door) Unsubscribe(room rooms.RoomID) { delete(d.receives, room) }
func (d *door) SetViewing(rooms.RoomID, bool) {}
func (d *door) OnClose(func())                {}

// Access that is lost while a connection joins leaves no subscription behind,
// whatever the order in which the two meet.
func TestAccessIsLostWhileJoining(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, _, a := reassigned(w)
	in := consultation.JoinInput{ConsultationID: a.ConsultationID}
	d := &door{receives: map[rooms.RoomID]rooms.Seq{}}
	ctx := rooms.WithSubscriber(t.Context(), d)
	if _, err := roomstest.AskWith(ctx, w, wang.As, consultation.Join, in); err != nil {
		t.Fatal(err)
	}
	if known, last := d.receives[a.ConsultationID.Room()], rooms.Seq(len(wang.Log(a.ConsultationID))); known != last {
		t.Errorf("subscribed with knowledge of %d events, there are %d", known, last)
	}
	d.meanwhile = func() { roomstest.Must(bo, AcceptOffer, AppointmentRef{AppointmentID: a.ID}) }
	_, err := roomstest.AskWith(ctx, w, wang.As, consultation.Join, in)
	if rooms.CodeOf(err) != rooms.CodeNotFound || len(d.receives) > 0 {
		t.Errorf("joined: %v; receives %v", err, d.receives)
	}
	_, err = roomstest.AskWith(ctx, w, wang.As, consultation.Join, in)
	if rooms.CodeOf(err) != rooms.CodeNotFound || len(d.receives) > 0 {
		t.Errorf("joined once more: %v; receives %v", err, d.receives)
	}
}
