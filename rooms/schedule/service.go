package schedule

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// Service executes the commands of schedules and appointments.
type Service struct {
	store         Store
	consultations *consultation.Service
	calendars     Calendars
	now           func() time.Time
}

// Calendars finds the user whose calendar feed has a secret.
type Calendars interface {
	// CalendarOwner returns that user; from has the address of the request. Errors:
	// not_found; unavailable if it cannot be entered in the audit log.
	CalendarOwner(ctx context.Context, from rooms.Actor, secret string) (account.User, error)
}

// Options are what the service needs.
type Options struct {
	Store         Store
	Consultations *consultation.Service
	Calendars     Calendars
	Now           func() time.Time
}

// New makes the service, which is to follow the consultations.
func New(o Options) *Service {
	return &Service{store: o.Store, consultations: o.Consultations, calendars: o.Calendars, now: o.Now}
}

// Commands returns the commands that the service executes.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{
		ReadSchedule.Bind(s.read), SaveSchedule.Bind(s.save),
		AddException.Bind(s.addException), RemoveException.Bind(s.removeException), PreviewException.Bind(s.previewException),
		Slots.Bind(s.slots), Watch.Bind(s.watch), Unwatch.Bind(s.unwatch),
		Book.Bind(s.book), Appointments.Bind(s.appointments), ReadAppointment.Bind(s.appointment),
		Reschedule.Bind(s.reschedule), Cancel.Bind(s.cancel), CheckIn.Bind(s.checkIn),
		AcceptOffer.Bind(s.acceptOffer), DeclineOffer.Bind(s.declineOffer),
		JoinWaitlist.Bind(s.joinWaitlist), Waitlist.Bind(s.waitlist), LeaveWaitlist.Bind(s.leaveWaitlist), TakeOffer.Bind(s.takeOffer),
		Calendar.Bind(s.calendar),
	}
}

// Kinds of the timers of offers that run out.
const (
	offerTimer = "appointment-offer"
	waitTimer  = "waitlist-offer"
)

// Timers are the timers that the service fires.
func (s *Service) Timers() map[string]rooms.TimerFunc {
	return map[string]rooms.TimerFunc{offerTimer: s.offerRanOut, waitTimer: s.waitRanOut}
}

func (s *Service) read(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (Schedule, error) {
	return s.store.Schedule(ctx, actor.UserID, s.now())
}

// Validate implements rooms.Validator.
func (in ScheduleInput) Validate() error {
	if _, err := time.LoadLocation(in.TimeZone); err != nil || in.TimeZone == "" || in.TimeZone == "Local" {
		return rooms.Invalid("timeZone", "timeZone must be an IANA name such as Asia/Shanghai")
	}
	return validRules(in.Rules)
}

func (s *Service) save(ctx context.Context, actor rooms.Actor, in ScheduleInput) (Schedule, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Schedule, error) {
		v, err := tx.Schedule(actor.UserID, s.now())
		if err != nil {
			return Schedule{}, err
		}
		if in.Version != nil && *in.Version != v.Version {
			return Schedule{}, rooms.OutOfDate("the schedule", v.Version)
		}
		v.TimeZone, v.Rules = in.TimeZone, in.Rules
		if v.Rules == nil {
			v.Rules = []Rule{}
		}
		v.Version++
		if err := tx.SaveSchedule(v); err != nil {
			return Schedule{}, err
		}
		ScheduleUpdated.After(tx, Room(actor.UserID), DoctorRef{DoctorID: actor.UserID})
		return v, nil
	})
}

// The stretch that a list of slots covers when none is given, and at most.
const (
	slotsUsual = 14 * 24 * time.Hour
	slotsMost  = 62 * 24 * time.Hour
)

func (s *Service) slots(ctx context.Context, _ rooms.Actor, in SlotsInput) (SlotList, error) {
	doctor, err := s.store.Doctor(ctx, in.DoctorID)
	if err == nil && !doctor.Verified {
		err = rooms.NotFound("doctor")
	}
	if err != nil {
		return SlotList{}, err
	}
	now := s.now()
	from, to := now, time.Time{}
	if in.From != nil {
		from = *in.From
	}
	if to = from.Add(slotsUsual); in.To != nil {
		to = *in.To
	}
	switch {
	case !from.Before(to):
		return SlotList{}, rooms.Invalid("to", "to must be after from")
	case to.Sub(from) > slotsMost:
		return SlotList{}, rooms.TooLarge("to", "at most 62 days at a time")
	}
	if !from.After(now) {
		from = now.Add(time.Microsecond) // what has begun cannot be booked
	}
	if limit := now.Add(bookAhead); to.After(limit) {
		to = limit
	}
	v, err := s.store.Schedule(ctx, doctor.ID, from)
	if err != nil {
		return SlotList{}, err
	}
	list := SlotList{Items: []Slot{}, TimeZone: v.TimeZone}
	if !from.Before(to) {
		return list, nil
	}
	offers, err := v.slots(from, to)
	if err != nil {
		return SlotList{}, err
	}
	taken, err := s.store.Taken(ctx, doctor.ID, from, to.Add(longestSlot))
	if err != nil {
		return SlotList{}, err
	}
	list.Items = available(offers, taken)
	return list, nil
}

// available counts what is left of offers, both in order of their start. A
// seat counts against every slot that it overlaps: one that was taken before
// the rules changed may lie across two.
func available(offers []offer, taken []Seat) []Slot {
	list := make([]Slot, len(offers))
	first := 0
	for i, o := range offers {
		for first < len(taken) && !taken[first].End.After(o.start) {
			first++
		}
		left := o.capacity
		for _, seat := range taken[first:] {
			if !seat.Start.Before(o.end) {
				break
			}
			if seat.End.After(o.start) {
				left--
			}
		}
		list[i] = Slot{Start: o.start, End: o.end, Available: max(0, left), Media: o.media}
	}
	return list
}

func (s *Service) watch(ctx context.Context, actor rooms.Actor, in SlotsInput) (SlotList, error) {
	if _, err := s.slots(ctx, actor, in); err != nil {
		return SlotList{}, err
	}
	if conn := rooms.SubscriberOf(ctx); conn != nil {
		if err := conn.Subscribe(Room(in.DoctorID), 0); err != nil {
			return SlotList{}, err
		}
	}
	return s.slots(ctx, actor, in) // after subscribing: no change falls in between
}

func (s *Service) unwatch(ctx context.Context, _ rooms.Actor, in DoctorRef) (rooms.Nothing, error) {
	if conn := rooms.SubscriberOf(ctx); conn != nil {
		conn.Unsubscribe(Room(in.DoctorID))
	}
	return rooms.Nothing{}, nil
}
