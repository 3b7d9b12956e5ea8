package schedule

import (
	"fmt"
	"slices"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// Room is where watchers of a doctor's public schedule listen.
func Room(doctor rooms.UserID) rooms.RoomID { return rooms.RoomID("doctor:" + string(doctor)) }

// Rule is a stretch of a weekday in which a doctor can be met, every week.
type Rule struct {
	Weekday     int              `json:"weekday" limit:"1..7"`                                    // ISO 8601: 1 is Monday, 7 is Sunday
	Start       string           `json:"start" pattern:"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"` // "09:00", in the schedule's zone
	End         string           `json:"end" pattern:"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"`   // "12:30"; "24:00" is the end of the day
	SlotMinutes int              `json:"slotMinutes" limit:"5..720"`
	Capacity    int              `json:"capacity" limit:"1..100"` // how many can have the same slot
	Media       []account.Medium `json:"media"`
	ValidFrom   string           `json:"validFrom,omitempty"`  // YYYY-MM-DD, the first day
	ValidUntil  string           `json:"validUntil,omitempty"` // YYYY-MM-DD, the last day
}

// Schedule is a doctor's weekly rules. Version counts its changes.
type Schedule struct {
	DoctorID   rooms.UserID `json:"doctorId"`
	TimeZone   string       `json:"timeZone"` // IANA name
	Rules      []Rule       `json:"rules"`
	Exceptions []Exception  `json:"exceptions"`
	Version    int64        `json:"version"`
}

// ExceptionID names an exception.
type ExceptionID string

// ExceptionKind is what an exception does.
type ExceptionKind string

// The kinds of exceptions.
const (
	TimeOff ExceptionKind = "time_off"
	Extra   ExceptionKind = "extra"
)

// Exception takes time out of the rules, or adds hours beside them.
type Exception struct {
	ID    ExceptionID   `json:"id"`
	Kind  ExceptionKind `json:"kind"`
	Start time.Time     `json:"start"`
	End   time.Time     `json:"end"`
	Note  string        `json:"note,omitempty"` // for the doctor alone
	// What extra hours offer; empty for time off.
	SlotMinutes int              `json:"slotMinutes,omitempty"`
	Capacity    int              `json:"capacity,omitempty"`
	Media       []account.Medium `json:"media,omitempty"`
}

// Slot is a bookable time.
type Slot struct {
	Start     time.Time        `json:"start"`
	End       time.Time        `json:"end"`
	Available int              `json:"available"` // seats that are free
	Media     []account.Medium `json:"media"`
}

// Bounds of what a doctor can set.
const (
	exceptionsMost = 500
	dayMinutes     = 24 * 60
)

// longestSlot is the length of a slot that can be set.
var longestSlot = time.Duration(rooms.MostOf[Rule]("SlotMinutes")) * time.Minute

// minutes reads a clock time of a day: "00:00" to "24:00".
func minutes(clock string) (int, bool) {
	if len(clock) != 5 || clock[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if clock[i] < '0' || clock[i] > '9' {
			return 0, false
		}
	}
	m := (int(clock[0]-'0')*10+int(clock[1]-'0'))*60 + int(clock[3]-'0')*10 + int(clock[4]-'0')
	return m, clock[3] < '6' && m <= dayMinutes
}

// validRules checks each rule, and that no two of a weekday meet while both
// are valid.
func validRules(rules []Rule) error {
	for i, r := range rules {
		at := func(field string) string { return fmt.Sprintf("rules[%d].%s", i, field) }
		start, startOK := minutes(r.Start)
		end, endOK := minutes(r.End)
		switch {
		case !startOK:
			return rooms.Invalid(at("start"), "start must be a time such as 09:00")
		case !endOK:
			return rooms.Invalid(at("end"), "end must be a time such as 12:00")
		case end <= start:
			return rooms.Invalid(at("end"), "end must be after start")
		}
		if err := validOffer(at, r.SlotMinutes, r.Capacity, r.Media); err != nil {
			return err
		}
		if r.SlotMinutes > end-start {
			return rooms.Invalid(at("slotMinutes"), "no slot fits between start and end")
		}
		for field, day := range map[string]string{"validFrom": r.ValidFrom, "validUntil": r.ValidUntil} {
			if err := rooms.ScheduleDate(at(field), day); err != nil {
				return err
			}
		}
		if r.ValidFrom != "" && r.ValidUntil != "" && r.ValidUntil < r.ValidFrom {
			return rooms.Invalid(at("validUntil"), "validUntil must not be before validFrom")
		}
		for j, other := range rules[:i] {
			if r.meets(other) {
				return rooms.Invalid(at("start"), "this rule overlaps rules[%d]", j)
			}
		}
	}
	return nil
}

func validOffer(at func(string) string, slot, capacity int, media []account.Medium) error {
	switch {
	case slot == 0:
		return rooms.Invalid(at("slotMinutes"), "slotMinutes is missing")
	case capacity == 0:
		return rooms.Invalid(at("capacity"), "capacity is missing")
	case len(media) == 0:
		return rooms.Invalid(at("media"), "name at least one medium")
	}
	for _, m := range media {
		if m != account.Text && m != account.Voice && m != account.Video {
			return rooms.Invalid(at("media"), "media are text, voice and video")
		}
	}
	return nil
}

// meets reports whether two valid rules cover the same time of some day.
func (r Rule) meets(other Rule) bool {
	return r.Weekday == other.Weekday && r.Start < other.End && other.Start < r.End &&
		(r.ValidUntil == "" || other.ValidFrom <= r.ValidUntil) &&
		(other.ValidUntil == "" || r.ValidFrom <= other.ValidUntil)
}

// on reports whether the rule is valid on a day, given as YYYY-MM-DD.
func (r Rule) on(day string) bool {
	return r.ValidFrom <= day && (r.ValidUntil == "" || day <= r.ValidUntil)
}

// offers reports whether the slot can be held in a medium.
func (s Slot) offers(m account.Medium) bool { return slices.Contains(s.Media, m) }
