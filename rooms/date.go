package rooms

import "time"

// Years that a date of somebody's life or of a schedule can lie in.
const (
	firstYear = 1900
	lastYear  = 2199
)

// aheadOfUTC is how far the local date can be ahead of UTC.
const aheadOfUTC = 14 * time.Hour

// PastDate checks a date that must not lie in the future in any time zone, such
// as a birth date: YYYY-MM-DD, in 1900 or later. With partial, YYYY and YYYY-MM
// are accepted too. "" is accepted: the field is missing. The error is of code
// invalid and names the field.
func PastDate(field, date string, partial bool, now time.Time) error {
	if date == "" {
		return nil
	}
	layouts, form := []string{time.DateOnly}, "YYYY-MM-DD"
	if partial {
		layouts, form = []string{time.DateOnly, "2006-01", "2006"}, "YYYY, YYYY-MM or YYYY-MM-DD"
	}
	for _, layout := range layouts {
		day, err := time.Parse(layout, date)
		switch {
		case err != nil:
			continue
		case day.Year() < firstYear:
			return Invalid(field, "%s must not be before %d", field, firstYear)
		case date > now.UTC().Add(aheadOfUTC).Format(layout):
			return Invalid(field, "%s must not be in the future", field)
		}
		return nil
	}
	return Invalid(field, "%s must be %s", field, form)
}

// ScheduleDate checks a date that a schedule names, past or future: YYYY-MM-DD
// of the years 1900 to 2199. "" is accepted.
func ScheduleDate(field, date string) error {
	if date == "" {
		return nil
	}
	day, err := time.Parse(time.DateOnly, date)
	switch {
	case err != nil:
		return Invalid(field, "%s must be YYYY-MM-DD", field)
	case day.Year() < firstYear || day.Year() > lastYear:
		return Invalid(field, "%s must be a date of the years %d to %d", field, firstYear, lastYear)
	}
	return nil
}
