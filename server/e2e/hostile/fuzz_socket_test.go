package hostile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// separator stands between the packets of a script, as between those of a
// polling payload (Engine.IO 4).
const separator = "\x1e"

// FuzzSocket: whatever a socket that is logged in sends, over either
// transport, each command is answered once, or the connection ends with a
// reason; what comes back is well-formed; nothing fails on the server; and
// somebody else's socket goes on.
func FuzzSocket(f *testing.F) {
	w, rung := e2e.Fuzzed(f)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	hello := bo.Says(id, "hello")
	beside := wang.Bare(f)
	names := strings.NewReplacer("$consultation", string(id), "$message", string(hello.ID), "$doctor", string(wang.User.ID), "$token", bo.Tokens().AccessToken)

	for _, packets := range scripts {
		for _, polling := range []bool{false, true} {
			f.Add(polling, []byte(strings.Join(packets, separator)))
		}
	}
	round := 0
	f.Fuzz(func(t *testing.T, polling bool, said []byte) {
		text := names.Replace(string(said))
		s := &script{t: t, w: w.In(t), token: bo.Tokens().AccessToken, packets: strings.Split(text, separator), answers: map[string]int{}}
		s.last = fmt.Sprintf(`42/consultations,%d["consultation:join",{"consultationId":%q}]`, lastID, id)
		if polling {
			s.polls(text)
		} else {
			s.speaks()
		}
		s.judge()
		round++
		there := beside.For(t)
		if r := there.Ask(round, consultation.Join.Name, consultation.Input{ConsultationID: id}); !r.OK {
			t.Errorf("somebody else is answered %v", r.Error)
		}
		rung.Silent(t)
	})
}

// scripts are what clients say, rightly and wrongly.
var scripts = [][]string{
	{`42/consultations,1["consultation:join",{"consultationId":"$consultation"}]`, `42/consultations,2["message:send",{"consultationId":"$consultation","clientId":"a","kind":"text","text":"hi"}]`},
	{`42/consultations,1["message:send",{"consultationId":"$consultation","clientId":"b","kind":"text","text":"hi","replyTo":"$message"}]`, `42/consultations,2["message:recall",{"consultationId":"$consultation","messageId":"$message"}]`},
	{`42/consultations,["message:read",{"consultationId":"$consultation","upToSeq":1}]`, `42/consultations,3["typing:start",{"consultationId":"$consultation"}]`, `42/consultations,4["typing:stop",{"consultationId":"$consultation"}]`},
	{`42/consultations,5["call:invite",{"consultationId":"$consultation","medium":"voice"}]`, `42/consultations,6["call:signal",{"callId":"x","to":"$doctor","candidate":{"candidate":""}}]`},
	{`42/consultations,7["board:stroke",{"consultationId":"$consultation","x":1,"y":1}]`, `42/consultations,8["board:commit",{"consultationId":"$consultation","id":"s","tool":"pen","colour":"#000000","width":1,"points":[1,1,1]}]`, `42/consultations,9["board:undo",{"consultationId":"$consultation"}]`},
	{`42/consultations,10["auth:refresh",{"token":"$token"}]`, `42/consultations,11["auth:refresh",{"token":"nonsense"}]`},
	{`42/schedules,1["schedule:watch",{"doctorId":"$doctor","from":"2026-11-01T00:00:00Z","to":"2026-11-08T00:00:00Z"}]`, `42/schedules,2["schedule:unwatch",{"doctorId":"$doctor"}]`, `42/notifications,3["notification:list",{}]`},
	{`42/lobby,1["lobby:say",{"text":"hello"}]`, `42/lobby,2["lobby:rename",{"nickname":"\u0000"}]`, `41/lobby,`, `40/lobby,{"nickname":"again"}`},
	{`42/schedules,4["appointment:book",{"doctorId":"$doctor","start":"9999-12-31T23:59:59-23:59","medium":"text","service":"advice","complaint":"late"}]`},
	{`451-/consultations,1["message:send",{"_placeholder":true,"num":0}]`, "b\x00\x01", `42/consultations,2["message:send",{}]`},
	{`451-/consultations,1["message:send",{"_placeholder":true,"num":0}]`, "bAAE=", `42/consultations,2["message:shout"]`},
	{`42/consultations,1["message:send",{"text":"\ud800\udc00\ud800"}]`, `42/consultations,2["message:send",null]`, `42/consultations,3["message:send",[],{}]`},
	{`2`, `3`, `6`, `42["nowhere"]`},
	{`41/consultations,`, `42/consultations,1["message:send",{}]`},
	{`40/admin,{"token":"$token"}`, `40/elsewhere,`, `40/consultations,{"token":"$token"}`}, {"40/Else\nwhere 7,"}, {`40/admin,{}`},
	{`43/consultations,1[]`, `461-/consultations,1[{"_placeholder":true,"num":0}]`, `1`},
	{"42/consultations,1[\"message:send\",{\"text\":\"\xff\"}]"},
	{`42/consultations,1["message:send",` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `]`},
}

// lastID is the number of the command with which every script ends.
const lastID = 999

// script is what one execution says, and what it receives.
type script struct {
	t       *testing.T
	w       *e2e.World
	token   string
	packets []string
	last    string         // a good command after them
	joined  int            // CONNECTs that were answered
	answers map[string]int // acknowledgements, by namespace and number
	ended   string         // how the connection did, before the last command was answered
}

// namespaces are joined before a script begins.
var namespaces = []string{rooms.Consultations, rooms.Schedules, rooms.Notifications, rooms.Lobby}

func (s *script) join(ns string) string { return "40" + ns + `,{"token":"` + s.token + `"}` }

// speaks over a WebSocket: a packet is a frame of text, or of bytes if it
// begins with b.
func (s *script) speaks() {
	b := s.w.Bare(s.t)
	for _, ns := range namespaces {
		b.Text(s.join(ns))
		for got := b.Next(); !strings.HasPrefix(got, "40"+ns+","); got = b.Next() {
			if !strings.HasPrefix(got, "42/") {
				s.t.Fatalf("the answer to CONNECT is %q", got)
			}
		}
	}
	for _, packet := range append(s.packets, s.last) {
		kind := websocket.TextMessage
		if raw, binary := strings.CutPrefix(packet, "b"); binary {
			kind, packet = websocket.BinaryMessage, raw
		}
		if b.Write(kind, packet) != nil {
			break // it has ended already, which is read below
		}
	}
	for !s.complete() {
		packet, err := b.Read()
		var end *websocket.CloseError
		switch {
		case err == nil:
			s.receives(packet)
			continue
		case errors.Is(err, e2e.ErrSilence):
			s.t.Fatalf("no answer to the last command, and no end: received %v", s.answers)
		case errors.As(err, &end) && !slices.Contains([]int{1000, 1001, 1005, 1006, 1003, 1007, 1008, 1009}, end.Code):
			s.t.Errorf("the connection ended with %v", err)
		}
		s.ended = fmt.Sprint(err)
		return
	}
}

// polls says the same in the bodies of requests.
func (s *script) polls(said string) {
	const path = "/socket.io/?EIO=4&transport=polling"
	open := s.w.Ask(s.t, "GET", path, "", "")
	var session struct {
		SID string `json:"sid"`
	}
	if len(open.Body) == 0 || json.Unmarshal(open.Body[1:], &session) != nil {
		s.t.Fatalf("the handshake is %d %s", open.Status, open.Body)
	}
	at := path + "&sid=" + session.SID
	post := func(body string) bool {
		a := s.w.Ask(s.t, "POST", at, "", body, "Content-Type", "text/plain;charset=UTF-8")
		var refusal struct {
			Code    *int
			Message string
		}
		switch {
		case a.Status == http.StatusOK && string(a.Body) == "ok":
			return true
		case a.Status >= 500 || json.Unmarshal(a.Body, &refusal) != nil || refusal.Code == nil || refusal.Message == "":
			s.t.Errorf("a payload is answered with %d %s", a.Status, a.Body)
		}
		s.ended = fmt.Sprintf("a POST was answered with %d %s", a.Status, a.Body)
		return false
	}
	var joins []string
	for _, ns := range namespaces {
		joins = append(joins, s.join(ns))
	}
	// fetch polls once; it returns false when the session is over.
	fetch := func() bool {
		a := s.w.Ask(s.t, "GET", at, "", "")
		if a.Status != http.StatusOK {
			s.ended = fmt.Sprintf("a GET was answered with %d %s", a.Status, a.Body)
			return false
		}
		for packet := range strings.SplitSeq(string(a.Body), separator) {
			if packet == "1" {
				s.ended = "CLOSE"
				return false
			}
			s.receives(packet)
		}
		return true
	}
	if !post(strings.Join(joins, separator)) {
		s.t.Fatalf("the CONNECTs are refused: %s", s.ended)
	}
	for s.joined < len(namespaces) {
		if !fetch() {
			s.t.Fatalf("the CONNECTs are not answered: %s", s.ended)
		}
	}
	if !post(said) || !post(s.last) {
		return
	}
	for !s.complete() && fetch() {
	}
}

var (
	// heardPacket is a packet of the server; what namespaces are called, that
	// are none, clients may choose.
	heardPacket = regexp.MustCompile(`(?s)^4([0-46])(?:(/[^,]*),)?([0-9]*)(.*)$`)
	// saidCommand is a command in which nothing is wrong that its socket pays for.
	saidCommand = regexp.MustCompile(`^42(/[a-z]+),(0|[1-9][0-9]{0,8})(\[.*\])$`)
)

// receive judges one packet of the server.
func (s *script) receives(packet string) {
	if packet == "6" || packet == "2" || packet == "3" {
		return
	}
	parts := heardPacket.FindStringSubmatch(packet)
	if parts == nil || !utf8.ValidString(packet) {
		s.t.Fatalf("the server said %q", packet)
	}
	kind, ns, id, body := parts[1], parts[2], parts[3], []byte(parts[4])
	if len(body) > 0 && !json.Valid(body) {
		s.t.Errorf("the server said %q", packet)
	}
	switch kind {
	case "0":
		s.joined++
	case "3":
		var replies []e2e.Reply
		if err := json.Unmarshal(body, &replies); err != nil || len(replies) != 1 {
			s.t.Fatalf("the answer %q is none of ours: %v", packet, err)
		}
		if r := replies[0]; !r.OK {
			s.refusal(packet, r.Error)
		}
		s.answers[ns+","+id]++
	case "2":
		var args []json.RawMessage
		if err := json.Unmarshal(body, &args); err != nil || len(args) == 0 {
			s.t.Fatalf("the event %q is none: %v", packet, err)
		}
		if string(args[0]) == `"error"` {
			var e rooms.Error
			e2e.Must(s.t, json.Unmarshal(args[1], &e))
			s.refusal(packet, &e)
		}
	case "4":
		var e struct {
			Message string
			Data    *rooms.Error
		}
		e2e.Must(s.t, json.Unmarshal(body, &e))
		if e.Message == "" {
			s.t.Errorf("a connection is refused without a word: %s", packet)
		}
		if e.Data != nil {
			s.refusal(packet, e.Data)
		}
	}
}

// refusal checks an error that a client receives.
func (s *script) refusal(packet string, e *rooms.Error) {
	s.t.Helper()
	if e == nil || e2e.Refusals[e.Code] == 0 || e.Message == "" || e.TraceID == "" {
		s.t.Errorf("the server said %q", packet)
	}
}

// commands are the well-formed commands of the script, by namespace and
// number, and whether it has nothing else in it.
func (s *script) commands() (numbers map[string]int, alone bool) {
	numbers, alone = map[string]int{}, true
	for _, packet := range s.packets {
		parts := saidCommand.FindStringSubmatch(packet)
		var args []any
		name := ""
		if parts != nil && slices.Contains(namespaces, parts[1]) && utf8.ValidString(packet) && json.Unmarshal([]byte(parts[3]), &args) == nil && len(args) > 0 {
			name, _ = args[0].(string)
		}
		if name == "" || reserved[name] || strings.Contains(packet, "_placeholder") || strings.Count(packet, "[")+strings.Count(packet, "{") > 100 {
			alone = false
			continue
		}
		numbers[parts[1]+","+parts[2]]++
	}
	return numbers, alone
}

// reserved names are Socket.IO's own.
var reserved = map[string]bool{"connect": true, "connect_error": true, "disconnect": true, "disconnecting": true, "newListener": true, "removeListener": true}

// complete reports whether all expected answers have arrived.
func (s *script) complete() bool {
	owed, alone := s.commands()
	if s.answers[fmt.Sprintf("%s,%d", rooms.Consultations, lastID)] == 0 {
		return false
	}
	for number, n := range owed {
		if alone && s.answers[number] < n {
			return false
		}
	}
	return true
}

// judge compares what was said with what was received.
func (s *script) judge() {
	owed, alone := s.commands()
	owed[fmt.Sprintf("%s,%d", rooms.Consultations, lastID)]++
	if s.ended != "" && alone {
		s.t.Errorf("the connection ended (%s), and there was nothing wrong with %q", s.ended, s.packets)
	}
	if !alone {
		return
	}
	for number, n := range s.answers {
		if n > owed[number] {
			s.t.Errorf("%s is answered %d times, asked %d times", number, n, owed[number])
		}
	}
}
