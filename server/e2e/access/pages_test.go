package access_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
	"wenzhen.example/server/rest"
)

// unreadable are values of a field that says which page of a list is wanted, as
// JSON. Each is refused, and the error names the field.
func unreadable(field string) map[string]any {
	if field != "cursor" {
		return map[string]any{"less than nothing": -1, "a fraction": 1.5, "a word": "many",
			"beyond 64 bits": json.Number("9223372036854775808"), "an exponent": json.Number("1e400")}
	}
	return map[string]any{"no base64": "!", "padded": "e30=", "too long": page(`{"k":"` + strings.Repeat("x", 20_000) + `"}`),
		"cut off":  page(`{"k":"x`),
		"an array": page(`[]`), "nested": page(`{"k":` + strings.Repeat("[", 10_000)), "a number for a text": page(`{"k":5}`),
		"a text for a number": page(`{"n":"5"}`), "a fraction": page(`{"n":1.5}`), "beyond 64 bits": page(`{"n":9223372036854775808}`),
		"an exponent": page(`{"n":1e400}`), "U+0000": page(`{"k":"\u0000"}`), "half a character": page(`{"i":"\ud800"}`),
		"not UTF-8": page("{\"i\":\"\xff\"}"), "given twice": page(`{"i":"x","i":"y"}`)}
}

// readable are values of such a field that nobody was given, and which lead to
// some page, or to an empty one.
func readable(field string) map[string]any {
	if field == "limit" {
		return nil
	}
	if field != "cursor" {
		return map[string]any{"the last of 64 bits": json.Number("9223372036854775807"), "nothing": 0}
	}
	return map[string]any{"the first of 64 bits": page(`{"n":-9223372036854775808,"i":"x"}`),
		"the last of 64 bits": page(`{"n":9223372036854775807,"k":"\uffff","i":"~"}`),
		"of another list":     page(`{"k":"\ud83d\ude00","n":1700000000000000,"i":"' OR 1=1 --"}`), "of nothing": page(`{}`)}
}

func page(content string) string { return base64.RawURLEncoding.EncodeToString([]byte(content)) }

// Every list that comes in pages, over every transport that offers it: a page
// that cannot be read is refused with an error that names the field, and one
// that nobody was given is a page all the same, with no more than was asked for.
func TestPagesOfLists(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) { c.CommandRate, c.CommandBurst = 10_000, 10_000 })
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	again := bo.Followup(wang)
	for range 3 {
		bo.Says(id, "a headache")
		wang.Prescribes(again.ID, e2e.Remedy())
	}
	e2e.Do(w.Admin, record.AppointPharmacist, account.UserInput{UserID: wang.User.ID})
	routes := map[string][]rest.Route{}
	for _, r := range rest.Routes() {
		routes[r.Command] = append(routes[r.Command], r)
	}
	lists := 0
	for c := range w.Server.Catalogue().All() {
		fields := pageFields(c.In)
		if len(fields) == 0 {
			continue
		}
		lists++
		l := list{command: c, as: wang}
		for role, p := range map[rooms.Role]*e2e.Person{rooms.RolePatient: bo, rooms.RoleAdmin: w.Admin} {
			if !c.For.Has(rooms.RoleDoctor) && c.For.Has(role) {
				l.as = p
			}
		}
		l.others = map[string]any{"consultationId": id, "doctorId": wang.User.ID, "q": "headache", "reason": "a complaint of the patient"}
		t.Run(c.Name, func(t *testing.T) {
			for _, r := range routes[c.Name] {
				l.tried(t, fields, func(in map[string]any) answer { return l.overREST(t, w, r, in) })
			}
			if c.Namespace != "" {
				b := w.Bare(t).On(c.Namespace)
				b.Connect(l.as.Tokens().AccessToken)
				l.tried(t, fields, func(in map[string]any) answer {
					r := b.Ask(7, c.Name, in)
					return answer{failure: r.Error, data: r.Data}
				})
			}
		})
	}
	if lists < 20 {
		t.Errorf("only %d lists were found", lists)
	}
}

// list is a command that answers with a page of a list.
type list struct {
	command rooms.Handler
	as      *e2e.Person
	others  map[string]any // what else the commands can be asked for
}

type answer struct {
	failure *rooms.Error
	data    []byte
}

// pageFields are the fields of an input that say which page is wanted.
func pageFields(in reflect.Type) (fields []string) {
	for _, f := range reflect.VisibleFields(in) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if slices.Contains([]string{"cursor", "before", "after", "limit"}, name) {
			fields = append(fields, name)
		}
	}
	return fields
}

// tried asks for what cannot be read, and for what nobody was given.
func (l list) tried(t *testing.T, fields []string, ask func(map[string]any) answer) {
	t.Helper()
	input := func(field string, value any) map[string]any {
		in := map[string]any{}
		for _, f := range reflect.VisibleFields(l.command.In) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if v, there := l.others[name]; there && (name != "doctorId" || strings.Contains(l.command.Name, "slot")) {
				in[name] = v
			}
		}
		if slices.Contains(fields, "limit") {
			in["limit"] = 1
		}
		in[field] = value
		return in
	}
	for _, field := range fields {
		bad := maps.Clone(unreadable(field))
		if field == "limit" {
			bad["one more than any list has"] = 501
		}
		for name, value := range bad {
			if a := ask(input(field, value)); a.failure == nil {
				t.Errorf("%s %s is accepted: %.200s", field, name, a.data)
			} else if e := a.failure; e.Code != rooms.CodeInvalid || e.Field != field || e.Message == "" || len(e.Message) > 300 {
				t.Errorf("%s %s: %+v", field, name, e)
			}
		}
		for name, value := range readable(field) {
			if a := ask(input(field, value)); a.failure != nil {
				t.Errorf("%s %s: %+v", field, name, a.failure)
			} else if n := items(a.data); slices.Contains(fields, "limit") && n > 1 {
				t.Errorf("%s %s: %d items, not 1", field, name, n)
			}
		}
	}
}

// items is how many an answer has.
func items(data []byte) int {
	var all struct{ Items []json.RawMessage }
	_ = json.Unmarshal(data, &all) // the answer of a download is no JSON
	return len(all.Items)
}

func (l list) overREST(t *testing.T, w *e2e.World, r rest.Route, in map[string]any) answer {
	t.Helper()
	path, query := r.Path, url.Values{}
	for name, value := range in {
		if part := ":" + name; strings.Contains(path, part) {
			path = strings.ReplaceAll(path, part, url.PathEscape(fmt.Sprint(value)))
		} else {
			query.Set(name, fmt.Sprint(value))
		}
	}
	body := ""
	if r.Method != http.MethodGet {
		raw, err := json.Marshal(in)
		e2e.Must(t, err)
		body, query = string(raw), url.Values{}
	}
	got := w.Ask(t, r.Method, "/api/v1"+path+"?"+query.Encode(), l.as.Tokens().AccessToken, body)
	if p := got.Problem; got.Status >= http.StatusBadRequest {
		return answer{failure: &rooms.Error{Code: p.Code, Field: p.Field, Message: p.Detail}}
	}
	return answer{data: got.Body}
}

// A number that is no page but is compared with a stored one: beyond every stored
// number it is refused or in conflict, with the field's name, on each database.
func TestNumbersBeyondEveryRow(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	self := e2e.Do(bo, account.Patients, rooms.Nothing{}).Items[0].ID
	for _, n := range []int64{1 << 31, 1 << 53, math.MaxInt64} {
		receipt := chat.ReceiptInput{ConsultationID: id, UpToSeq: rooms.Seq(n)}
		for name, err := range map[string]error{
			"upToSeq read":     e2e.Failing(bo, chat.MarkRead, receipt),
			"upToSeq received": e2e.Failing(bo, chat.MarkDelivered, receipt),
			"version record":   e2e.Failing(bo, record.UpdateRecord, record.BackgroundInput{PatientID: self, Version: &n}),
			"version schedule": e2e.Failing(wang, schedule.SaveSchedule, schedule.ScheduleInput{TimeZone: "Asia/Shanghai", Version: &n}),
		} {
			field, _, _ := strings.Cut(name, " ")
			var e *rooms.Error
			if !errors.As(err, &e) || e.Code == rooms.CodeInternal || e.Field != field {
				t.Errorf("%s %d: %+v", name, n, err)
			}
		}
	}
}
