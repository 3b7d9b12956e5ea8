package rooms

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limit bounds a field of an input. It is a tag of the field, so that the
// specifications have the limits that are enforced before a command runs:
//
//	Text    string `json:"text" limit:"..500"`    // at most 500 characters
//	Name    string `json:"name" limit:"1..100"`   // 1 to 100, blanks around it not counted
//	Rules   []Rule `json:"rules" limit:"..100"`   // at most 100 of them
//	Weekday int    `json:"weekday" limit:"1..7"`  // the number itself
//	ID      string `json:"id" limit:"id"`         // what ValidID allows
//	Colour  string `json:"colour" pattern:"^#[0-9a-f]{6}$"`
//
// What may be left out (omitempty, or a nil pointer) is bounded when it is
// there. Structs, and lists of them, are looked into.
type Limit struct {
	// Min and Max are of characters, items, or the number; nil is none.
	Min, Max *float64
	// Pattern is a regular expression; "" is none.
	Pattern string
}

// idPattern is what ValidID allows.
const idPattern = `^[!-~]{1,100}$`

// LimitOf reads the tags of a field; nil if it has none. It panics on a tag
// that it cannot read, which is a mistake in the program.
func LimitOf(f reflect.StructField) *Limit {
	tag, bounded := f.Tag.Lookup("limit")
	l := Limit{Pattern: f.Tag.Get("pattern")}
	switch {
	case tag == "id":
		l.Pattern = idPattern
	case bounded:
		least, most, ok := strings.Cut(tag, "..")
		if !ok {
			panic(fmt.Sprintf("rooms: the limit %q of %s is no range", tag, f.Name))
		}
		l.Min, l.Max = bound(f, least), bound(f, most)
	case l.Pattern == "":
		return nil
	}
	return &l
}

func bound(f reflect.StructField, s string) *float64 {
	if s == "" {
		return nil
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(fmt.Sprintf("rooms: the limit of %s: %v", f.Name, err))
	}
	return &x
}

// check judges one value; at is the name of its field in errors.
type check func(v reflect.Value, at string) error

// checksOf are the limits in a type, as one check; nil if there are none.
func checksOf(t reflect.Type, within ...reflect.Type) check {
	for _, outer := range within {
		if outer == t {
			return nil // a type that contains itself is looked into once
		}
	}
	if t == reflect.TypeFor[time.Time]() {
		return plausible
	}
	within = append(within, t)
	switch t.Kind() {
	case reflect.Pointer:
		inner := checksOf(t.Elem(), within...)
		if inner == nil {
			return nil
		}
		return func(v reflect.Value, at string) error {
			if v.IsNil() {
				return nil
			}
			return inner(v.Elem(), at)
		}
	case reflect.Slice:
		inner := checksOf(t.Elem(), within...)
		if inner == nil {
			return nil
		}
		return func(v reflect.Value, at string) error {
			for i := range v.Len() {
				if err := inner(v.Index(i), fmt.Sprintf("%s[%d]", at, i)); err != nil {
					return err
				}
			}
			return nil
		}
	case reflect.Struct:
		return structChecks(t, within)
	}
	return nil
}

// plausible refuses a time outside the years that the clinic can mean, which
// also keeps what is computed from it within RFC 3339. The zero time, as Go
// writes a field that was not set, is accepted.
func plausible(v reflect.Value, at string) error {
	t := v.Interface().(time.Time).UTC()
	if year := t.Year(); !t.IsZero() && (year < firstYear || year > lastYear) {
		return Invalid(at, "%s must be a time of the years %d to %d", at, firstYear, lastYear)
	}
	return nil
}

func structChecks(t reflect.Type, within []reflect.Type) check {
	type field struct {
		index int
		name  string
		check check
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if l := LimitOf(f); l != nil {
			fields = append(fields, field{i, name, l.check(f.Type, strings.Contains(options, "omitempty"))})
		}
		if inner := checksOf(f.Type, within...); inner != nil {
			fields = append(fields, field{i, name, inner})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return func(v reflect.Value, at string) error {
		for _, f := range fields {
			name := f.name
			if at != "" && name != "" {
				name = at + "." + name
			}
			if err := f.check(v.Field(f.index), cmp.Or(name, at)); err != nil {
				return err
			}
		}
		return nil
	}
}

// check is the limit as a check of values of a type.
func (l Limit) check(t reflect.Type, optional bool) check {
	var pattern *regexp.Regexp
	if l.Pattern != "" {
		pattern = regexp.MustCompile(l.Pattern)
	}
	pointer := t.Kind() == reflect.Pointer
	if pointer {
		t = t.Elem()
	}
	return func(v reflect.Value, at string) error {
		switch {
		case pointer && v.IsNil(), optional && v.IsZero():
			return nil
		case pointer:
			v = v.Elem()
		}
		switch t.Kind() {
		case reflect.String:
			if pattern != nil && !pattern.MatchString(v.String()) {
				return l.unlike(at)
			}
			return l.characters(v.String(), at)
		case reflect.Slice:
			return l.items(v.Len(), at)
		case reflect.Float64:
			return l.number(v.Float(), at)
		default:
			return l.number(float64(v.Int()), at)
		}
	}
}

func (l Limit) unlike(at string) error {
	if l.Pattern == idPattern {
		return Invalid(at, "%s must be 1 to 100 visible ASCII characters", at)
	}
	return Invalid(at, "%s must be like %s", at, l.Pattern)
}

func (l Limit) characters(s, at string) error {
	if !utf8.ValidString(s) {
		return Invalid(at, "%s is not valid UTF-8", at)
	}
	if l.Min == nil {
		if l.Max != nil && utf8.RuneCountInString(s) > int(*l.Max) {
			return TooLarge(at, "%s may have at most %.0f characters", at, *l.Max)
		}
		return nil
	}
	if n := utf8.RuneCountInString(strings.TrimSpace(s)); l.outside(float64(n)) {
		return Invalid(at, "%s must have %s characters", at, l.words())
	}
	return nil
}

func (l Limit) items(n int, at string) error {
	switch {
	case l.Max != nil && float64(n) > *l.Max:
		return TooLarge(at, "%s may have at most %.0f items", at, *l.Max)
	case l.outside(float64(n)):
		return Invalid(at, "%s must have at least %.0f items", at, *l.Min)
	}
	return nil
}

func (l Limit) number(x float64, at string) error {
	if l.outside(x) {
		return Invalid(at, "%s must be %s", at, l.words())
	}
	return nil
}

// outside reports whether x is beyond a bound. NaN is outside.
func (l Limit) outside(x float64) bool {
	return x != x || l.Min != nil && x < *l.Min || l.Max != nil && x > *l.Max
}

func (l Limit) words() string {
	switch {
	case l.Max == nil:
		return "at least " + strconv.FormatFloat(*l.Min, 'f', -1, 64)
	case l.Min == nil:
		return "at most " + strconv.FormatFloat(*l.Max, 'f', -1, 64)
	}
	return strconv.FormatFloat(*l.Min, 'f', -1, 64) + " to " + strconv.FormatFloat(*l.Max, 'f', -1, 64)
}

// MostOf is the upper limit of a field of In. It panics if there is none,
// which is a mistake in the program.
func MostOf[In any](field string) int {
	f, ok := reflect.TypeFor[In]().FieldByName(field)
	if ok {
		if l := LimitOf(f); l != nil && l.Max != nil {
			return int(*l.Max)
		}
	}
	panic(fmt.Sprintf("rooms: %s of %s has no upper limit", field, reflect.TypeFor[In]()))
}

// Check judges an input that comes by another way than a command: its limits,
// then what it says itself as a Validator.
func Check(in any) error { return judge(checksOf(reflect.TypeOf(in)), in) }

func judge(bounded check, in any) error {
	if bounded != nil {
		if err := bounded(reflect.ValueOf(in), ""); err != nil {
			return err
		}
	}
	if v, ok := in.(Validator); ok {
		return v.Validate()
	}
	return nil
}
