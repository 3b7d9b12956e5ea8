package schedule

import (
	"context"
	"fmt"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// How far back a calendar feed reaches, and how many appointments it has.
const (
	calendarBack = 30 * 24 * time.Hour
	calendarMost = 500
)

// calendar writes a user's appointments as iCalendar (RFC 5545). Times are in
// UTC, which every calendar shows in its own zone. A cancelled appointment
// stays, as cancelled, so that calendars take it out.
func (s *Service) calendar(ctx context.Context, from rooms.Actor, in CalendarInput) (string, error) {
	user, err := s.calendars.CalendarOwner(ctx, from, in.Token)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return "", rooms.NotFound("calendar")
	} else if err != nil {
		return "", err
	}
	since := s.now().Add(-calendarBack)
	list, err := s.store.Appointments(ctx, AppointmentQuery{User: user.ID, AsDoctor: user.Role == rooms.RoleDoctor, From: &since, Limit: calendarMost})
	if err != nil {
		return "", err
	}
	cal := ics.NewCalendar()
	cal.SetProductId("-//Wenzhen//Appointments//EN")
	cal.SetMethod(ics.MethodPublish)
	cal.SetXWRCalName("Wenzhen")
	cal.SetXWRTimezone(user.TimeZone)
	cal.SetRefreshInterval("PT15M")
	for _, a := range list {
		e := addEvent(cal, a, user.ID)
		if a.Status.Open() {
			alarm := e.AddAlarm()
			alarm.SetAction(ics.ActionDisplay)
			alarm.SetTrigger("-PT15M")
			alarm.SetDescription(a.other(user.ID))
		}
	}
	return cal.Serialize(ics.WithNewLineWindows), nil
}

// addEvent writes an appointment as its reader sees it: with the other's name.
func addEvent(cal *ics.Calendar, a Appointment, reader rooms.UserID) *ics.VEvent {
	e := cal.AddEvent(string(a.ID) + "@wenzhen")
	e.SetDtStampTime(a.UpdatedAt)
	e.SetCreatedTime(a.CreatedAt)
	e.SetModifiedAt(a.UpdatedAt)
	e.SetSequence(a.Sequence)
	e.SetStartAt(a.Start)
	e.SetEndAt(a.End)
	e.SetSummary(fmt.Sprintf("%s (%s)", a.other(reader), a.Medium))
	e.SetStatus(icalStatus(a.Status))
	return e
}

// nameMost is how much of a name a calendar entry shows.
const nameMost = 100

// other is the name of whom user has the appointment with. It goes out by mail,
// to calendars that make links of what looks like one.
func (a Appointment) other(user rooms.UserID) string {
	if user == a.DoctorID {
		return rooms.WithoutLinks(a.PatientName, nameMost)
	}
	return rooms.WithoutLinks(a.DoctorName, nameMost)
}

func icalStatus(s AppointmentStatus) ics.ObjectStatus {
	switch s {
	case Held, ReassignPending:
		return ics.ObjectStatusTentative
	case Cancelled, HoldExpired, NoShow:
		return ics.ObjectStatusCancelled
	}
	return ics.ObjectStatusConfirmed
}

// Invitation is an appointment as it is sent to someone's calendar (RFC 5546):
// a REQUEST, or a CANCEL of one that was sent before. Its id and sequence are
// those of the feed. organizer and attendee are e-mail addresses; nobody is
// asked to reply.
func Invitation(a Appointment, attendee account.User, organizer string) (method, calendar string) {
	m := ics.MethodRequest
	if icalStatus(a.Status) == ics.ObjectStatusCancelled {
		m = ics.MethodCancel
	}
	cal := ics.NewCalendar()
	cal.SetProductId("-//Wenzhen//Appointments//EN")
	cal.SetMethod(m)
	e := addEvent(cal, a, attendee.ID)
	e.SetOrganizer("mailto:"+organizer, ics.WithCN("Wenzhen"))
	e.AddAttendee(attendee.Email, ics.WithCN(parameter(rooms.WithoutLinks(attendee.Name, nameMost))), ics.ParticipationStatusAccepted, ics.WithRSVP(false))
	return string(m), cal.Serialize(ics.WithNewLineWindows)
}

// parameter is a text as the value of a parameter can have it (RFC 5545,
// section 3.2), which knows no way to write a quotation mark and needs one
// around what separates: quotation marks are curved, the others left out. (The
// library puts backslashes before them, which calendars show.)
func parameter(text string) string {
	text = strings.NewReplacer(`"`, "”", "'", "’", ",", " ", ";", " ", ":", " ", `\`, " ").Replace(text)
	return strings.Join(strings.Fields(text), " ")
}
