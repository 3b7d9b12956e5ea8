package cluster_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// The machine's clock jumps an hour forward, back, and an hour back to before
// the server was first started, also over a restart. Nobody is logged out,
// nothing that was acked is lost or said twice, its order stays, what is due
// happens once, and who is shut out stays out.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	var clock e2e.Clock
	w := e2e.NewWorld(t, t.TempDir())
	w.Now = clock.Now
	w.Run("127.0.0.1:0")
	addr := w.Base[len("http://"):]
	w.EnterAdmin()
	bo, wang, dear := w.Patient("bo").Online(), w.Doctor("wang").Online(), w.Costly("dear")
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	talk, received := bo.Joins(id), wang.Joins(id)
	var said []chat.Message
	says := func(when string) {
		t.Helper()
		for n := range 30 { // more than a burst that had to wait for an hour would let through
			m, err := talk.Send(t.Context(), chat.SendInput{Kind: chat.Text, Text: fmt.Sprint(when, n)})
			e2e.Must(t, err)
			said = append(said, m)
		}
	}
	unpaid := func() consultation.ID {
		t.Helper()
		return bo.Consults(dear, "not paid for")
	}
	status := func(id consultation.ID) consultation.Status {
		return e2e.Do(bo, consultation.Read, consultation.Input{ConsultationID: id}).Status
	}
	// comesIn logs in anew, and shuts that device out again.
	comesIn := func(when string) {
		t.Helper()
		device := bo.Again().Online()
		_, err := device.Join(t.Context(), id, client.Latest)
		e2e.Must(t, err)
		e2e.Do(bo, account.RevokeSession, account.SessionInput{SessionID: e2e.Current(device)})
		e2e.Await(t, when+": the end of the device", device.Done())
		_, err = client.Do(t.Context(), device.Client, account.Me, rooms.Nothing{})
		e2e.Code(t, err, rooms.CodeUnauthenticated)
	}

	says("on time ")
	late := unpaid()

	clock.Set(time.Hour)
	says("an hour ahead ")
	e2e.Eventually(t, "what was not paid for expires", func() bool { return status(late) == consultation.Expired })
	comesIn("ahead")

	clock.Set(0)
	says("on time again ")
	fresh := unpaid()
	comesIn("on time")

	clock.Set(-time.Hour)
	says("an hour behind ")
	comesIn("behind")
	e2e.Must(t, w.Stop())
	w.Run(addr)
	says("after a restart ")
	comesIn("after a restart")
	e2e.Do(wang, consultation.End, consultation.EndInput{ConsultationID: id})

	log := bo.Log(id)
	e2e.Read(t, received, log[len(log)-1].Seq)
	var kept []string
	for i, e := range log {
		if e.Seq != rooms.Seq(i+1) {
			t.Fatalf("event %d of the log has seq %d", i+1, e.Seq)
		}
		if m, err := client.Decode(chat.MessageCreated, e); err == nil && m.Kind == chat.Text {
			kept = append(kept, string(m.ID))
		}
	}
	var want []string
	for _, m := range said {
		want = append(want, string(m.ID))
	}
	if !slices.Equal(kept, want) {
		t.Errorf("the log has %d messages, %d were acked: %v, want %v", len(kept), len(want), kept, want)
	}
	history := e2e.Do(bo, chat.History, chat.HistoryInput{ConsultationID: id, Limit: 200}).Items
	if !slices.IsSortedFunc(history, func(a, b chat.Message) int { return int(a.Seq - b.Seq) }) || len(history) < len(said) {
		t.Errorf("the history has %d messages, or not in order", len(history))
	}
	expired := 0
	for _, e := range bo.Log(late) {
		if c, err := client.Decode(consultation.ConsultationUpdated, e); err == nil && c.Status == consultation.Expired {
			expired++
		}
	}
	if expired != 1 || status(fresh) != consultation.PendingPayment {
		t.Errorf("what was not paid for expired %d times; what was begun afterwards is %s", expired, status(fresh))
	}
}
