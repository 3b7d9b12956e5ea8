package rooms_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/roomstest"
)

// Every number in the input of a command has an upper limit, so that no sum or
// product of what clients send can overflow (SEC-25).
func TestInputNumbersAreBounded(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	for b := range w.Catalogue.All() {
		numbers(b.In, "", func(field string, f reflect.StructField) {
			name := field[strings.LastIndex(field, ".")+1:]
			if l := rooms.LimitOf(f); (l == nil || l.Max == nil) && boundedElsewhere[name] == "" {
				t.Errorf("%s: %s (%s) has no upper limit", b.Name, field, f.Type)
			}
		})
	}
}

// boundedElsewhere lists the numbers whose limits are not tags, and what keeps
// them harmless.
var boundedElsewhere = map[string]string{
	"limit":         "rooms.PageSize",
	"after":         "a position in a log, only compared",
	"before":        "a position in a log, only compared",
	"upToSeq":       "a position in a log, cut to the last one",
	"version":       "only compared",
	"sdpMLineIndex": "passed on, not used",
	"x":             "validPoints of board",
	"y":             "validPoints of board",
	"from":          "validated by board",
	"dose":          "PrescriptionItem",
	"days":          "PrescriptionItem",
	"quantity":      "PrescriptionItem",
}

// numbers yields the number fields in a type that the client can set.
func numbers(t reflect.Type, at string, yield func(string, reflect.StructField)) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		kind := f.Type.Kind()
		if kind == reflect.Pointer {
			kind = f.Type.Elem().Kind()
		}
		switch kind {
		case reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint64, reflect.Float64:
			yield(at+name, f)
		default:
			numbers(f.Type, at+name+".", yield)
		}
	}
}
