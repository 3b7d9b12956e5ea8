package hostile_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// Whatever a client sends over a socket, it gets one clear answer, or loses
// its own connection alone.
func TestBadInputOverTheSocket(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	const used = "used-before"
	first := e2e.TextOf(id, "first")
	first.ClientID = used
	e2e.Do(bo, chat.Send, first)
	room := wang.Joins(id)

	message := func(fields string) string {
		return fmt.Sprintf(`["message:send",{"consultationId":%q,"kind":"text",%s}]`, id, fields)
	}
	for _, c := range []struct {
		name, packet string // after "42/consultations,7"
		binary       []byte
		as           *e2e.Person // bo by default
		code         rooms.Code
		field        string
		status       string
	}{
		{name: "wrong type", packet: `["message:send",{"consultationId":5}]`, code: rooms.CodeInvalid, field: "consultationId"},
		{name: "number for a text", packet: message(`"clientId":"x","text":7`), code: rooms.CodeInvalid, field: "text"},
		{name: "text for a number", packet: fmt.Sprintf(`["message:read",{"consultationId":%q,"upToSeq":"4"}]`, id), code: rooms.CodeInvalid, field: "upToSeq"},
		{name: "fraction for a seq", packet: fmt.Sprintf(`["message:read",{"consultationId":%q,"upToSeq":1.5}]`, id), code: rooms.CodeInvalid, field: "upToSeq"},
		{name: "negative seq", packet: fmt.Sprintf(`["message:read",{"consultationId":%q,"upToSeq":-1}]`, id), code: rooms.CodeInvalid, field: "upToSeq"},
		{name: "seq past the end", packet: fmt.Sprintf(`["message:read",{"consultationId":%q,"upToSeq":1000000}]`, id), code: rooms.CodeInvalid, field: "upToSeq"},
		{name: "negative after", packet: fmt.Sprintf(`["consultation:join",{"consultationId":%q,"after":-1}]`, id), code: rooms.CodeInvalid, field: "after"},
		{name: "array", packet: `["message:send",[]]`, code: rooms.CodeInvalid},
		{name: "string", packet: `["message:send","hello"]`, code: rooms.CodeInvalid},
		{name: "null", packet: `["message:send",null]`, code: rooms.CodeInvalid, field: "consultationId"},
		{name: "nothing", packet: `["message:send"]`, code: rooms.CodeInvalid, field: "consultationId"},
		{name: "two arguments", packet: `["message:send",{},{}]`, code: rooms.CodeInvalid},
		{name: "binary", packet: `["message:send",{"_placeholder":true,"num":0}]`, binary: []byte("\x00\x01"), code: rooms.CodeInvalid},
		{name: "no client id", packet: message(`"text":"hi"`), code: rooms.CodeInvalid, field: "clientId"},
		{name: "bad client id", packet: message(`"clientId":"a b","text":"hi"`), code: rooms.CodeInvalid, field: "clientId"},
		{name: "empty text", packet: message(`"clientId":"x","text":" \n "`), code: rooms.CodeInvalid, field: "text"},
		{name: "text of 100 kB", packet: message(`"clientId":"x","text":"` + strings.Repeat("x", 100_000) + `"`), code: rooms.CodeTooLarge, field: "text"},
		{name: "unknown kind", packet: strings.Replace(message(`"clientId":"x","text":"hi"`), `"text",`, `"poem",`, 1), code: rooms.CodeInvalid, field: "kind"},
		{name: "someone else's kind", packet: strings.Replace(message(`"clientId":"x","text":"hi"`), `"text",`, `"prescription",`, 1), code: rooms.CodeInvalid, field: "kind"},
		{name: "unknown attachment", packet: strings.Replace(message(`"clientId":"x","attachmentId":"none"`), `"text",`, `"image",`, 1), code: rooms.CodeInvalid, field: "attachmentId"},
		{name: "reply to nothing", packet: message(`"clientId":"x","text":"hi","replyTo":"none"`), code: rooms.CodeInvalid, field: "replyTo"},
		{name: "client id used for something else", packet: message(`"clientId":"` + used + `","text":"second"`), code: rooms.CodeConflict, field: "clientId"},
		{name: "unknown command", packet: `["message:shout",{}]`, code: rooms.CodeInvalid},
		{name: "a number as a name", packet: `[5,{}]`, code: rooms.CodeInvalid},
		{name: "deeply nested", packet: `["message:send",` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `]`, code: rooms.CodeInvalid},
		{name: "a command of REST", packet: `["message:search",{"q":"x"}]`, code: rooms.CodeInvalid},
		{name: "unknown consultation", packet: `["consultation:join",{"consultationId":"none"}]`, code: rooms.CodeNotFound},
		{name: "unknown message", packet: fmt.Sprintf(`["message:recall",{"consultationId":%q,"messageId":"none"}]`, id), code: rooms.CodeNotFound},
		{name: "state conflict", packet: fmt.Sprintf(`["consultation:accept",{"consultationId":%q}]`, id), as: wang, code: rooms.CodeConflict, status: "active"},
		{name: "not one's part", packet: fmt.Sprintf(`["consultation:accept",{"consultationId":%q}]`, id), code: rooms.CodeForbidden},
		{name: "no reason", packet: fmt.Sprintf(`["consultation:terminate",{"consultationId":%q}]`, id), as: wang, code: rooms.CodeInvalid, field: "reason"},
		{name: "bad token", packet: `["auth:refresh",{"token":"nonsense"}]`, code: rooms.CodeUnauthenticated},
		{name: "no token", packet: `["auth:refresh",{}]`, code: rooms.CodeInvalid, field: "token"},
		{name: "two tokens", packet: `["auth:refresh",{"token":"nonsense","token":"more"}]`, code: rooms.CodeInvalid, field: "token"},
		{name: "a token by another name", packet: `["auth:refresh",{"TOKEN":"nonsense"}]`, code: rooms.CodeInvalid, field: "token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			who := bo
			if c.as != nil {
				who = c.as
			}
			b := who.Bare(t)
			send := func(id string) {
				if c.binary == nil {
					b.Text("42/consultations," + id + c.packet)
					return
				}
				b.Text("451-/consultations," + id + c.packet)
				b.Binary(c.binary)
			}
			check := func(e *rooms.Error) {
				t.Helper()
				if e == nil || e.Code != c.code || e.Field != c.field || e.Message == "" || e.TraceID == "" || e.Status != c.status {
					t.Errorf("got %+v, want code %q, field %q, status %q", e, c.code, c.field, c.status)
				}
			}
			send("7")
			if r := b.Acked(7); r.OK {
				t.Errorf("it was accepted: %s", r.Data)
			} else {
				check(r.Error)
			}
			// Without an acknowledgement the failure comes as an event.
			send("")
			var e rooms.Error
			e2e.Must(t, json.Unmarshal(b.Event("error"), &e))
			check(&e)
			// The connection is unharmed.
			if r := b.Ask(8, consultation.Join.Name, consultation.Input{ConsultationID: id}); !r.OK {
				t.Errorf("afterwards: %v", r.Error)
			}
		})
	}
	// Nothing of it was said, and the others have noticed nothing.
	bo.Says(id, "last")
	log := e2e.Read(t, room, bo.Log(id)[len(bo.Log(id))-1].Seq)
	for _, e := range log {
		if e.Name == chat.MessageCreated.Name && !strings.Contains(string(e.Data), `"first"`) && !strings.Contains(string(e.Data), `"last"`) {
			t.Errorf("%s was said", e.Data)
		}
	}
}

// What is no packet costs the sender's connection, and nobody else's.
func TestBadFramesOverTheSocket(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	var watched e2e.Lines
	bo, wang := w.Patient("bo"), w.Doctor("wang", watched.Dial()).Online()
	id := bo.Consults(wang, "a headache")
	room := wang.Joins(id)

	for _, c := range []struct {
		name  string
		frame string
		code  int
	}{
		{"malformed JSON", `42/consultations,1["message:send",{`, 1007},
		{"no payload", `42`, 1007},
		{"no name", `42/consultations,1[]`, 1007},
		{"name is an object", `42/consultations,1[{},{}]`, 1007},
		{"reserved name", `42/consultations,1["disconnect",{}]`, 1007},
		{"unknown packet type", `49/consultations,1["message:send",{}]`, 1007},
		{"placeholder without attachment", `451-/consultations,1["message:send",{"_placeholder":true,"num":3}]`, 1007},
		{"namespace that was not joined", `42/elsewhere,1["message:send",{}]`, 1007},
		{"too deep", `42/consultations,1["message:send",` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `]`, 1007},
		{"invalid UTF-8", "42/consultations,1[\"message:send\",{\"text\":\"\xff\xfe\"}]", 1007},
		{"2 MB", `42/consultations,1["message:send",{"text":"` + strings.Repeat("x", 2<<20) + `"}]`, 1009},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bo.Bare(t)
			_ = b.Write(websocket.TextMessage, c.frame) // it may be cut off in the middle
			if strings.HasPrefix(c.frame, "451-") {
				_ = b.Write(websocket.BinaryMessage, "attachment")
			}
			if got := b.Closed(); got != c.code {
				t.Errorf("closed with %d, want %d", got, c.code)
			}
			if r := bo.Bare(t).Ask(1, consultation.Join.Name, consultation.Input{ConsultationID: id}); !r.OK {
				t.Errorf("it cannot come back: %v", r.Error)
			}
		})
	}
	bo.Says(id, "still here")
	e2e.Read(t, room, bo.Log(id)[len(bo.Log(id))-1].Seq)
	if n := watched.Count(); n != 1 {
		t.Errorf("someone else's connection broke: %d were made", n)
	}
}

// A refused CONNECT is answered with the reason.
func TestConnectErrors(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	for _, c := range []struct{ name, packet, want string }{
		{"no auth", `40/consultations,`, `"code":"unauthenticated"`},
		{"empty auth", `40/consultations,{}`, `"code":"unauthenticated"`},
		{"wrong type", `40/consultations,{"token":5}`, `"code":"unauthenticated"`},
		{"nonsense", `40/consultations,{"token":"nonsense"}`, `"code":"unauthenticated"`},
		{"unsigned", `40/consultations,{"token":"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4Iiwic2lkIjoieCIsImlzcyI6IndlbnpoZW4iLCJleHAiOjk5OTk5OTk5OTl9."}`, `"code":"unauthenticated"`},
		{"unknown namespace", `40/elsewhere,{}`, `"message":"Invalid namespace"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := w.Bare(t)
			b.Text(c.packet)
			if got := b.Next(); !strings.HasPrefix(got, "44/") || !strings.Contains(got, c.want) {
				t.Errorf("the answer is %q, want a CONNECT_ERROR with %s", got, c.want)
			}
			// The same connection may try again.
			if got := b.Connect(w.Admin.Tokens().AccessToken); !strings.HasPrefix(got, e2e.Joined) {
				t.Errorf("then the answer is %q", got)
			}
		})
	}
}
