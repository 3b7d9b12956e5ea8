package billing_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	. "wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/rooms/roomstest/prove"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/payment/sandbox"
)

// sequencesEach are in one world. WENZHEN_BILLING_SEED repeats those of a world
// that failed.
const sequencesEach = 20

// Random sequences of what patients, doctors, gateways, clocks and crashes do,
// in any order, beside a model of eight lines: however it ends, all money that
// was taken is kept for a service or has gone back, once, no order is stuck,
// and no slot has two owners.
func TestRandomSequences(t *testing.T) {
	t.Parallel()
	sequences := prove.Size[uint64](t, "sequences of payments, clocks and crashes", 80, 10_000)
	seed := uint64(time.Now().UnixNano())
	if again, err := strconv.ParseUint(os.Getenv("WENZHEN_BILLING_SEED"), 10, 64); err == nil {
		sequences, seed = sequencesEach, again
	}
	for first := uint64(0); first < sequences; first += sequencesEach {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			t.Parallel()
			m := newMess(t, seed+first)
			for n := range min(sequencesEach, sequences-first) {
				m.sequence(seed + first + n)
				if t.Failed() {
					t.Fatalf("sequence %d: run it again with WENZHEN_BILLING_SEED=%d", n+1, seed+first)
				}
			}
		})
	}
}

// mess is a world in which anything may happen.
type mess struct {
	*roomstest.World
	rng      *rand.Rand
	wang     *roomstest.Person
	patients []*roomstest.Person
	gateway  *unreliable
	mail     []Callback // callbacks under way: delivered late, again, in any order
	tries    []*try
	did      []string
}

// try is one consultation with what the model needs to know of it.
type try struct {
	patient *roomstest.Person
	id      consultation.ID
	visit   schedule.AppointmentID // none without an appointment
	order   OrderID
}

// unreliable is the sandbox behind a line that breaks: before it is asked, or
// with the answer.
type unreliable struct {
	*sandbox.Gateway
	rng   *rand.Rand
	quiet bool
}

var errLine = errors.New("the line broke")

func over[T any](u *unreliable, ask func() (T, error)) (T, error) {
	var zero T
	broken := func() bool { return !u.quiet && u.rng.IntN(5) == 0 }
	if broken() {
		return zero, errLine
	}
	answer, err := ask()
	if broken() {
		return zero, errLine
	}
	return answer, err
}

func (u *unreliable) Open(ctx context.Context, p Payment, about Purchase) (Payment, error) {
	return over(u, func() (Payment, error) { return u.Gateway.Open(ctx, p, about) })
}

func (u *unreliable) Query(ctx context.Context, p Payment) (Standing, error) {
	return over(u, func() (Standing, error) { return u.Gateway.Query(ctx, p) })
}

func (u *unreliable) Close(ctx context.Context, p Payment) (Standing, error) {
	return over(u, func() (Standing, error) { return u.Gateway.Close(ctx, p) })
}

func (u *unreliable) Refund(ctx context.Context, r RefundRequest) (RefundAnswer, error) {
	return over(u, func() (RefundAnswer, error) { return u.Gateway.Refund(ctx, r) })
}

func newMess(t *testing.T, seed uint64) *mess {
	m := &mess{World: roomstest.New(t), rng: rand.New(rand.NewPCG(seed, 0)), gateway: &unreliable{}}
	m.Gateway = func(g *sandbox.Gateway) Gateway {
		m.gateway.Gateway, m.gateway.rng = g, m.rng
		return m.gateway
	}
	m.restarts(0)
	m.wang = charges(m.Doctor("wang"))
	for i := range 3 {
		m.patients = append(m.patients, m.Patient(fmt.Sprint("p", i)))
	}
	return m
}

// restarts is a crash: what workers held in memory is gone.
func (m *mess) restarts(d time.Duration) {
	m.Restarts(d)
	m.CallBack = func(_ context.Context, _ string, c Callback) (string, []byte, error) {
		if m.rng.IntN(4) > 0 { // else it is lost
			m.mail = append(m.mail, c)
		}
		return "", nil, nil
	}
	if err := m.Billing.PlantNightly(context.Background()); err != nil {
		m.T.Fatal(err)
	}
}

// sequence does some things at random, then lets the dust settle and counts.
func (m *mess) sequence(seed uint64) {
	m.T.Helper()
	m.rng = rand.New(rand.NewPCG(seed, 1))
	m.gateway.rng, m.tries, m.mail, m.did, m.gateway.quiet = m.rng, nil, nil, nil, false
	for range 1 + m.rng.IntN(3) {
		m.opens()
	}
	for range 3 + m.rng.IntN(12) {
		m.step()
	}
	m.settles()
	m.counts()
	if m.T.Failed() {
		m.T.Logf("seed %d: %s", seed, strings.Join(m.did, ", "))
	}
}

func (m *mess) note(format string, args ...any) { m.did = append(m.did, fmt.Sprintf(format, args...)) }

func (m *mess) opens() {
	m.T.Helper()
	p := m.patients[m.rng.IntN(len(m.patients))]
	if m.rng.IntN(2) == 0 {
		opened := roomstest.Must(p, consultation.Open, consultation.OpenInput{DoctorID: m.wang.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "headache"})
		m.tries = append(m.tries, &try{patient: p, id: opened.Consultation.ID, order: opened.Order.ID})
		m.note("opens")
		return
	}
	// Few slots, so that patients are in each other's way.
	start := m.Now().Truncate(time.Hour).Add(time.Duration([]int{1, 3, 30}[m.rng.IntN(3)]) * time.Hour)
	b, err := roomstest.Ask(m.World, p.As, schedule.Book, schedule.BookInput{DoctorID: m.wang.User.ID, Start: start, Medium: account.Text, Service: account.Advice, Complaint: "cough"})
	if err == nil {
		m.tries = append(m.tries, &try{patient: p, id: b.Consultation.ID, visit: b.Appointment.ID, order: b.Order.ID})
	}
	m.note("books: %v", rooms.CodeOf(err))
}

// step does one thing; that it is refused is as good as that it is done.
func (m *mess) step() {
	m.T.Helper()
	if len(m.tries) == 0 {
		m.opens()
		return
	}
	c := m.tries[m.rng.IntN(len(m.tries))]
	var err error
	what := ""
	reason := consultation.ReasonInput{ConsultationID: c.id, Reason: "because"}
	switch m.rng.IntN(17) {
	case 0, 1, 2, 3:
		what, err = "pays", m.pays(c)
	case 4, 5:
		what = "a callback comes"
		m.delivers()
	case 6:
		what, err = "forged", m.forges(c)
	case 7:
		what = "crash"
		m.restarts(time.Duration(m.rng.IntN(20)) * time.Second)
	case 8, 9:
		d := []time.Duration{0, 5 * time.Second, time.Minute, 16 * time.Minute, time.Hour, 25 * time.Hour}[m.rng.IntN(6)]
		what = fmt.Sprint("passes ", d)
		m.Passes(d)
	case 10:
		what = "accepts"
		_, err = roomstest.Ask(m.World, m.wang.As, consultation.Accept, consultation.Input{ConsultationID: c.id})
	case 11:
		what = "declines"
		_, err = roomstest.Ask(m.World, m.wang.As, consultation.Decline, reason)
	case 12:
		what = "cancels"
		if c.visit != "" {
			who := []*roomstest.Person{c.patient, m.wang}[m.rng.IntN(2)]
			_, err = roomstest.Ask(m.World, who.As, schedule.Cancel, schedule.CancelInput{AppointmentID: c.visit})
		} else {
			_, err = roomstest.Ask(m.World, c.patient.As, consultation.Cancel, reason)
		}
	case 13:
		what = "ends"
		_, err = roomstest.Ask(m.World, m.wang.As, consultation.End, consultation.EndInput{ConsultationID: c.id})
	case 14:
		what = "terminates"
		_, err = roomstest.Ask(m.World, m.wang.As, consultation.Terminate, reason)
	case 15:
		what = "is given back"
		_, err = roomstest.Ask(m.World, rooms.Actor{UserID: "admin", Role: rooms.RoleAdmin}, RefundOrder,
			RefundInput{OrderID: c.order, Amount: int64(m.rng.IntN(2) * 1000), Reason: "sorry"})
	case 16:
		m.opens()
		return
	}
	m.note("%s: %v", what, rooms.CodeOf(err))
}

// pays begins a payment, sometimes another beside an open one, and plays.
func (m *mess) pays(c *try) error {
	in := CheckoutInput{OrderID: c.order, Gateway: sandbox.Name}
	if m.rng.IntN(3) == 0 {
		in.ID = PaymentID(rooms.NewID(m.Now()))
	}
	way, err := roomstest.Ask(m.World, c.patient.As, Checkout, in)
	if err != nil {
		return err
	}
	plays := []Play{PlayPay, PlayPay, PlayPay, PlayFail, PlayDelay, PlayTwice, PlayRepeat, PlayReorder, PlayLate}
	_, err = roomstest.Ask(m.World, c.patient.As, SandboxPlay, SandboxPlayInput{Reference: path.Base(way.RedirectURL), Play: plays[m.rng.IntN(len(plays))]})
	return err
}

// delivers one of the callbacks under way; it may come again.
func (m *mess) delivers() {
	if len(m.mail) == 0 {
		return
	}
	i := m.rng.IntN(len(m.mail))
	_, _, _ = m.Billing.Callback(context.Background(), sandbox.Name, m.mail[i]) // refused or not, the books tell
	if m.rng.IntN(2) == 0 {
		m.mail = append(m.mail[:i], m.mail[i+1:]...)
	}
}

// forges a callback that says that everything is paid.
func (m *mess) forges(c *try) error {
	m.T.Helper()
	file, err := roomstest.Ask(m.World, rooms.Actor{Role: rooms.RoleAdmin}, OrderFile, OrderRef{OrderID: c.order})
	if err != nil || len(file.Payments) == 0 {
		return err
	}
	forged := Callback{Header: http.Header{}, Body: fmt.Appendf(nil, `{"reference":%q,"state":"paid","transactions":[{"ID":"free","Amount":%d,"Currency":"CNY"}]}`, file.Payments[0].Reference, price)}
	forged.Header.Set("Sandbox-Signature", fmt.Sprintf("t=%d,v1=%064x", m.Now().Unix(), m.rng.Uint64()))
	if _, _, err = m.Billing.Callback(context.Background(), sandbox.Name, forged); err == nil {
		m.T.Error("a forged callback is believed")
	}
	return err
}

// settles lets time pass over a line that holds, until nothing has to happen
// any more: refunds, late money, holds, clocks.
func (m *mess) settles() {
	m.T.Helper()
	m.gateway.quiet = true
	for _, d := range []time.Duration{time.Minute, 16 * time.Minute, time.Minute, time.Hour, 31 * time.Hour, time.Hour, 49 * time.Hour, 73 * time.Hour, time.Hour, time.Hour, time.Hour} {
		m.Passes(d)
		m.Passes(0)
	}
	for range 15 { // a night's comparison plans the next
		m.Passes(time.Second)
	}
}

// counts compares the books, the gateway's books and the model.
func (m *mess) counts() {
	m.T.Helper()
	for i, c := range m.tries {
		taken, returned := balance(m.World, c.order)
		file, err := roomstest.Ask(m.World, rooms.Actor{Role: rooms.RoleAdmin}, OrderFile, OrderRef{OrderID: c.order})
		if err != nil {
			m.T.Fatal(err)
		}
		o := file.Order
		var charged, repaid int64
		for _, charge := range file.Charges {
			charged += charge.Amount
		}
		for _, r := range file.Refunds {
			if r.Status != consultation.RefundSucceeded {
				m.T.Errorf("try %d: a refund is %s after %d attempts: %s", i, r.Status, r.Attempts, r.LastError)
			}
			repaid += r.Amount
		}
		cons := c.patient.Sees(c.id)
		kept := taken - returned
		switch {
		case charged != taken || repaid != returned:
			m.T.Errorf("try %d: we say %d taken and %d back, the gateway %d and %d", i, charged, repaid, taken, returned)
		case kept < 0 || kept > price:
			m.T.Errorf("try %d: of %d taken %d are back", i, taken, returned)
		case o.Paid-o.Refunded != kept:
			m.T.Errorf("try %d: the order keeps %d, the gateway %d", i, o.Paid-o.Refunded, kept)
		}
		switch o.Status {
		case consultation.OrderPaid, consultation.OrderRefunded, consultation.OrderPartiallyRefunded, consultation.OrderClosed:
		default:
			m.T.Errorf("try %d: the order is stuck %s (consultation %s)", i, o.Status, cons.Status)
		}
		if most, least := m.price(cons, file.Refunds); kept > most || kept < least {
			m.T.Errorf("try %d: %d is kept for a consultation that is %s (answered %v), want %d to %d", i, kept, cons.Status, cons.AnsweredAt != nil, least, most)
		}
		if o.Paid == 0 && cons.Status != consultation.Expired && cons.Status != consultation.Cancelled {
			m.T.Errorf("try %d: nothing was paid and the consultation is %s", i, cons.Status)
		}
	}
	m.owners()
}

// price is the model: what may be kept for a consultation that is over.
func (m *mess) price(c consultation.Consultation, refunds []RefundRecord) (most, least int64) {
	most = price
	switch {
	case c.Status == consultation.Declined, c.Status == consultation.Terminated, c.AcceptedAt != nil && c.AnsweredAt == nil && c.Summary == nil && m.timedOut(refunds):
		most = 0
	case c.Status == consultation.Cancelled && c.ScheduledAt == nil, c.Status == consultation.Expired && (c.ScheduledAt == nil || c.QueuedAt != nil):
		most = 0
	}
	for _, r := range refunds {
		if r.Reason != consultation.ForTwice {
			return most, 0
		}
	}
	if most == 0 || c.AcceptedAt == nil {
		return most, 0
	}
	return most, price // someone was treated, and nobody gave anything back
}

func (m *mess) timedOut(refunds []RefundRecord) bool {
	for _, r := range refunds {
		if r.Reason == consultation.ForUnanswered {
			return true
		}
	}
	return false
}

// owners makes sure that no two appointments that took place, or were paid for
// it, overlap.
func (m *mess) owners() {
	m.T.Helper()
	seats := map[time.Time]schedule.AppointmentID{}
	for _, c := range m.tries {
		if c.visit == "" {
			continue
		}
		a := roomstest.Must(c.patient, schedule.ReadAppointment, schedule.AppointmentRef{AppointmentID: c.visit})
		if a.Status == schedule.Cancelled || a.Status == schedule.HoldExpired {
			continue
		}
		if other, taken := seats[a.Start]; taken {
			m.T.Errorf("%s and %s have the same slot, %s", other, a.ID, a.Start)
		}
		seats[a.Start] = a.ID
	}
}
