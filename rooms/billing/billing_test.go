package billing_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	. "wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/payment/sandbox"
)

const price = 5001 // odd, so that half of it has to be rounded

// charges makes everything that a doctor offers cost the price, at any hour.
func charges(d *roomstest.Person) *roomstest.Person {
	d.W.T.Helper()
	services := []account.DoctorService{
		{Service: account.Advice, Medium: account.Text, Price: price, Currency: "CNY", Minutes: 15},
		{Service: account.Followup, Medium: account.Text, Price: price, Currency: "CNY", Minutes: 15},
	}
	roomstest.Must(d, account.UpdateDoctor, account.DoctorChange{Services: &services})
	var rules []schedule.Rule
	for day := range 7 {
		rules = append(rules, schedule.Rule{Weekday: day + 1, Start: "00:00", End: "24:00", SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Text}})
	}
	roomstest.Must(d, schedule.SaveSchedule, schedule.ScheduleInput{TimeZone: "UTC", Rules: rules})
	return d
}

// books takes a slot that starts in a while.
func books(p, d *roomstest.Person, in time.Duration) schedule.Booking {
	p.W.T.Helper()
	return roomstest.Must(p, schedule.Book, schedule.BookInput{DoctorID: d.User.ID, Start: p.W.Now().Add(in), Medium: account.Text, Service: account.Advice, Complaint: "headache"})
}

// balance is what the sandbox has taken and given back for an order.
func balance(w *roomstest.World, id OrderID) (taken, returned int64) {
	w.T.Helper()
	file, err := roomstest.Ask(w, rooms.Actor{Role: rooms.RoleAdmin}, OrderFile, OrderRef{OrderID: id})
	if err != nil {
		w.T.Fatal(err)
	}
	for _, p := range file.Payments {
		t, r, err := w.Sandbox.Taken(context.Background(), p.Reference)
		if err != nil {
			w.T.Fatal(err)
		}
		taken, returned = taken+t, returned+r
	}
	return taken, returned
}

// What becomes of the money follows from what becomes of the consultation.
func TestMoneyFollowsTheConsultation(t *testing.T) {
	t.Parallel()
	type world struct {
		*roomstest.World
		bo, wang *roomstest.Person
		id       consultation.ID
		booking  schedule.Booking
	}
	decline := func(w *world) {
		roomstest.Must(w.wang, consultation.Decline, consultation.ReasonInput{ConsultationID: w.id, Reason: "not my field"})
	}
	for _, c := range []struct {
		name     string
		booked   time.Duration // how far ahead; 0 is without an appointment
		then     func(w *world)
		refund   int64
		reason   consultation.RefundReason
		status   consultation.OrderStatus
		consults consultation.Status
	}{
		{name: "it is answered and ends", status: consultation.OrderPaid, consults: consultation.Ended, then: func(w *world) {
			w.wang.Accepts(w.id)
			w.wang.Says(w.id, "rest, and drink a lot")
			roomstest.Must(w.wang, consultation.End, consultation.EndInput{ConsultationID: w.id})
		}},
		{name: "the doctor declines", refund: price, reason: consultation.ForDeclined, status: consultation.OrderRefunded, consults: consultation.Declined, then: decline},
		{name: "the patient cancels while waiting", refund: price, reason: consultation.ForCancelled, status: consultation.OrderRefunded, consults: consultation.Cancelled, then: func(w *world) {
			roomstest.Must(w.bo, consultation.Cancel, consultation.ReasonInput{ConsultationID: w.id})
		}},
		{name: "nobody accepts for 24 hours", refund: price, reason: consultation.ForExpired, status: consultation.OrderRefunded, consults: consultation.Expired, then: func(w *world) {
			w.Passes(24 * time.Hour)
		}},
		{name: "the doctor never answers", refund: price, reason: consultation.ForUnanswered, status: consultation.OrderRefunded, consults: consultation.Ended, then: func(w *world) {
			w.wang.Accepts(w.id)
			w.Passes(48 * time.Hour)
		}},
		{name: "the doctor answers and the time is up", status: consultation.OrderPaid, consults: consultation.Ended, then: func(w *world) {
			w.wang.Accepts(w.id)
			w.wang.Says(w.id, "hello")
			w.Passes(48 * time.Hour)
		}},
		{name: "must be seen offline", refund: price, reason: consultation.ForTerminated, status: consultation.OrderRefunded, consults: consultation.Terminated, then: func(w *world) {
			w.wang.Accepts(w.id)
			w.wang.Says(w.id, "hello")
			roomstest.Must(w.wang, consultation.Terminate, consultation.ReasonInput{ConsultationID: w.id, Reason: "needs an X-ray"})
		}},
		{name: "never answered, asked again, never answered again: once", refund: price, reason: consultation.ForUnanswered, status: consultation.OrderRefunded, consults: consultation.Ended, then: func(w *world) {
			w.wang.Accepts(w.id)
			w.Passes(48 * time.Hour)
			roomstest.Must(w.bo, consultation.Reopen, consultation.Input{ConsultationID: w.id})
			w.Passes(72 * time.Hour)
		}},
		{name: "cancelled a day before", booked: 24 * time.Hour, refund: price, reason: consultation.ForCancelled, status: consultation.OrderRefunded, consults: consultation.Cancelled, then: func(w *world) {
			roomstest.Must(w.bo, schedule.Cancel, schedule.CancelInput{AppointmentID: w.booking.Appointment.ID})
		}},
		{name: "cancelled on the day: half, rounded up", booked: 5 * time.Hour, refund: 2501, reason: consultation.ForCancelled, status: consultation.OrderPartiallyRefunded, consults: consultation.Cancelled, then: func(w *world) {
			roomstest.Must(w.bo, schedule.Cancel, schedule.CancelInput{AppointmentID: w.booking.Appointment.ID})
		}},
		{name: "cancelled an hour before", booked: time.Hour, status: consultation.OrderPaid, consults: consultation.Cancelled, then: func(w *world) {
			roomstest.Must(w.bo, schedule.Cancel, schedule.CancelInput{AppointmentID: w.booking.Appointment.ID})
		}},
		{name: "the doctor cancels an hour before", booked: time.Hour, refund: price, reason: consultation.ForCancelled, status: consultation.OrderRefunded, consults: consultation.Cancelled, then: func(w *world) {
			roomstest.Must(w.wang, schedule.Cancel, schedule.CancelInput{AppointmentID: w.booking.Appointment.ID})
		}},
		{name: "the patient does not come", booked: time.Hour, status: consultation.OrderPaid, consults: consultation.Expired, then: func(w *world) {
			w.Passes(75 * time.Minute)
		}},
		{name: "the patient is there and the doctor is not", booked: time.Hour, refund: price, reason: consultation.ForExpired, status: consultation.OrderRefunded, consults: consultation.Expired, then: func(w *world) {
			w.Passes(50 * time.Minute)
			roomstest.Must(w.bo, schedule.CheckIn, schedule.AppointmentRef{AppointmentID: w.booking.Appointment.ID})
			w.Passes(25 * time.Minute)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := &world{World: roomstest.New(t)}
			w.wang, w.bo = charges(w.Doctor("wang")), w.Patient("bo")
			if c.booked > 0 {
				w.booking = books(w.bo, w.wang, c.booked)
				w.id = w.booking.Consultation.ID
			} else {
				w.id = w.bo.Consults(w.wang, "headache")
			}
			if got := w.bo.Pays(w.id); got.Status != consultation.OrderPaid || got.Paid != price || w.bo.Sees(w.id).Status != consultation.Waiting {
				t.Fatalf("after paying: %+v", got)
			}
			c.then(w)
			w.Passes(0)
			got := w.bo.OrderOf(w.id)
			if got.Status != c.status || got.Refunded != c.refund || w.bo.Sees(w.id).Status != c.consults {
				t.Errorf("the order is %s with %d back, the consultation %s", got.Status, got.Refunded, w.bo.Sees(w.id).Status)
			}
			if c.refund > 0 && (len(got.Refunds) != 1 || got.Refunds[0].Reason != c.reason) {
				t.Errorf("the refunds are %+v", got.Refunds)
			}
			if taken, returned := balance(w.World, got.ID); taken != price || returned != c.refund {
				t.Errorf("the gateway took %d and gave back %d", taken, returned)
			}
		})
	}
}

// An order that is not paid within 15 minutes is closed at the gateway, and its
// slot is free again.
func TestUnpaid(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, bo, jing := charges(w.Doctor("wang")), w.Patient("bo"), w.Patient("jing")
	b := books(bo, wang, 24*time.Hour)
	if b.Order == nil || b.Order.Amount != price || b.Appointment.Status != schedule.Held || !b.Order.ExpiresAt.Equal(w.Now().Add(15*time.Minute)) {
		t.Fatalf("booked %+v", b)
	}
	way := roomstest.Must(bo, Checkout, CheckoutInput{OrderID: b.Order.ID, Gateway: sandbox.Name})
	w.Passes(15 * time.Minute)
	w.Passes(0)
	if o := bo.OrderOf(b.Consultation.ID); o.Status != consultation.OrderClosed {
		t.Errorf("the order is %s", o.Status)
	}
	ref := SandboxRef{Reference: path.Base(way.RedirectURL)}
	if p := roomstest.Must(bo, SandboxRead, ref); p.State != StateClosed {
		t.Errorf("at the gateway the payment is %s", p.State)
	}
	if code := roomstest.Code(bo, SandboxPlay, SandboxPlayInput{Reference: ref.Reference, Play: PlayPay}); code != rooms.CodeConflict {
		t.Errorf("paid all the same: %q", code)
	}
	if code := roomstest.Code(bo, Checkout, CheckoutInput{OrderID: b.Order.ID, Gateway: sandbox.Name}); code != rooms.CodeConflict {
		t.Errorf("a checkout that is too late: %q", code)
	}
	roomstest.Must(jing, schedule.Book, schedule.BookInput{DoctorID: wang.User.ID, Start: b.Appointment.Start, Medium: account.Text, Service: account.Advice, Complaint: "cough"})
}

// The money comes after the hold has run out.
func TestLatePayment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		booked bool
		taken  bool // by someone else meanwhile
		order  consultation.OrderStatus
		slot   schedule.AppointmentStatus
	}{
		{"the slot is free: it is taken again", true, false, consultation.OrderPaid, schedule.Booked},
		{"the slot is gone: refunded", true, true, consultation.OrderRefunded, schedule.HoldExpired},
		{"there is no slot: refunded", false, false, consultation.OrderRefunded, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			wang, bo, jing := charges(w.Doctor("wang")), w.Patient("bo"), w.Patient("jing")
			var id consultation.ID
			var b schedule.Booking
			if c.booked {
				b = books(bo, wang, 24*time.Hour)
				id = b.Consultation.ID
			} else {
				id = bo.Consults(wang, "headache")
			}
			bo.Plays(id, PlayLate)
			w.Passes(15 * time.Minute)
			if c.taken {
				roomstest.Must(jing, schedule.Book, schedule.BookInput{DoctorID: wang.User.ID, Start: b.Appointment.Start, Medium: account.Text, Service: account.Advice, Complaint: "cough"})
			}
			for range 4 {
				w.Passes(10 * time.Second)
			}
			o := bo.OrderOf(id)
			if o.Status != c.order || o.Paid != price {
				t.Errorf("the order is %+v", o)
			}
			if c.booked {
				if a := roomstest.Must(bo, schedule.ReadAppointment, schedule.AppointmentRef{AppointmentID: b.Appointment.ID}); a.Status != c.slot {
					t.Errorf("the appointment is %s", a.Status)
				}
			}
			if c.order == consultation.OrderRefunded && (len(o.Refunds) != 1 || o.Refunds[0].Reason != consultation.ForLate) {
				t.Errorf("the refunds are %+v", o.Refunds)
			}
		})
	}
}

// However the sandbox reports a payment, the price is kept once and the rest is
// refunded.
func TestSandboxPayments(t *testing.T) {
	t.Parallel()
	for play, extra := range map[Play]int64{PlayPay: 0, PlayRepeat: 0, PlayDelay: 0, PlayReorder: 0, PlayTwice: price} {
		t.Run(string(play), func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			wang, bo := charges(w.Doctor("wang")), w.Patient("bo")
			id := bo.Consults(wang, "headache")
			bo.Plays(id, play)
			for range 5 {
				w.Passes(10 * time.Second)
			}
			o := bo.OrderOf(id)
			if o.Status != consultation.OrderPaid || o.Paid != price || o.Refunded != 0 || bo.Sees(id).Status != consultation.Waiting {
				t.Errorf("the order is %+v", o)
			}
			if taken, returned := balance(w, o.ID); taken != price+extra || returned != extra {
				t.Errorf("the gateway took %d and gave back %d", taken, returned)
			}
		})
	}
	t.Run("fails, and is paid by another try", func(t *testing.T) {
		t.Parallel()
		w := roomstest.New(t)
		wang, bo := charges(w.Doctor("wang")), w.Patient("bo")
		id := bo.Consults(wang, "headache")
		if o := bo.Plays(id, PlayFail); o.Status != consultation.OrderFailed {
			t.Errorf("after it failed: %s", o.Status)
		}
		if o := bo.Plays(id, PlayPay); o.Status != consultation.OrderPaid {
			t.Errorf("after another try: %s", o.Status)
		}
	})
}

// A callback that is lost changes nothing: the gateway is asked.
func TestLostCallback(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, bo := charges(w.Doctor("wang")), w.Patient("bo")
	id := bo.Consults(wang, "headache")
	o := bo.OrderOf(id)
	way := roomstest.Must(bo, Checkout, CheckoutInput{OrderID: o.ID, Gateway: sandbox.Name})
	w.CallBack = func(context.Context, string, Callback) (string, []byte, error) {
		return "", nil, errors.New("nobody is there")
	}
	roomstest.Must(bo, SandboxPlay, SandboxPlayInput{Reference: path.Base(way.RedirectURL), Play: PlayPay})
	if got := bo.OrderOf(id); got.Status != consultation.OrderCreated {
		t.Fatalf("told all the same: %s", got.Status)
	}
	w.Passes(20 * time.Second)
	if got := bo.OrderOf(id); got.Status != consultation.OrderPaid {
		t.Errorf("the order is %s", got.Status)
	}
}

// Repeating a checkout with the same key returns the same payment, and another
// key makes another one. A second payment of a paid order is refunded.
func TestCheckoutTwice(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, bo, jing := charges(w.Doctor("wang")), w.Patient("bo"), w.Patient("jing")
	id, other := bo.Consults(wang, "headache"), bo.Consults(wang, "cough")
	o := bo.OrderOf(id)
	in := CheckoutInput{OrderID: o.ID, Gateway: sandbox.Name, ID: "one"}
	first, again := roomstest.Must(bo, Checkout, in), roomstest.Must(bo, Checkout, in)
	if first.RedirectURL == "" || first.RedirectURL != again.RedirectURL || first.PaymentID != "one" {
		t.Errorf("the same key: %+v and %+v", first, again)
	}
	if code := roomstest.Code(bo, Checkout, CheckoutInput{OrderID: bo.OrderOf(other).ID, Gateway: sandbox.Name, ID: "one"}); code != rooms.CodeConflict {
		t.Errorf("the same key for another order: %q", code)
	}
	if code := roomstest.Code(bo, Checkout, CheckoutInput{OrderID: o.ID, Gateway: "barter"}); code != rooms.CodeInvalid {
		t.Errorf("an unknown gateway: %q", code)
	}
	if code := roomstest.Code(jing, Checkout, in); code != rooms.CodeNotFound {
		t.Errorf("someone else's order: %q", code)
	}
	in.ID = "two"
	second := roomstest.Must(bo, Checkout, in)
	pay := func(way CheckedOut) rooms.Code {
		return roomstest.Code(bo, SandboxPlay, SandboxPlayInput{Reference: path.Base(way.RedirectURL), Play: PlayPay})
	}
	if pay(first) != "" || pay(second) != "" {
		t.Fatal("cannot pay")
	}
	w.Passes(0)
	got := bo.OrderOf(id)
	if taken, returned := balance(w, o.ID); taken != 2*price || returned != price || got.Status != consultation.OrderPaid {
		t.Errorf("took %d, gave back %d, the order is %s", taken, returned, got.Status)
	}
	if len(got.Refunds) != 1 || got.Refunds[0].Reason != consultation.ForTwice || got.Refunded != 0 {
		t.Errorf("the refunds are %+v of %d", got.Refunds, got.Refunded)
	}
}

// The patient's devices hear what becomes of the order; nobody else's do.
func TestOrderNotifications(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, bo := charges(w.Doctor("wang")), w.Patient("bo")
	id := bo.Consults(wang, "headache")
	bo.Pays(id)
	roomstest.Must(wang, consultation.Decline, consultation.ReasonInput{ConsultationID: id, Reason: "no"})
	w.Passes(0)
	var told []string
	for _, e := range w.Events(rooms.UserRoom(bo.User.ID)) {
		if e.Name == OrderUpdated.Name {
			var o Order
			if err := json.Unmarshal(e.Data, &o); err != nil {
				t.Fatal(err)
			}
			told = append(told, string(o.Status))
		}
	}
	if got := strings.Join(told, " "); got != "paid refunding refunded" {
		t.Errorf("told %s", got)
	}
	for _, e := range w.Events(rooms.UserRoom(wang.User.ID)) {
		if e.Name == OrderUpdated.Name {
			t.Error("the doctor receives the order")
		}
	}
}

// flaky does what it is asked for and then loses the answer, so many times.
type flaky struct {
	*sandbox.Gateway
	lose int
	asks int
}

func (f *flaky) Refund(ctx context.Context, r RefundRequest) (RefundAnswer, error) {
	f.asks++
	answer, err := f.Gateway.Refund(ctx, r)
	if f.asks <= f.lose {
		return RefundAnswer{}, errors.New("the connection broke")
	}
	return answer, err
}

// A refund whose answer is lost, also over a restart, is requested again and
// takes place once.
func TestRefundIsRepeated(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	f := &flaky{lose: 4}
	w.Gateway = func(g *sandbox.Gateway) Gateway { f.Gateway = g; return f }
	w.Restarts(0)
	wang, bo := charges(w.Doctor("wang")), w.Patient("bo")
	id := bo.Consults(wang, "headache")
	bo.Pays(id)
	roomstest.Must(wang, consultation.Decline, consultation.ReasonInput{ConsultationID: id, Reason: "no"})
	w.Passes(0)
	if o := bo.OrderOf(id); o.Status != consultation.OrderRefunding {
		t.Fatalf("after an answer was lost: %s", o.Status)
	}
	w.Restarts(time.Minute)
	for range 5 {
		w.Passes(5 * time.Minute)
	}
	o := bo.OrderOf(id)
	if taken, returned := balance(w, o.ID); taken != price || returned != price || o.Status != consultation.OrderRefunded || f.asks != 5 {
		t.Errorf("took %d, gave back %d, asked %d times, the order is %s", taken, returned, f.asks, o.Status)
	}
}

func TestAdminGivesBack(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	admin := rooms.Actor{UserID: "admin", Role: rooms.RoleAdmin}
	wang, bo := charges(w.Doctor("wang")), w.Patient("bo")
	id := bo.Consults(wang, "headache")
	o := bo.OrderOf(id)
	give := func(in RefundInput) rooms.Code {
		in.OrderID, in.Reason = o.ID, "sorry"
		_, err := roomstest.Ask(w, admin, RefundOrder, in)
		w.Passes(0)
		return rooms.CodeOf(err)
	}
	if code := give(RefundInput{}); code != rooms.CodeConflict {
		t.Errorf("of what was not paid: %q", code)
	}
	bo.Pays(id)
	for _, c := range []struct {
		in       RefundInput
		want     rooms.Code
		returned int64
	}{
		{RefundInput{ID: "a", Amount: 1000}, "", 1000},
		{RefundInput{ID: "a", Amount: 1000}, "", 1000},
		{RefundInput{ID: "a", Amount: 999}, rooms.CodeConflict, 1000},
		{RefundInput{Amount: price}, rooms.CodeInvalid, 1000},
		{RefundInput{Amount: -1}, rooms.CodeInvalid, 1000},
		{RefundInput{}, "", price},
		{RefundInput{}, rooms.CodeConflict, price},
	} {
		if code := give(c.in); code != c.want {
			t.Errorf("%+v: %q, want %q", c.in, code, c.want)
		}
		if got := bo.OrderOf(id); got.Refunded != c.returned {
			t.Errorf("%+v: %d are back, want %d", c.in, got.Refunded, c.returned)
		}
	}
	// The doctor declines what has been given back: nothing more goes.
	roomstest.Must(wang, consultation.Decline, consultation.ReasonInput{ConsultationID: id, Reason: "no"})
	w.Passes(0)
	if taken, returned := balance(w, o.ID); taken != price || returned != price {
		t.Errorf("took %d and gave back %d", taken, returned)
	}
}

// formula is a name that a spreadsheet would calculate.
const formula = `=HYPERLINK("https://attacker.example")`

func TestIncome(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	w.FeeBasisPoints = 1000
	w.Restarts(0)
	wang, li := charges(w.Doctor("wang")), charges(w.Doctor("li"))
	bo := w.Patient("bo")
	roomstest.Must(bo, account.UpdatePatient, account.PatientChange{PatientID: roomstest.Must(bo, account.Patients, rooms.Nothing{}).Items[0].ID, Name: new(formula)})
	kept, declined := bo.Consults(wang, "headache"), bo.Consults(wang, "cough")
	bo.Pays(kept)
	bo.Pays(declined)
	bo.Consults(wang, "never paid")
	bo.Pays(bo.Consults(li, "someone else's"))
	roomstest.Must(wang, consultation.Decline, consultation.ReasonInput{ConsultationID: declined, Reason: "no"})
	page := roomstest.Must(wang, Income, IncomeInput{})
	want := []IncomeTotal{{Currency: "CNY", Count: 2, Amount: 2 * price, Returned: price, Fee: 500, Net: 4501}}
	if len(page.Items) != 2 || fmt.Sprint(page.Totals) != fmt.Sprint(want) {
		t.Errorf("earned %+v, want %+v", page.Totals, want)
	}
	first := roomstest.Must(wang, Income, IncomeInput{Limit: 1})
	second := roomstest.Must(wang, Income, IncomeInput{Limit: 1, Cursor: first.NextCursor})
	if first.NextCursor == "" || second.NextCursor != "" || first.Items[0].OrderID == second.Items[0].OrderID {
		t.Errorf("the pages are %+v and %+v", first, second)
	}
	text := roomstest.Must(wang, ExportIncome, IncomeSpan{})
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("the CSV has %d rows, %v:\n%s", len(rows), err, text)
	}
	for _, row := range rows[1:] {
		if row[3] != "'"+formula || row[8] != "50.01" {
			t.Errorf("a row is %q", row)
		}
	}
	old := w.Now().AddDate(-2, 0, 0)
	if code := roomstest.Code(wang, Income, IncomeInput{IncomeSpan: IncomeSpan{From: &old}}); code != rooms.CodeTooLarge {
		t.Errorf("two years: %q", code)
	}
}

// In the night the books are compared; what a gateway took and we missed is
// made good, and what nobody can explain is in the report.
func TestReconciliation(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	admin := rooms.Actor{UserID: "admin", Role: rooms.RoleAdmin}
	wang, bo := charges(w.Doctor("wang")), w.Patient("bo")
	if err := w.Billing.PlantNightly(t.Context()); err != nil {
		t.Fatal(err)
	}
	fine := bo.Consults(wang, "headache")
	bo.Pays(fine)
	missed := bo.Consults(wang, "cough")
	way := roomstest.Must(bo, Checkout, CheckoutInput{OrderID: bo.OrderOf(missed).ID, Gateway: sandbox.Name})
	w.CallBack = func(context.Context, string, Callback) (string, []byte, error) {
		return "", nil, errors.New("nobody is there")
	}
	roomstest.Must(bo, SandboxPlay, SandboxPlayInput{Reference: path.Base(way.RedirectURL), Play: PlayPay})
	today := DayInput{Day: w.Now().Format("2006-01-02")}
	r, err := roomstest.Ask(w, admin, Reconcile, today)
	if err != nil || r.Checked != 2 || len(r.Differences) != 1 || !r.Differences[0].MadeGood {
		t.Fatalf("the report is %+v, %v", r, err)
	}
	if o := bo.OrderOf(missed); o.Status != consultation.OrderPaid {
		t.Errorf("what was missed is %s", o.Status)
	}
	if r, err = roomstest.Ask(w, admin, Reconcile, today); err != nil || len(r.Differences) != 0 {
		t.Errorf("once more it is %+v, %v", r, err)
	}
	w.Restarts(40 * time.Hour) // over two nights
	for range 4 {
		w.Passes(time.Second)
	}
	list, err := roomstest.Ask(w, admin, Reconciliations, rooms.Nothing{})
	if err != nil || len(list.Items) != 2 || list.Items[1].Checked != 2 {
		t.Errorf("the reports are %+v, %v", list.Items, err)
	}
	for _, in := range []string{"", "yesterday", "2999-01-01", "0001-01-01", "1899-12-31"} {
		var e *rooms.Error
		if _, err := roomstest.Ask(w, admin, Reconcile, DayInput{Day: in}); !errors.As(err, &e) || e.Code != rooms.CodeInvalid || e.Field != "day" {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// After a report on a day long ago, at most a year of days is compared: not each
// day since.
func TestReconciliationCatchesUpAYear(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	admin := rooms.Actor{UserID: "admin", Role: rooms.RoleAdmin}
	if _, err := roomstest.Ask(w, admin, Reconcile, DayInput{Day: "1900-01-01"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Billing.PlantNightly(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Passes(time.Second)
	list, err := roomstest.Ask(w, admin, Reconciliations, rooms.Nothing{})
	if first := w.Now().AddDate(-1, 0, -2).Format("2006-01-02"); err != nil || len(list.Items) < 2 || list.Items[0].Day < first {
		t.Errorf("a day after %s is to be compared first; the reports are %+v, %v", first, list.Items, err)
	}
}
