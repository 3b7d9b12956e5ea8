package consultations_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// A slot is booked, paid, declined and refunded over the public API. The
// patient receives an event for each step.
func TestAPaidAppointment(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	doctor, bo := w.Costly("wang"), w.Patient("bo")
	b := e2e.Do(bo, schedule.Book, e2e.BookingOf(doctor, e2e.Always(doctor, 60)))
	if b.Appointment.Status != schedule.Held || b.Order == nil || b.Order.Status != consultation.OrderCreated {
		t.Fatalf("booked %+v", b)
	}
	device := w.Bare(t)
	device.Connect(bo.Tokens().AccessToken)
	told := func() consultation.OrderStatus {
		var e struct {
			Room rooms.RoomID  `json:"room"`
			Data billing.Order `json:"data"`
		}
		e2e.Must(t, json.Unmarshal(device.Event(billing.OrderUpdated.Name), &e))
		if e.Room != rooms.UserRoom(bo.User.ID) || e.Data.ID != b.Order.ID {
			t.Errorf("told of %+v", e)
		}
		return e.Data.Status
	}
	bo.Plays(b.Order.ID, billing.PlayPay)
	if got := told(); got != consultation.OrderPaid {
		t.Errorf("first told of %s", got)
	}
	if a := e2e.Do(bo, schedule.ReadAppointment, schedule.AppointmentRef{AppointmentID: b.Appointment.ID}); a.Status != schedule.Booked {
		t.Errorf("the appointment is %s", a.Status)
	}
	e2e.Do(doctor, consultation.Decline, consultation.ReasonInput{ConsultationID: b.Consultation.ID, Reason: "not my field"})
	if got := told(); got != consultation.OrderRefunding {
		t.Errorf("then of %s", got)
	}
	if got := told(); got != consultation.OrderRefunded {
		t.Errorf("at last of %s", got)
	}
	csv := w.Ask(t, http.MethodGet, "/api/v1/me/income.csv", doctor.Tokens().AccessToken, "")
	if csv.Status != http.StatusOK || csv.Header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(string(csv.Body), "50.00,50.00,0.00,0.00") {
		t.Errorf("the doctor's income is %d %s %s", csv.Status, csv.Header, csv.Body)
	}
	file := e2e.Do(w.Admin, billing.OrderFile, billing.OrderRef{OrderID: b.Order.ID})
	if len(file.Payments) != 1 || len(file.Charges) != 1 || len(file.Refunds) != 1 || file.Refunds[0].Status != consultation.RefundSucceeded {
		t.Errorf("the admin sees %+v", file)
	}
}

// The key of a request makes it the same request.
func TestCheckoutIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	doctor, bo := w.Costly("wang"), w.Patient("bo")
	order := e2e.Do(bo, consultation.Open, consultation.OpenInput{DoctorID: doctor.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "headache"}).Order
	checkout := func(key string) (got billing.CheckedOut) {
		a := w.Ask(t, http.MethodPost, "/api/v1/orders/"+string(order.ID)+"/checkout", bo.Tokens().AccessToken, `{"gateway":"sandbox"}`, "Idempotency-Key", key)
		if a.Status != http.StatusOK {
			t.Fatalf("checkout: %d %s", a.Status, a.Body)
		}
		e2e.Must(t, json.Unmarshal(a.Body, &got))
		return got
	}
	first, again, other := checkout("a"), checkout("a"), checkout("b")
	if first.PaymentID != again.PaymentID || first.RedirectURL != again.RedirectURL || first.PaymentID == other.PaymentID || first.RedirectURL == "" {
		t.Errorf("got %+v, %+v and %+v", first, again, other)
	}
	bo.Plays(order.ID, billing.PlayPay)
	refund := func(key string) int {
		return w.Ask(t, http.MethodPost, "/api/v1/admin/orders/"+string(order.ID)+"/refund", w.Admin.Tokens().AccessToken, `{"amount":1000,"reason":"sorry"}`, "Idempotency-Key", key).Status
	}
	for range 2 {
		if status := refund("a"); status != http.StatusOK {
			t.Errorf("the refund is refused: %d", status)
		}
	}
	e2e.Eventually(t, "1000 are back", func() bool {
		return e2e.Do(bo, billing.ReadOrder, billing.OrderRef{OrderID: order.ID}).Refunded == 1000
	})
}

// Anybody can call the webhook: nothing happens without the gateway's signature.
func TestWebhooksOfStrangers(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	for name, want := range map[string]int{"sandbox": http.StatusForbidden, "barter": http.StatusNotFound} {
		a := w.Ask(t, http.MethodPost, "/api/v1/webhooks/"+name, "", `{"reference":"x","state":"paid"}`, "Sandbox-Signature", "t=1,v1=00")
		if a.Status != want {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	if a := w.Ask(t, http.MethodPost, "/api/v1/webhooks/sandbox", "", strings.Repeat("x", 2<<20)); a.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge one: %d", a.Status)
	}
}

// The clinic configures how much of the price a cancellation refunds. /config
// has these terms, and a cancellation follows them.
func TestCancellationTermsAreSettings(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) {
		c.CancelFullBefore, c.CancelPartBefore, c.CancelPartPercent = 72*time.Hour, 30*time.Hour, 30
	})
	var told struct {
		Cancellation struct{ FullMinutes, PartMinutes, PartPercent int }
	}
	e2e.Must(t, json.Unmarshal(w.Ask(t, http.MethodGet, "/api/v1/config", "", "").Body, &told))
	if c := told.Cancellation; c.FullMinutes != 72*60 || c.PartMinutes != 30*60 || c.PartPercent != 30 {
		t.Errorf("told of %+v", c)
	}
	doctor, bo := w.Costly("wang"), w.Patient("bo")
	first := e2e.Always(doctor, 60) // in about two days
	for ahead, want := range map[time.Duration]struct {
		percent int
		refund  consultation.Refund
	}{
		0:               {30, consultation.PartialRefund},
		48 * time.Hour:  {100, consultation.FullRefund},
		-24 * time.Hour: {0, consultation.NoRefund},
	} {
		b := e2e.Do(bo, schedule.Book, e2e.BookingOf(doctor, first.Add(ahead)))
		bo.Plays(b.Order.ID, billing.PlayPay)
		a := e2e.Do(bo, schedule.Cancel, schedule.CancelInput{AppointmentID: b.Appointment.ID})
		c := e2e.Do(bo, consultation.Read, consultation.Input{ConsultationID: b.Consultation.ID})
		if a.RefundPercent != want.percent || c.RefundPercent != want.percent || c.Refund != want.refund {
			t.Errorf("%s from two days ahead: %d %% of the appointment, %d %% %q of the consultation; want %+v", ahead, a.RefundPercent, c.RefundPercent, c.Refund, want)
		}
		e2e.Eventually(t, "the money is back", func() bool {
			return e2e.Do(bo, billing.ReadOrder, billing.OrderRef{OrderID: b.Order.ID}).Refunded == 5000*int64(want.percent)/100
		})
	}
}
