package schedule

import (
	"slices"
	"sync"
	"time"

	"wenzhen.example/rooms/account"
)

// span is a stretch of real time, its end not included.
type span struct{ start, end time.Time }

func (s span) overlaps(o span) bool { return s.start.Before(o.end) && o.start.Before(s.end) }

// offer is a slot with its seats, before anyone has taken one.
type offer struct {
	span
	capacity int
	media    []account.Medium
}

// slots computes the offers of a schedule that start in [from, to), in order.
// No two overlap: rules of a weekday do not, and extra hours yield to rules.
func (s Schedule) slots(from, to time.Time) ([]offer, error) {
	zone, err := zoneOf(s.TimeZone)
	if err != nil {
		return nil, err
	}
	var regular, all []offer
	days := daysOf(from, to, zone)
	for _, r := range s.Rules {
		start, _ := minutes(r.Start)
		end, _ := minutes(r.End)
		for _, d := range days {
			if isoWeekday(d) != r.Weekday || !r.on(d.Format(time.DateOnly)) {
				continue
			}
			for _, covered := range d.between(start, end) {
				regular = cut(regular, covered, r.SlotMinutes, r.Capacity, r.Media)
			}
		}
	}
	all = append(all, regular...)
	had := index{}
	for _, o := range regular {
		had.add(o.span)
	}
	near := span{from.Add(-extraMargin), to.Add(extraMargin)}
	for _, e := range s.Exceptions {
		if e.Kind != Extra || !near.overlaps(span{e.Start, e.End}) {
			continue
		}
		for _, o := range cut(nil, span{e.Start, e.End}, e.SlotMinutes, e.Capacity, e.Media) {
			if !had.overlaps(o.span) {
				had.add(o.span)
				all = append(all, o)
			}
		}
	}
	all = slices.DeleteFunc(all, func(o offer) bool {
		return o.start.Before(from) || !o.start.Before(to) || s.off(o.span)
	})
	slices.SortFunc(all, func(a, b offer) int { return a.start.Compare(b.start) })
	return all, nil
}

// extraMargin is how far from a stretch extra hours are looked at: they last a
// day at most, and what is farther away does not change the slots of the stretch.
const extraMargin = 7 * 24 * time.Hour

// index finds which slots overlap a stretch: 500 exceptions have 144,000, too
// many to compare each with each. Its keys are starts in units of the longest
// slot, so that a slot overlaps none but those of its unit and its neighbours.
type index map[int64][]span

func unit(p span) int64 { return p.start.Unix() / int64(longestSlot.Seconds()) }

func (x index) add(p span) { x[unit(p)] = append(x[unit(p)], p) }

func (x index) overlaps(p span) bool {
	for at := unit(p) - 1; at <= unit(p)+1; at++ {
		if slices.ContainsFunc(x[at], p.overlaps) {
			return true
		}
	}
	return false
}

// zones remembers zones by name: reading one takes longer than a month's slots.
// There are some hundreds, and only names that exist get in.
var zones sync.Map // string to *time.Location

func zoneOf(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		zones.Store(name, zone)
	}
	return zone, err
}

// off reports whether time off overlaps the span.
func (s Schedule) off(p span) bool {
	return slices.ContainsFunc(s.Exceptions, func(e Exception) bool {
		return e.Kind == TimeOff && p.overlaps(span{e.Start, e.End})
	})
}

// cut divides a stretch into slots; what is left at its end is too short.
func cut(list []offer, p span, slotMinutes, capacity int, media []account.Medium) []offer {
	step := time.Duration(slotMinutes) * time.Minute
	for start := p.start; !start.Add(step).After(p.end); start = start.Add(step) {
		list = append(list, offer{span{start.UTC(), start.Add(step).UTC()}, capacity, media})
	}
	return list
}

// day is a calendar day in a zone.
type day struct {
	time.Time // its noon in UTC: only the date counts
	zone      *time.Location
}

func isoWeekday(d day) int { return (int(d.Weekday())+6)%7 + 1 }

// daysOf are the days, in zone, on which [from, to) may have slots: one more on
// either side, as a slot belongs to the day of its rule.
func daysOf(from, to time.Time, zone *time.Location) []day {
	y, m, d := from.In(zone).Date()
	first := time.Date(y, m, d, 12, 0, 0, 0, time.UTC).AddDate(0, 0, -1)
	y, m, d = to.In(zone).Date()
	last := time.Date(y, m, d, 12, 0, 0, 0, time.UTC).AddDate(0, 0, 1)
	var list []day
	for t := first; !t.After(last); t = t.AddDate(0, 0, 1) {
		list = append(list, day{t, zone})
	}
	return list
}

// between are the stretches of real time in which the clock stands in
// [start, end), minutes of this day. Usually it is one. A clock that is put
// back can make it two, or one that is longer; put forward, shorter or none.
func (d day) between(start, end int) []span {
	midnight := d.Truncate(24 * time.Hour).Unix() // what the clock shows, as if it were UTC
	open, shut := midnight+int64(start)*60, midnight+int64(end)*60
	var list []span
	// Zones are at most 26 hours apart: all of this day's clock time lies in here.
	for at := midnight - 27*3600; at < midnight+51*3600; {
		t := time.Unix(at, 0).In(d.zone)
		_, offset := t.Zone()
		_, until := t.ZoneBounds() // the clock runs evenly until then
		next := midnight + 51*3600
		if !until.IsZero() {
			next = min(next, until.Unix())
		}
		if a, b := max(at, open-int64(offset)), min(next, shut-int64(offset)); a < b {
			p := span{time.Unix(a, 0).UTC(), time.Unix(b, 0).UTC()}
			if n := len(list); n > 0 && list[n-1].end.Equal(p.start) {
				list[n-1].end = p.end
			} else {
				list = append(list, p)
			}
		}
		at = next
	}
	return list
}
