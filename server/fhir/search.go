package fhir

import (
	"net/url"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// param is a search parameter: its type, and the values of a resource that it
// is compared with.
type param struct {
	typ    paramType
	values func(resource) []string
}

type paramType string

// The types of search parameters that there are here.
const (
	token     paramType = "token"
	reference paramType = "reference"
	text      paramType = "string"
	date      paramType = "date"
)

// tests are what a resource must pass to be found. Parameters that a type does
// not have are left out of account, as FHIR asks of a lenient server. A value
// with commas means any of them; a parameter given twice, both.
// valuesMost bounds the values of all parameters of a search together: each is
// compared with each resource.
const valuesMost = 200

func (r *request) tests(k kind) ([]func(resource) bool, error) {
	var all []func(resource) bool
	values := 0
	for name, given := range r.query {
		p, known := k.params[name]
		if !known {
			continue
		}
		for _, value := range given {
			values += 1 + strings.Count(value, ",")
		}
		if values > valuesMost {
			return nil, rooms.Invalid(name, "a search can have at most %d values", valuesMost)
		}
		zone := time.UTC
		if p.typ == date {
			var err error
			if zone, err = r.zone(); err != nil {
				return nil, err
			}
		}
		for _, value := range given {
			fits, err := p.test(name, value, zone)
			if err != nil {
				return nil, err
			}
			all = append(all, fits)
		}
	}
	return all, nil
}

func (p param) test(name, value string, zone *time.Location) (func(resource) bool, error) {
	var any []func(string) bool
	for _, v := range strings.Split(value, ",") {
		var fits func(string) bool
		switch p.typ {
		case date:
			within, err := period(name, v, zone)
			if err != nil {
				return nil, err
			}
			fits = within
		case text:
			fits = func(have string) bool { return strings.Contains(strings.ToLower(have), strings.ToLower(v)) }
		case reference:
			fits = func(have string) bool { return have == v || strings.HasSuffix(have, "/"+v) }
		default:
			if i := strings.LastIndex(v, "|"); i >= 0 { // system|code: the systems are fixed
				v = v[i+1:]
			}
			fits = func(have string) bool { return have == v }
		}
		any = append(any, fits)
	}
	return func(found resource) bool {
		for _, have := range p.values(found) {
			for _, fits := range any {
				if fits(have) {
					return true
				}
			}
		}
		return false
	}, nil
}

// period understands a date with a prefix: "2026-11", "ge2026-11-01",
// "lt2026-11-01T12:00:00Z". The prefixes compare stretches of time, as FHIR R4
// defines for its search by date.
func period(name, v string, zone *time.Location) (func(string) bool, error) {
	prefix := "eq"
	for _, p := range []string{"eq", "ne", "ge", "le", "gt", "lt", "sa", "eb"} {
		if rest, ok := strings.CutPrefix(v, p); ok {
			prefix, v = p, rest
			break
		}
	}
	asked, ok := spanOf(v, zone)
	if !ok {
		return nil, rooms.Invalid(name, "%s must be a date such as 2026-11-01, ge2026-11 or lt2026-11-01T12:00:00Z", name)
	}
	return func(have string) bool {
		found, ok := spanOf(have, zone)
		if !ok {
			return false
		}
		within := !found.from.Before(asked.from) && !found.to.After(asked.to)
		switch prefix {
		case "gt":
			return found.to.After(asked.to)
		case "ge":
			return found.to.After(asked.from)
		case "lt":
			return found.from.Before(asked.from)
		case "le":
			return found.from.Before(asked.to)
		case "sa":
			return !found.from.Before(asked.to)
		case "eb":
			return !found.to.After(asked.from)
		case "ne":
			return !within
		}
		return within
	}, nil
}

// span is a stretch of time, without its end.
type span struct{ from, to time.Time }

// openEnd is the end of what goes on.
var openEnd = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// spanOf is the time that a date of some precision means in a zone, or a period,
// which is two of them with a stroke between; without the second it goes on.
func spanOf(v string, zone *time.Location) (span, bool) {
	if start, end, period := strings.Cut(v, "/"); period {
		first, ok := spanOf(start, zone)
		last, ended := spanOf(end, zone)
		if !ended {
			last.to = openEnd
		}
		return span{first.from, last.to}, ok && (ended || end == "")
	}
	if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
		return span{at, at.Add(1)}, true
	}
	for layout, next := range map[string]func(time.Time) time.Time{
		"2006":        func(t time.Time) time.Time { return t.AddDate(1, 0, 0) },
		"2006-01":     func(t time.Time) time.Time { return t.AddDate(0, 1, 0) },
		time.DateOnly: func(t time.Time) time.Time { return t.AddDate(0, 0, 1) },
	} {
		if at, err := time.ParseInLocation(layout, v, zone); err == nil {
			return span{at, next(at)}, true
		}
	}
	return span{}, false
}

// zone is that of the account that asks; days are days there.
func (r *request) zone() (*time.Location, error) {
	if r.days == nil {
		self, err := ask(r, account.Me, rooms.Nothing{})
		if err != nil {
			return nil, err
		}
		if r.days, err = time.LoadLocation(self.User.TimeZone); err != nil {
			r.days = time.UTC
		}
	}
	return r.days, nil
}

// periods are those of a resource, for spanOf.
func periods(found resource) []string {
	period, _ := found["period"].(resource)
	start, _ := period["start"].(string)
	end, _ := period["end"].(string)
	return []string{start + "/" + end}
}

// referred is the id that a reference parameter asks for, "" if there is none
// or several.
func referred(query url.Values, names ...string) string {
	for _, name := range names {
		if v := query.Get(name); v != "" && !strings.Contains(v, ",") {
			return v[strings.LastIndex(v, "/")+1:]
		}
	}
	return ""
}

// at reads a value out of a resource: at("subject", "reference").
func at(path ...string) func(resource) []string {
	return func(found resource) []string { return dig(found, path) }
}

func dig(v any, path []string) []string {
	switch v := v.(type) {
	case resource:
		if len(path) > 0 {
			return dig(v[path[0]], path[1:])
		}
	case []resource:
		var all []string
		for _, part := range v {
			all = append(all, dig(part, path)...)
		}
		return all
	case string:
		if len(path) == 0 {
			return []string{v}
		}
	}
	return nil
}
