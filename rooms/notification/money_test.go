package notification_test

import (
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
)

// pricey opens a consultation that has to be paid.
func pricey(p, doctor *roomstest.Person) consultation.ID {
	p.W.T.Helper()
	services := []account.DoctorService{{Service: account.Advice, Medium: account.Text, Price: 5001, Currency: "CNY", Minutes: 15}}
	roomstest.Must(doctor, account.UpdateDoctor, account.DoctorChange{Services: &services})
	return p.Consults(doctor, "headache")
}

// The patient is notified of every turn that a payment can take, and nobody is
// notified of anything twice.
func TestPaymentNotifications(t *testing.T) {
	t.Parallel()
	admin := rooms.Actor{Role: rooms.RoleAdmin}
	for name, x := range map[string]struct {
		then         func(t *testing.T, bo, wang *roomstest.Person, id consultation.ID)
		bo, wang     string
		title, leads string // of bo's last one
	}{
		"paid and declined": {func(t *testing.T, bo, wang *roomstest.Person, id consultation.ID) {
			bo.Pays(id)
			roomstest.Must(wang, consultation.Decline, consultation.ReasonInput{ConsultationID: id, Reason: "not my field"})
			bo.W.Passes(time.Minute)
		}, "payment_received consultation_declined payment_refunded", "consultation_requested", "退款成功：¥50.01", "/orders/"},
		"not paid": {func(t *testing.T, bo, wang *roomstest.Person, id consultation.ID) {
			bo.W.Passes(16 * time.Minute)
		}, "payment_expired", "", "订单未支付，已关闭", "/consultations/"},
		"withdrawn before it was paid": {func(t *testing.T, bo, wang *roomstest.Person, id consultation.ID) {
			roomstest.Must(bo, consultation.Cancel, consultation.ReasonInput{ConsultationID: id})
		}, "", "", "", ""},
		"paid too late": {func(t *testing.T, bo, wang *roomstest.Person, id consultation.ID) {
			bo.Plays(id, billing.PlayLate)
			bo.W.Passes(16 * time.Minute)
			bo.W.Passes(time.Hour)
			bo.W.Passes(time.Hour)
		}, "payment_expired payment_late payment_refunded", "", "退款成功：¥50.01", "/orders/"},
		"given back in two parts": {func(t *testing.T, bo, wang *roomstest.Person, id consultation.ID) {
			o := bo.Pays(id)
			for range 2 {
				if _, err := roomstest.Ask(bo.W, admin, billing.RefundOrder, billing.RefundInput{OrderID: o.ID, Amount: 1000, Reason: "goodwill"}); err != nil {
					t.Fatal(err)
				}
				bo.W.Passes(time.Minute)
			}
		}, "payment_received payment_refunded payment_refunded", "consultation_requested payment_given_back payment_given_back", "退款成功：¥10.00", "/orders/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			bo, wang := w.Patient("bo"), w.Doctor("wang")
			x.then(t, bo, wang, pricey(bo, wang))
			expect(t, "bo", topics(bo), x.bo)
			expect(t, "wang", topics(wang), x.wang)
			if in := bo.Inbox(); len(in) > 0 {
				last := in[len(in)-1]
				if last.Title != x.title || !strings.HasPrefix(last.Path, x.leads) {
					t.Errorf("%q leads to %s, want %q to %s", last.Title, last.Path, x.title, x.leads)
				}
			}
		})
	}
}
