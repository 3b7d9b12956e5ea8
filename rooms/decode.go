package rooms

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decode reads one JSON object into in, a pointer to a struct; no bytes at all
// count as {}. Its errors are of code invalid and name the field as the client
// sent it: items[0].days.
//
// Names of members match exactly, and each may occur once, so that everything
// that reads the input sees the same value: encoding/json takes the last of
// consultationId and CONSULTATIONID. Text that is not UTF-8 is refused, and so
// is U+0000, which PostgreSQL cannot store: what one database accepts the other
// must accept too.
func decode(raw json.RawMessage, in any) error {
	if len(raw) == 0 {
		return nil
	}
	if err := jsonv2.Unmarshal(raw, in); err != nil {
		return undecodable(err)
	}
	if field, found := nulIn(raw); found {
		return HasNUL(field)
	}
	return nil
}

// Members returns the members of raw, which must be one JSON object. Errors are of
// code invalid: a name that occurs twice is named as the field.
func Members(raw json.RawMessage) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	err := jsonv2.Unmarshal(raw, &members, jsontext.AllowInvalidUTF8(true)) // decode names the field
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return nil, undecodable(err)
	case err != nil || members == nil:
		return nil, Invalid("", "the body must be one JSON object")
	}
	return members, nil
}

// HasNUL is the error for a text with U+0000 in a field.
func HasNUL(field string) *Error {
	if field == "" {
		return Invalid("", "the input must not contain the character U+0000")
	}
	return Invalid(field, "%s must not contain the character U+0000", field)
}

// undecodable explains err, which decoding an input returned.
func undecodable(err error) error {
	var wrong *jsonv2.SemanticError
	if errors.As(err, &wrong) {
		field := fieldAt(wrong.JSONPointer)
		switch {
		case field == "":
			return Invalid("", "the input must be one JSON object, not %s", kindName(wrong.JSONKind))
		case wrong.GoType == reflect.TypeFor[time.Time]():
			return Invalid(field, "%s must be a time such as 2026-05-31T08:30:00Z (RFC 3339)", field)
		}
		return Invalid(field, "%s must be %s, not %s", field, jsonName(wrong.GoType), kindName(wrong.JSONKind))
	}
	var malformed *jsontext.SyntacticError
	if errors.As(err, &malformed) && errors.Is(err, jsontext.ErrDuplicateName) {
		if field := fieldAt(malformed.JSONPointer); field != "" {
			return Invalid(field, "%s is given twice", field)
		}
		return Invalid("", "the input has a member twice, at byte %d", malformed.ByteOffset)
	}
	return invalidJSON(err)
}

// invalidJSON explains err, which reading a malformed JSON text returned. It quotes
// nothing but the names of members: the errors of package jsontext quote what
// follows, which may be the text of a patient.
func invalidJSON(err error) error {
	var malformed *jsontext.SyntacticError
	if !errors.As(err, &malformed) {
		return Invalid("", "the input is not valid JSON")
	}
	field, at := fieldAt(malformed.JSONPointer), malformed.ByteOffset
	reason := malformed.Err.Error()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Invalid("", "the input is not valid JSON: it ends after byte %d, before the object is complete", at)
	case strings.HasPrefix(reason, "invalid UTF-8"):
		reason = "not UTF-8"
	case strings.HasPrefix(reason, "invalid escape sequence"):
		reason = "a wrong escape sequence, such as half of a surrogate pair"
	case strings.Contains(reason, "in string"):
		reason = "a control character that is not escaped"
	default:
		return Invalid(field, "the input is not valid JSON at byte %d", at)
	}
	if field == "" {
		return Invalid("", "the input contains %s at byte %d", reason, at)
	}
	return Invalid(field, "%s contains %s at byte %d", field, reason, at)
}

// nulIn returns the path of the first string in raw, a valid JSON text, that
// contains U+0000, and reports whether there is one. Valid JSON can only
// contain it escaped.
func nulIn(raw json.RawMessage) (path string, found bool) {
	if !bytes.Contains(raw, []byte(`\u0000`)) {
		return "", false
	}
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := d.ReadToken()
		if err != nil {
			return "", false
		}
		if token.Kind() != '"' || !strings.ContainsRune(token.String(), 0) {
			continue
		}
		at := d.StackPointer()
		if strings.ContainsRune(string(at), 0) { // the name of a member
			at = at.Parent()
		}
		return fieldAt(at), true
	}
}

// longestField bounds, in bytes, the paths that errors name: names are chosen by the
// sender.
const longestField = 200

// fieldAt writes a JSON Pointer (RFC 6901) as the path of a field: /items/0/days
// is items[0].days. Of a path that is too long it returns the beginning.
func fieldAt(p jsontext.Pointer) string {
	var path strings.Builder
	for token := range p.Tokens() {
		if path.Len()+len(token) > longestField {
			break
		}
		switch _, err := strconv.ParseUint(token, 10, 32); {
		case err == nil:
			path.WriteString("[" + token + "]")
		case path.Len() > 0:
			path.WriteString("." + token)
		default:
			path.WriteString(token)
		}
	}
	return path.String()
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "this number"
	case '[':
		return "an array"
	}
	return "an object"
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
