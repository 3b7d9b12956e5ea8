package operation_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// dashboard is the admin's socket at /admin of a node.
func dashboard(w *e2e.World, t *testing.T) *e2e.Bare {
	t.Helper()
	token, err := w.Admin.AccessToken(t.Context())
	e2e.Must(t, err)
	b := w.Bare(t).On(rooms.Admin)
	if got := b.Connect(token); !strings.HasPrefix(got, "40/admin,{") {
		t.Fatalf("the admin is answered at /admin: %s", got)
	}
	return b
}

// reported waits for figures as they should be.
func reported(b *e2e.Bare, what string, holds func(operations.StatsReport) bool) operations.StatsReport {
	b.T.Helper()
	var report operations.StatsReport
	e2e.InTime(b.T, e2e.Patience, what, func() bool {
		report = operations.StatsReport{}
		e2e.Must(b.T, json.Unmarshal(b.Event(operations.Updated.Name), &report))
		return holds(report)
	})
	return report
}

// asked is the answer to a command that must succeed.
func asked[In, Out any](b *e2e.Bare, command rooms.Command[In, Out], in In) Out {
	b.T.Helper()
	r := b.Ask(1, command.Name, in)
	if !r.OK {
		b.T.Fatalf("%s: %v", command.Name, r.Error)
	}
	var out Out
	e2e.Must(b.T, json.Unmarshal(r.Data, &out))
	return out
}

// The admin dashboard counts connections of every kind, rooms and messages.
func TestDashboardCounts(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id := bo.Consults(wang, "a rash")
	bo.Joins(id)
	wang.Joins(id)
	open, err := w.HTTP.Get(w.Base + "/socket.io/?EIO=4&transport=polling")
	e2e.Must(t, err)
	_, err = io.Copy(io.Discard, open.Body)
	e2e.Must(t, err)
	e2e.Must(t, open.Body.Close())
	line, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(w.Base, "http", "ws", 1)+"/chat", nil)
	e2e.Must(t, err)
	t.Cleanup(func() { line.Close() })

	dashboard := dashboard(w, t)
	report := reported(dashboard, "all connections", func(r operations.StatsReport) bool {
		return r.WebSockets == 3 && r.Polling == 1 && r.Bare == 1
	})
	if report.Connections != 5 || report.Sockets != 3 || report.HeapBytes == 0 || report.Goroutines == 0 || len(report.Nodes) != 1 {
		t.Errorf("the figures are %+v", report)
	}
	if node := report.Nodes[0]; node.Node != report.Node || node.Version != server.Version || node.StartedAt.After(report.At) || node.Stats != report.Stats ||
		!slices.ContainsFunc(node.Namespaces, func(n operations.NamespaceStats) bool {
			return n.Name == rooms.Consultations && n.Sockets == 2 && n.Rooms > 0
		}) {
		t.Errorf("the node's figures are %+v", node)
	}
	report = reported(dashboard, "messages", func(r operations.StatsReport) bool {
		e2e.Call(bo, chat.Send, e2e.TextOf(id, "hello"))
		return r.MessagesPerSecond > 0 && r.CommandsPerSecond > 0 && r.EventsInPerSecond > 0 && r.EventsOutPerSecond > 0 && r.BytesInPerSecond > 0 && r.BytesOutPerSecond > 0
	})
	past := asked(dashboard, operations.Watch, rooms.Nothing{})
	if !slices.ContainsFunc(past.Samples, func(s operations.StatsSample) bool { return s.At.Equal(report.At) && s.Stats == report.Stats }) || past.EveryMs <= 0 {
		t.Errorf("the last report is not in the history: %+v", past)
	}
	if now := e2e.Do(w.Admin, operations.Read, rooms.Nothing{}); len(now.Samples) < len(past.Samples) {
		t.Errorf("over REST there are %d samples, over the socket %d", len(now.Samples), len(past.Samples))
	}

	sockets := asked(dashboard, operations.Sockets, operations.SocketFilter{UserID: bo.User.ID})
	if len(sockets.Items) != 1 || sockets.Total != 1 || sockets.Node != report.Node {
		t.Fatalf("bo's sockets are %+v", sockets)
	}
	if s := sockets.Items[0]; s.Name != "bo" || s.Role != rooms.RolePatient || s.Namespace != rooms.Consultations || s.Transport != "websocket" ||
		s.Address == "" || !slices.Contains(s.Rooms, rooms.UserRoom(bo.User.ID)) || s.Private != 1 {
		t.Errorf("bo's socket is %+v", s)
	}
	list := asked(dashboard, operations.Rooms, operations.RoomFilter{Q: string(rooms.UserRoom(bo.User.ID))})
	if len(list.Items) != 1 || list.Items[0] != (operations.RoomView{Room: rooms.UserRoom(bo.User.ID), Namespace: rooms.Consultations, Members: 1}) ||
		list.Private != (operations.RoomSum{Rooms: 1, Members: 2}) {
		t.Errorf("the rooms are %+v", list)
	}
}

// What an admin is shown without a reason has no consultation's room and no pair
// of patient and doctor: neither connections, nor rooms, orders or consultations.
func TestAdminsDoNotSeeWhoConsultsWhom(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	// Names that no random id contains.
	bo, wang := w.Patient("bartholomew").Online(), w.Costly("wangchuk").Online()
	opened := e2e.Do(bo, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "a rash"})
	id, order := opened.Consultation.ID, opened.Order.ID
	bo.Plays(order, billing.PlayPay)
	bo.Joins(id)
	wang.Joins(id)
	dashboard := dashboard(w, t)
	shows := func(what string, answer any, words ...string) {
		t.Helper()
		text, err := json.Marshal(answer)
		e2e.Must(t, err)
		for _, word := range words {
			if strings.Contains(string(text), word) {
				t.Errorf("%s shows %s: %s", what, word, text)
			}
		}
	}
	doctor := string(wang.User.ID)
	shows("a patient's connections", asked(dashboard, operations.Sockets, operations.SocketFilter{UserID: bo.User.ID}), string(id), doctor, wang.User.Name)
	shows("a doctor's connections", asked(dashboard, operations.Sockets, operations.SocketFilter{UserID: wang.User.ID}), string(id), string(bo.User.ID), bo.User.Name)
	shows("the list of rooms", asked(dashboard, operations.Rooms, operations.RoomFilter{}), string(id))
	shows("a search of rooms", asked(dashboard, operations.Rooms, operations.RoomFilter{Q: string(id)}), string(id))
	if r := dashboard.Ask(9, operations.Sockets.Name, operations.SocketFilter{Room: id.Room()}); r.Error == nil || r.Error.Code != rooms.CodeInvalid || r.Error.Field != "room" {
		t.Errorf("who is in a consultation is answered %+v", r)
	}
	all := e2e.Do(w.Admin, billing.AllOrders, billing.OrderFilter{Q: bo.User.Name})
	if len(all.Items) != 1 || all.Items[0].PatientName != bo.User.Name || all.Items[0].Amount == 0 {
		t.Errorf("the orders are %+v", all)
	}
	shows("the list of orders", all, string(id), doctor, wang.User.Name)
	shows("an order", e2e.Do(w.Admin, billing.OrderFile, billing.OrderRef{OrderID: order}), string(id), doctor, wang.User.Name)
	shows("the list of consultations", e2e.Do(w.Admin, consultation.Cases, consultation.CaseFilter{}), doctor, wang.User.Name)
	for what, n := range map[string]int{
		"orders by doctor":        len(e2e.Do(w.Admin, billing.AllOrders, billing.OrderFilter{Q: wang.User.Name}).Items),
		"orders by consultation":  len(e2e.Do(w.Admin, billing.AllOrders, billing.OrderFilter{Q: string(id)}).Items),
		"consultations by doctor": len(e2e.Do(w.Admin, consultation.Cases, consultation.CaseFilter{Q: wang.User.Name}).Items),
	} {
		if n > 0 {
			t.Errorf("%s: %d are found", what, n)
		}
	}
	auditLogHidesWhoConsultsWhom(w, opened.Consultation, wang.User)
	view := e2e.Do(w.Admin, record.EnterConsultation, record.EnterInput{ConsultationID: id, Reason: "a complaint"})
	if view.Consultation.DoctorName != wang.User.Name || view.Consultation.PatientName != bo.User.Name {
		t.Errorf("with a reason the admin sees %+v", view.Consultation)
	}
}

// auditLogHidesWhoConsultsWhom demands that the audit log shows what c and its
// doctor have done, but not that it was the same consultation, unless the admin
// has a reason, which is in the log afterwards.
func auditLogHidesWhoConsultsWhom(w *e2e.World, c consultation.Consultation, doctor account.User) {
	t, subject := w.T, "consultation:"+string(c.ID)
	t.Helper()
	list := func(f audit.LogFilter) []audit.LogLine { return e2e.Do(w.Admin, audit.List, f).Items }
	by := func(entries []audit.LogLine) (patient, doctors int) {
		for _, e := range entries {
			switch e.ActorID {
			case c.UserID:
				patient++
			case doctor.ID:
				doctors++
			}
		}
		return patient, doctors
	}
	all := list(audit.LogFilter{Limit: 200})
	if patient, doctors := by(all); patient == 0 || doctors == 0 || !slices.ContainsFunc(all, func(e audit.LogLine) bool { return e.Subject == "consultation" }) {
		t.Errorf("of %d entries %d are by the patient and %d by the doctor: %+v", len(all), patient, doctors, all)
	}
	for _, e := range all {
		text, err := json.Marshal(e)
		e2e.Must(t, err)
		names := strings.Contains(string(text), string(c.ID)) || strings.Contains(string(text), string(c.PatientID))
		if names && e.ActorID != w.Admin.User.ID || e.SHA256 != "" || e.Previous != "" {
			t.Errorf("the audit log shows which consultation: %s", text)
		}
	}
	for what, f := range map[string]audit.LogFilter{"consultation": {Subject: subject}, "patient": {PatientID: string(c.PatientID)}, "part of the id": {Q: string(c.ID)}} {
		if patient, doctors := by(list(f)); patient+doctors > 0 {
			t.Errorf("by %s, %d entries of the patient are found and %d of the doctor", what, patient, doctors)
		}
		found := e2e.Do(w.Admin, audit.Enter, audit.EnterLogInput{LogFilter: f, Reason: "a complaint"}).Items
		patient, doctors := by(found)
		if patient == 0 || doctors == 0 || !slices.ContainsFunc(found, func(e audit.LogLine) bool { return e.Subject == subject && e.SHA256 != "" }) {
			t.Errorf("by %s with a reason, the admin sees %+v", what, found)
		}
	}
	if looks := list(audit.LogFilter{Action: audit.Enter.Name}); len(looks) != 3 || looks[0].Reason != "a complaint" || looks[0].ActorID != w.Admin.User.ID {
		t.Errorf("the looks at the audit log are entered as %+v", looks)
	}
	for _, reason := range []string{"", "  ", strings.Repeat("x", 2001)} {
		_, err := client.Do(t.Context(), w.Admin.Client, audit.Enter, audit.EnterLogInput{Reason: reason})
		var refused *rooms.Error
		if !errors.As(err, &refused) || refused.Field != "reason" {
			t.Errorf("with the reason %.5q: %v", reason, err)
		}
	}
}

// Connections that the admin cuts end, those of others do not, and the audit
// log tells of it.
func TestDashboardDisconnects(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, jing := w.Patient("bo"), w.Patient("jing")
	first, second, hers := bo.Bare(t), bo.Bare(t), jing.Bare(t)
	token, err := bo.AccessToken(t.Context())
	e2e.Must(t, err)
	line, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(w.Base, "http", "ws", 1)+"/chat", http.Header{"Authorization": {"Bearer " + token}})
	e2e.Must(t, err)
	t.Cleanup(func() { line.Close() })
	_, _, err = line.ReadMessage() // welcome: it is in
	e2e.Must(t, err)
	dashboard := dashboard(w, t)

	sockets := asked(dashboard, operations.Sockets, operations.SocketFilter{UserID: bo.User.ID}).Items
	if len(sockets) != 2 {
		t.Fatalf("bo's sockets are %+v", sockets)
	}
	asked(dashboard, operations.Disconnect, operations.SocketRef{SocketID: sockets[1].ID}) // the latest is first
	if !first.Disconnected() {
		t.Error("the socket that was cut was not told so")
	}
	e2e.Eventually(t, "the socket is gone", func() bool {
		return len(asked(dashboard, operations.Sockets, operations.SocketFilter{UserID: bo.User.ID}).Items) == 1
	})
	if r := dashboard.Ask(2, operations.Disconnect.Name, operations.SocketRef{SocketID: sockets[1].ID}); r.Error == nil || r.Error.Code != rooms.CodeNotFound {
		t.Errorf("a socket that is gone: %+v", r)
	}
	second.Ask(1, consultation.Join.Name, consultation.JoinInput{ConsultationID: "none"}) // lives

	e2e.Do(w.Admin, operations.DisconnectUser, operations.UserRef{UserID: bo.User.ID, Reason: "floods"})
	if !second.Disconnected() {
		t.Error("the user who was cut was not told so")
	}
	e2e.Must(t, line.SetReadDeadline(time.Now().Add(e2e.Patience)))
	for err == nil {
		_, _, err = line.ReadMessage()
	}
	if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
		t.Errorf("the user's bare line ended with %v", err)
	}
	hers.Ask(1, consultation.Join.Name, consultation.JoinInput{ConsultationID: "none"}) // lives
	bo.Bare(t)                                                                          // may come back
	if r := dashboard.Ask(3, operations.DisconnectUser.Name, operations.UserRef{UserID: "nobody"}); r.Error == nil || r.Error.Code != rooms.CodeNotFound {
		t.Errorf("a user who does not exist: %+v", r)
	}

	log := e2e.Do(w.Admin, audit.List, audit.LogFilter{Subject: "user:" + string(bo.User.ID), ActorID: w.Admin.User.ID}).Items
	if len(log) != 2 || log[0].Action != operations.DisconnectUser.Name || log[0].Reason != "floods" || log[1].Action != operations.Disconnect.Name || log[1].ActorID != w.Admin.User.ID {
		t.Errorf("the audit log has %+v", log)
	}
}

// The settings in effect are shown and no secret is; parts that are missing are named.
func TestDashboardShowsSettingsAndHealth(t *testing.T) {
	t.Parallel()
	const key = "a token key that must stay secret"
	w := e2e.Start(t, func(c *app.Config) { c.TokenKey = key })
	settings := e2e.Do(w.Admin, operations.Settings, rooms.Nothing{})
	raw, err := json.Marshal(settings)
	e2e.Must(t, err)
	if strings.Contains(string(raw), key) {
		t.Error("the settings have the token key")
	}
	byFlag := map[string]operations.Setting{}
	for _, s := range settings.Items {
		byFlag[s.Flag] = s
	}
	if s := byFlag["token-key"]; !s.Secret || !s.Changed || s.Value != "" {
		t.Errorf("the token key's setting is %+v", s)
	}
	if s := byFlag["command-rate"]; s.Value != "1000000" || !s.Changed || s.Env != "WENZHEN_COMMAND_RATE" || s.Help == "" {
		t.Errorf("the rate of commands is %+v", s)
	}
	if s := byFlag["access-life"]; s.Value != "15m0s" || s.Changed {
		t.Errorf("the life of access tokens is %+v", s)
	}
	health := e2e.Do(w.Admin, operations.Health, rooms.Nothing{})
	states := map[string]operations.CheckState{}
	for _, c := range health.Checks {
		states[c.Name] = c.State
		if c.Detail == "" {
			t.Errorf("%s has no words", c.Name)
		}
	}
	if !health.Ready || states["database"] != operations.CheckOK || states["redis"] != operations.CheckOff || states["mail"] != operations.CheckOff {
		t.Errorf("the server is %+v", health)
	}
}

// Consultations are counted by their state.
func TestConsultationsAreCounted(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	if none := e2e.Do(w.Admin, consultation.CountAll, rooms.Nothing{}); none.Items == nil || len(none.Items) != 0 {
		t.Errorf("of none there are %+v", none)
	}
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	for i := range 3 {
		if id := bo.Consults(wang, "a rash"); i == 0 {
			wang.Accepts(id)
		}
	}
	if all := e2e.Do(w.Admin, consultation.CountAll, rooms.Nothing{}); !slices.Equal(all.Items, []consultation.StatusCount{{Status: consultation.Active, Count: 1}, {Status: consultation.Waiting, Count: 2}}) {
		t.Errorf("the counts are %+v", all)
	}
}

// On every node the desk shows all nodes, and cuts on all of them.
func TestDashboardOverNodes(t *testing.T) {
	t.Parallel()
	list, _ := e2e.Nodes(t, 2)
	a, b := list[0], list[1]
	bo := a.Patient("bo").On(b).Bare(t)
	dashboard := dashboard(a, t)
	report := reported(dashboard, "both nodes", func(r operations.StatsReport) bool { return len(r.Nodes) == 2 && r.Connections == 2 })
	if report.Nodes[0].Node == report.Nodes[1].Node || report.Nodes[0].Connections != 1 || report.Nodes[1].Connections != 1 {
		t.Errorf("the nodes are %+v", report.Nodes)
	}
	user := e2e.Do(a.Admin, account.Users, account.UserFilter{Q: "bo"}).Items[0].ID
	asked(dashboard, operations.DisconnectUser, operations.UserRef{UserID: user})
	if !bo.Disconnected() {
		t.Error("the user on the other node was not told")
	}
	e2e.Must(t, b.Stop())
	reported(dashboard, "one node is left", func(r operations.StatsReport) bool { return len(r.Nodes) == 1 })
}
