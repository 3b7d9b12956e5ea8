package rooms

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

type decodedItem struct {
	Days  int       `json:"days"`
	Dose  float64   `json:"dose"`
	Codes []string  `json:"codes"`
	At    time.Time `json:"at"`
}

type DecodedEmbedded struct {
	Name  string        `json:"name"`
	Items []decodedItem `json:"items"`
	Birth *string       `json:"birth,omitempty"`
}

type decodedInput struct {
	ID string `json:"id"`
	DecodedEmbedded
	Extra json.RawMessage `json:"extra"`
}

// An error for malformed JSON quotes nothing of the input but names: what follows
// the mistake can be the text of a patient, and errors are logged.
func TestMalformedInputIsNotQuoted(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{`\ud800`, `\ud800\u0041`, `\udc00`, `\x`, `\u00g0`, "\xff", "\n", `"secret`, `",secret`, `"}secret`, `","id":"secret`} {
		raw := `{"id":"` + wrong + `secret","name":"secret"}`
		err := decode(json.RawMessage(raw), new(decodedInput))
		if err == nil {
			t.Errorf("%s was decoded", raw)
			continue
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), wrong) && len(wrong) > 1 {
			t.Errorf("%s: the error quotes the input: %v", raw, err)
		}
	}
}

// Errors name the field as the client sent it, never a Go type (FLD-16, LAN-7).
func TestDecodeNamesTheField(t *testing.T) {
	t.Parallel()
	for raw, field := range map[string]string{
		`{"items":[{"days":1},{"days":1.5}]}`:                  "items[1].days",
		`{"items":[{"days":"x"}]}`:                             "items[0].days",
		`{"items":[{"days":[1,2]}]}`:                           "items[0].days",
		`{"items":[{"days":{"a":{"b":1}}}]}`:                   "items[0].days",
		`{"items":[{"codes":[{"code":"J20.9"}]}]}`:             "items[0].codes[0]",
		`{"items":[{"codes":["a",["b"]]}]}`:                    "items[0].codes[1]",
		`{"items":{"days":1}}`:                                 "items",
		`{"items":[ 7 ]}`:                                      "items[0]",
		`{"id":7,"items":[]}`:                                  "id",
		`{"name":{"a":[1,{"b":2}]},"id":"x"}`:                  "name",
		`{"birth":false}`:                                      "birth",
		`{"items":[{"days":1e400}]}`:                           "items[0].days",
		`{"items":[{"at":"2026-01-02T03:04:05Z"},{"at":"x"}]}`: "items[1].at",
		`{"items":[{"at":5}]}`:                                 "items[0].at",
		`[1]`:                                                  "",
		`"x"`:                                                  "",
		`{"id":`:                                               "",
		`{"id":"a\u0000b"}`:                                    "id",
		`{"items":[{"codes":["a","\u0000"]}]}`:                 "items[0].codes[1]",
		`{"name":"\\\u0000"}`:                                  "name",
		`{"extra":{"a":[{"b":"\u0000"}]}}`:                     "extra.a[0].b",
		`{"extra":{"\u0000":1}}`:                               "extra",
		`{"unknown":"\u0000"}`:                                 "unknown",
		`{"id":"a","id":"b"}`:                                  "id",
		`{"items":[{"codes":["a"],"codes":[]}]}`:               "items[0].codes",
		"{\"id\":\"a\xff\"}":                                   "id",
		`{"id":"a\ud800"}`:                                     "id",
		`{"id":"\ud800\ud800"}`:                                "id",
		`{"items":[{"days":1},{"codes":["a","\udc00"]}]}`:      "items[1].codes[1]",
		`{"extra":{"a":[{"b":"\ud800x"}]}}`:                    "extra.a[0].b",
		`{"unknown":{"a":"\x"}}`:                               "unknown.a",
		"{\"name\":\"a\nb\"}":                                  "name",
		`{"items":[{"days":tru}]}`:                             "items[0].days",
		`{"` + strings.Repeat("n", 300) + `":"\ud800"}`:        "",
	} {
		var in decodedInput
		err := decode(json.RawMessage(raw), &in)
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeInvalid || e.Field != field {
			t.Errorf("%s: %v (field %q), want invalid in %q", raw, err, e.Field, field)
		}
		for _, ours := range []string{"json:", "jsontext", "Unmarshal", "2006-01-02", "time.Time", "parsing time", "decodedInput"} {
			if strings.Contains(err.Error(), ours) {
				t.Errorf("%s: the message has %q: %v", raw, ours, err)
			}
		}
	}
}

func TestDecodeAccepts(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{``, `{}`, `{"id":"\\u0000"}`, `{"id":"a","name":"𠮷","items":[{"days":3,"at":"2026-01-02T03:04:05Z"}],"extra":[1,"x"]}`} {
		var in decodedInput
		if err := decode(json.RawMessage(raw), &in); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// A name in another case is another name: what reads the input for the audit
// log and what carries the command out must see the same value.
func TestDecodeMatchesNamesExactly(t *testing.T) {
	t.Parallel()
	var in decodedInput
	if err := decode(json.RawMessage(`{"id":"a","ID":"b","Id":"c"}`), &in); err != nil || in.ID != "a" {
		t.Errorf("id is %q (%v), want a", in.ID, err)
	}
}
