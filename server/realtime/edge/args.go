package edge

import (
	"bytes"
	"encoding/json"
)

// Arg is one argument of an event. JSON is valid JSON and may be kept. If
// the packet has binary attachments, {"_placeholder":true,"num":n}
// stands for Attachments[n], and n is within bounds.
type Arg struct {
	JSON        json.RawMessage
	Attachments [][]byte
}

// reserved reports whether an event must not have this name, because clients and
// servers emit it themselves.
func reserved(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}

// argsMost is the maximum number of arguments of an event. A packet can contain half
// a million, which would take a hundred times the memory of the packet.
const argsMost = 64

// splitEvent splits an event's valid JSON array into its name and its
// arguments, which stay raw JSON.
func splitEvent(array []byte, attachments [][]byte) (name string, args []Arg, err error) {
	var few [4]Arg
	args = few[:0]
	first := true
	elements(array, func(element []byte) {
		switch {
		case first:
			first = false
			name, err = eventName(element)
		case len(args) < argsMost:
			args = append(args, Arg{JSON: element, Attachments: attachments})
		default:
			err = errMalformed
		}
	})
	if first {
		err = errMalformed
	}
	if err != nil {
		return "", nil, err
	}
	return name, append([]Arg(nil), args...), nil
}

// eventName reads the name of an event: a string, or a number, whose digits are
// the name.
func eventName(text []byte) (string, error) {
	if c := text[0]; c == '-' || (c >= '0' && c <= '9') {
		return string(text), nil
	}
	name, err := unquote(text)
	if err == nil && reserved(name) {
		err = errMalformed
	}
	return name, err
}

// elements calls f with each element of a valid JSON array.
func elements(array []byte, f func(element []byte)) {
	depth, quoted, start := 0, false, -1
	for i := 0; i < len(array); i++ {
		c := array[i]
		if quoted {
			if c == '\\' {
				i++
			} else if c == '"' {
				quoted = false
			}
			continue
		}
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '[', '{':
			if depth++; depth == 1 {
				continue
			}
		case ']', '}':
			if depth--; depth == 0 {
				if start >= 0 {
					f(trimSpace(array[start:i:i]))
				}
				return
			}
		case ',':
			if depth == 1 {
				f(trimSpace(array[start:i:i]))
				start = -1
				continue
			}
		case '"':
			quoted = true
		}
		if start < 0 {
			start = i
		}
	}
}

func trimSpace(text []byte) []byte {
	n := len(text)
	for n > 0 && (text[n-1] == ' ' || text[n-1] == '\t' || text[n-1] == '\r' || text[n-1] == '\n') {
		n--
	}
	return text[:n:n]
}

// unquote reads a JSON string.
func unquote(text []byte) (string, error) {
	if len(text) < 2 || text[0] != '"' {
		return "", errMalformed
	}
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1]), nil
	}
	var s string
	if json.Unmarshal(text, &s) != nil {
		return "", errMalformed
	}
	return s, nil
}

// placeholdersFit reports whether every placeholder in a JSON text refers to an
// existing attachment.
func placeholdersFit(text []byte, attachments int) bool {
	if !bytes.Contains(text, []byte("_placeholder")) {
		return true
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(&value) == nil && placeholders(value, attachments)
}

func placeholders(value any, attachments int) bool {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			if !placeholders(element, attachments) {
				return false
			}
		}
	case map[string]any:
		if v["_placeholder"] == true {
			num, ok := v["num"].(json.Number)
			if !ok {
				return false
			}
			n, err := num.Int64()
			return err == nil && n >= 0 && n < int64(attachments)
		}
		for _, member := range v {
			if !placeholders(member, attachments) {
				return false
			}
		}
	}
	return true
}
