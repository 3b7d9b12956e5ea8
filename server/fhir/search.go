package fhir

import (
	"net/url"
	"strings"
	"time"

	"wenzhen/rooms"
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
func (r *request) tests(k kind) ([]func(resource) bool, error) {
	var all []func(resource) bool
	for name, given := range r.query {
		p, known := k.params[name]
		if !known {
			continue
		}
		for _, value := range given {
			fits, err := p.test(name, value)
			if err != nil {
				return nil, err
			}
			all = append(all, fits)
		}
	}
	return all, nil
}

func (p param) test(name, value string) (func(resource) bool, error) {
	var any []func(string) bool
	for _, v := range strings.Split(value, ",") {
		var fits func(string) bool
		switch p.typ {
		case date:
			within, err := period(name, v)
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
// "lt2026-11-01T12:00:00Z".
func period(name, v string) (func(string) bool, error) {
	prefix := "eq"
	for _, p := range []string{"eq", "ne", "ge", "le", "gt", "lt", "sa", "eb"} {
		if rest, ok := strings.CutPrefix(v, p); ok {
			prefix, v = p, rest
			break
		}
	}
	from, to, ok := span(v)
	if !ok {
		return nil, rooms.Invalid(name, "%s must be a date such as 2026-11-01, ge2026-11 or lt2026-11-01T12:00:00Z", name)
	}
	return func(have string) bool {
		at, until, ok := span(have)
		if !ok {
			return false
		}
		switch prefix {
		case "ge":
			return !at.Before(from)
		case "gt", "sa":
			return !at.Before(to)
		case "le":
			return at.Before(to)
		case "lt", "eb":
			return at.Before(from)
		case "ne":
			return at.Before(from) || until.After(to)
		}
		return !at.Before(from) && !until.After(to)
	}, nil
}

// span is the time that a date of some precision means.
func span(v string) (from, to time.Time, ok bool) {
	if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
		return at, at, true
	}
	for layout, next := range map[string]func(time.Time) time.Time{
		"2006":        func(t time.Time) time.Time { return t.AddDate(1, 0, 0) },
		"2006-01":     func(t time.Time) time.Time { return t.AddDate(0, 1, 0) },
		time.DateOnly: func(t time.Time) time.Time { return t.AddDate(0, 0, 1) },
	} {
		if at, err := time.Parse(layout, v); err == nil {
			return at, next(at), true
		}
	}
	return time.Time{}, time.Time{}, false
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
