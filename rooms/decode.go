package rooms

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// decode reads one JSON object into in, a pointer to a struct; no bytes at all
// count as {}. Its errors are of code invalid and name the field as the client
// sent it: items[0].days.
//
// U+0000 is refused here, for every command: PostgreSQL cannot store it, and
// what one database accepts the other must accept too.
func decode(raw json.RawMessage, in any) error {
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, in); err != nil {
		return undecodable(raw, in, err)
	}
	if field, found := nulIn(raw); found {
		return HasNUL(field)
	}
	return nil
}

// HasNUL is the error for a text with U+0000 in a field.
func HasNUL(field string) *Error {
	if field == "" {
		return Invalid("", "the input must not contain the character U+0000")
	}
	return Invalid(field, "%s must not contain the character U+0000", field)
}

// undecodable explains err, which decoding raw into in returned.
func undecodable(raw json.RawMessage, in any, err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		field := pathAt(raw, wrong.Offset)
		if field == "" {
			return Invalid("", "the input must be one JSON object, not %s", wrong.Value)
		}
		return Invalid(field, "%s must be %s, not %s", field, jsonName(wrong.Type), wrong.Value)
	}
	if field := fieldAtFault(raw, reflect.TypeOf(in).Elem(), ""); field != "" {
		return Invalid(field, "%s is not well-formed: %v", field, err)
	}
	return Invalid("", "the input is not valid JSON: %v", err)
}

// nulIn returns the path of the first string in raw, a valid JSON text, that
// contains U+0000, and reports whether there is one. Valid JSON can only
// contain it escaped.
func nulIn(raw json.RawMessage) (path string, found bool) {
	if !bytes.Contains(raw, []byte(`\u0000`)) {
		return "", false
	}
	walk(raw, func(at string, token json.Token, _ int64) bool {
		s, text := token.(string)
		found = text && strings.ContainsRune(s, 0)
		path = at
		return !found
	})
	return path, found
}

// pathAt returns the path of the innermost value of raw that ends at or after
// offset.
func pathAt(raw json.RawMessage, offset int64) string {
	var path string
	walk(raw, func(at string, _ json.Token, end int64) bool {
		path = at
		return end < offset
	})
	return path
}

// walk calls visit with each token of a JSON text that is a value, or begins or
// ends one, with the value's path and the offset at which the token ends. The
// name of a member is visited with the path of its object. It stops when visit
// returns false.
func walk(raw json.RawMessage, visit func(path string, token json.Token, end int64) bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	type container struct {
		path string
		list bool
		next int    // the index of a list's next value
		key  string // the name of an object's next value
		name bool   // whether an object's next token is a name
	}
	var open []container
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		if end, ok := token.(json.Delim); ok && (end == '}' || end == ']') {
			path := open[len(open)-1].path
			open = open[:len(open)-1]
			if !visit(path, token, d.InputOffset()) {
				return
			}
			continue
		}
		path := ""
		if len(open) > 0 {
			in := &open[len(open)-1]
			if in.name {
				in.key, in.name = token.(string), false
				if !visit(in.path, token, d.InputOffset()) {
					return
				}
				continue
			}
			path = in.path + fmt.Sprintf("[%d]", in.next)
			if !in.list {
				path, in.name = strings.TrimPrefix(in.path+"."+in.key, "."), true
			}
			in.next++
		}
		if !visit(path, token, d.InputOffset()) {
			return
		}
		if begin, ok := token.(json.Delim); ok {
			open = append(open, container{path: path, list: begin == '[', name: begin == '{'})
		}
	}
}

// fieldAtFault returns the path of the innermost value in raw that cannot be
// decoded into its part of t, for errors that do not name one: those of types
// that decode themselves, such as times.
func fieldAtFault(raw json.RawMessage, t reflect.Type, at string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if json.Unmarshal(raw, reflect.New(t).Interface()) == nil {
		return ""
	}
	switch t.Kind() {
	case reflect.Struct:
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil {
			return at
		}
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if value, given := members[name]; given && name != "" && f.IsExported() {
				if path := fieldAtFault(value, f.Type, strings.TrimPrefix(at+"."+name, ".")); path != "" {
					return path
				}
			}
		}
	case reflect.Slice:
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return at
		}
		for i, item := range items {
			if path := fieldAtFault(item, t.Elem(), fmt.Sprintf("%s[%d]", at, i)); path != "" {
				return path
			}
		}
	}
	return at
}

func jsonName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	}
	return "a number"
}
