package rooms_test

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/roomstest"
)

// Numbers at the limits of what databases and clients can hold are answered or
// refused, but never fail, in every input; one beyond 64 bits is refused by name.
func TestNumbersOfInputs(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	others := map[string]any{"consultationId": id, "doctorId": wang.User.ID, "userId": bo.User.ID, "patientId": bo.User.ID,
		"reason": "a complaint of the patient", "text": "headache", "q": "headache"}
	actors := []rooms.Actor{bo.As, wang.As, {UserID: "admin", Role: rooms.RoleAdmin}}
	tried := 0
	for b := range w.Catalogue.All() {
		numbers(b.In, "", func(field string, _ reflect.StructField) {
			for _, n := range []string{"2147483648", "9007199254740992", "9223372036854775807", "-9223372036854775808", "-1", "0", "1e400"} {
				for _, actor := range actors {
					if !b.For.Has(actor.Role) {
						continue
					}
					tried++
					_, err := w.Catalogue.Answer(t.Context(), actor, b.Name, inputWith(t, b.In, others, field, n))
					var e *rooms.Error
					switch known := errors.As(err, &e); {
					case err != nil && (!known || e.Code == rooms.CodeInternal):
						t.Errorf("%s: %s = %s: %v", b.Name, field, n, err)
					case n == "1e400" && (!known || e.Code != rooms.CodeInvalid || e.Field == ""):
						t.Errorf("%s: %s = %s is accepted, or not named: %v", b.Name, field, n, err)
					}
				}
			}
		})
	}
	if tried < 100 {
		t.Errorf("only %d numbers were tried", tried)
	}
}

// inputWith returns an input of a type with a number in one of its fields.
func inputWith(t *testing.T, of reflect.Type, others map[string]any, field, number string) json.RawMessage {
	t.Helper()
	var value any = json.Number(number)
	path := strings.Split(field, ".")
	if len(path) > 1 && path[0] == "" {
		path = path[1:] // of an embedded struct
	}
	for i := len(path) - 1; i > 0; i-- {
		value = map[string]any{path[i]: value}
		if isList(of, path[:i]) {
			value = []any{value}
		}
	}
	in := maps.Clone(others)
	in[path[0]] = value
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// isList reports whether the field at path is a list.
func isList(of reflect.Type, path []string) bool {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct {
		return false
	}
	for i := range of.NumField() {
		f := of.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			if isList(f.Type, path) {
				return true
			}
		case name == path[0] && len(path) == 1:
			kind := f.Type.Kind()
			return kind == reflect.Slice || kind == reflect.Pointer && f.Type.Elem().Kind() == reflect.Slice
		case name == path[0]:
			return isList(f.Type, path[1:])
		}
	}
	return false
}
