package notification

import (
	"time"

	"wenzhen.example/rooms"
)

// Preferences are the channels and times of notifications outside the inbox.
type Preferences struct {
	// Kinds has every kind once.
	Kinds []KindPreference `json:"kinds"`
	// QuietHours hold pushes and mails back; none when missing.
	QuietHours *QuietHours `json:"quietHours,omitempty"`
}

// KindPreference says by which channels a kind goes out.
type KindPreference struct {
	Kind  Kind `json:"kind"`
	Push  bool `json:"push"`
	Email bool `json:"email"`
}

// QuietHours are a stretch of every day on the clock of a zone; they may go
// past midnight. What comes in them goes out when they are over, unless it has
// been seen by then.
type QuietHours struct {
	From     string `json:"from"`     // "22:00"
	To       string `json:"to"`       // "07:30"
	TimeZone string `json:"timeZone"` // IANA name
}

// Validate implements rooms.Validator.
func (p Preferences) Validate() error {
	given := map[Kind]bool{}
	for _, k := range p.Kinds {
		if !k.Kind.known() {
			return rooms.Invalid("kinds", "there is no kind %q", k.Kind)
		}
		if given[k.Kind] {
			return rooms.Invalid("kinds", "%s is there twice", k.Kind)
		}
		given[k.Kind] = true
	}
	if p.QuietHours == nil {
		return nil
	}
	return p.QuietHours.validate()
}

func (k Kind) known() bool {
	for _, other := range Kinds() {
		if k == other {
			return true
		}
	}
	return false
}

func (q QuietHours) validate() error {
	if _, ok := clockOf(q.From); !ok {
		return rooms.Invalid("quietHours.from", "from must be a time of day such as 22:00")
	}
	if _, ok := clockOf(q.To); !ok {
		return rooms.Invalid("quietHours.to", "to must be a time of day such as 07:30")
	}
	if q.From == q.To {
		return rooms.Invalid("quietHours.to", "to must differ from from")
	}
	if _, err := time.LoadLocation(q.TimeZone); err != nil || q.TimeZone == "" || q.TimeZone == "Local" {
		return rooms.Invalid("quietHours.timeZone", "timeZone must be an IANA name such as Asia/Shanghai")
	}
	return nil
}

// clockOf reads "22:00" as minutes since midnight.
func clockOf(s string) (int, bool) {
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err == nil && len(s) == len("15:04")
}

// until reports whether at is in the quiet hours, and when they end: the next
// time that the clock of the zone shows To. If the clock is put forward over
// To, it is the moment of that change.
func (q QuietHours) until(at time.Time) (time.Time, bool) {
	zone, err := time.LoadLocation(q.TimeZone)
	from, fine := clockOf(q.From)
	to, good := clockOf(q.To)
	if err != nil || !fine || !good {
		return at, false // was validated once; a zone may leave the database
	}
	local := at.In(zone)
	clock := local.Hour()*60 + local.Minute()
	in := from <= clock && clock < to
	if from > to {
		in = clock >= from || clock < to
	}
	if !in {
		return at, false
	}
	day := local.Day()
	if clock >= to {
		day++
	}
	return time.Date(local.Year(), local.Month(), day, to/60, to%60, 0, 0, zone).UTC(), true
}

// complete puts every kind in, in order, with its default where it is missing:
// everything is pushed, and everything is mailed that was not read in time.
func (p Preferences) complete() Preferences {
	kinds := make([]KindPreference, 0, len(Kinds()))
	for _, kind := range Kinds() {
		kinds = append(kinds, p.of(kind))
	}
	p.Kinds = kinds
	return p
}

// of is the preference for a kind.
func (p Preferences) of(kind Kind) KindPreference {
	for _, k := range p.Kinds {
		if k.Kind == kind {
			return k
		}
	}
	return KindPreference{Kind: kind, Push: true, Email: true}
}
