package schedule

import (
	"context"
	"fmt"
	"time"

	ics "github.com/arran4/golang-ical"

	"wenzhen/rooms"
)

// How far back a calendar feed reaches, and how many appointments it has.
const (
	calendarBack = 30 * 24 * time.Hour
	calendarMost = 500
)

// calendar writes a user's appointments as iCalendar (RFC 5545). Times are in
// UTC, which every calendar shows in its own zone. A cancelled appointment
// stays, as cancelled, so that calendars take it out.
func (s *Service) calendar(ctx context.Context, _ rooms.Actor, in CalendarInput) (string, error) {
	user, err := s.store.CalendarOwner(ctx, in.Token)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return "", rooms.NotFound("calendar")
	} else if err != nil {
		return "", err
	}
	from := s.now().Add(-calendarBack)
	list, err := s.store.Appointments(ctx, AppointmentQuery{User: user.ID, AsDoctor: user.Role == rooms.RoleDoctor, From: &from, Limit: calendarMost})
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
		e := cal.AddEvent(string(a.ID) + "@wenzhen")
		e.SetDtStampTime(a.UpdatedAt)
		e.SetCreatedTime(a.CreatedAt)
		e.SetModifiedAt(a.UpdatedAt)
		e.SetSequence(a.Sequence)
		e.SetStartAt(a.Start)
		e.SetEndAt(a.End)
		other := a.DoctorName
		if user.ID == a.DoctorID {
			other = a.PatientName
		}
		e.SetSummary(fmt.Sprintf("%s (%s)", other, a.Medium))
		e.SetStatus(icalStatus(a.Status))
		if a.Status.Open() {
			alarm := e.AddAlarm()
			alarm.SetAction(ics.ActionDisplay)
			alarm.SetTrigger("-PT15M")
			alarm.SetDescription(other)
		}
	}
	return cal.Serialize(ics.WithNewLineWindows), nil
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
