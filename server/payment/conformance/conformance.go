// Package conformance is what every payment gateway has to do, whatever its
// protocol: the same tests for all of them, each against a fake of the
// gateway's own side that signs as the real one does.
package conformance

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/server/payment/sandbox"
)

// Callback is what a fake calls back with.
type Callback struct {
	ID                     string
	Reference, Transaction string
	Amount                 int64
	Currency               string
	// Forged is signed with a key that is not the gateway's.
	Forged bool
	// Age is how long ago it was signed.
	Age time.Duration
	// Expired is signed with a certificate that is no longer good.
	Expired bool
}

// Fake is a gateway and the other side of it.
type Fake struct {
	Gateway billing.Gateway
	// Unsafe is Gateway with a server whose certificate has expired, for RunRemote.
	Unsafe billing.Gateway
	// Endless is Gateway with the server of ServeEndless, for RunRemote.
	Endless billing.Gateway
	// Pay pays what has a reference, and returns the gateway's number for it.
	Pay func(reference string) string
	// Sign makes a callback.
	Sign func(n Callback) billing.Callback
	// Returned is what went back of a transaction.
	Returned func(transaction string) int64
	// Stale is an age at which a callback is refused.
	Stale time.Duration
	// Certificates reports whether callbacks are signed with certificates.
	Certificates bool
}

const price = 5000

// world is a Wenzhen with the gateway under test.
type world struct {
	*roomstest.World
	fake     Fake
	journal  *journal
	bo, wang *roomstest.Person
	order    billing.Order
	payment  billing.Payment
	way      billing.Way
}

func newWorld(t *testing.T, fake Fake) *world {
	t.Helper()
	w := &world{World: roomstest.New(t), fake: fake, journal: &journal{}}
	w.Log = w.journal.logger()
	w.Gateway = func(*sandbox.Gateway) billing.Gateway { return fake.Gateway }
	w.Restarts(0)
	w.wang, w.bo = w.Doctor("wang"), w.Patient("bo")
	services := []account.DoctorService{{Service: account.Advice, Medium: account.Text, Price: price, Currency: "CNY", Minutes: 15}}
	roomstest.Must(w.wang, account.UpdateDoctor, account.DoctorChange{Services: &services})
	w.order = w.bo.OrderOf(w.bo.Consults(w.wang, "headache"))
	out := roomstest.Must(w.bo, billing.Checkout, billing.CheckoutInput{OrderID: w.order.ID, Gateway: fake.Gateway.Name()})
	w.way, w.payment = out.Way, w.history().Payments[0]
	return w
}

func (w *world) history() billing.OrderHistory {
	w.T.Helper()
	h, err := roomstest.Ask(w.World, rooms.Actor{Role: rooms.RoleAdmin}, billing.OrderFile, billing.OrderRef{OrderID: w.order.ID})
	if err != nil {
		w.T.Fatal(err)
	}
	return h
}

func (w *world) calls(n Callback) error { return w.sends(w.fake.Sign(n)) }

func (w *world) sends(c billing.Callback) error {
	_, _, err := w.Billing.Callback(context.Background(), w.fake.Gateway.Name(), c)
	return err
}

// books is all that is written down of the order, its consultation included.
func (w *world) books() string {
	w.T.Helper()
	raw, err := json.Marshal([]any{w.history(), w.bo.Sees(w.order.ConsultationID), w.bo.OrderOf(w.order.ConsultationID)})
	if err != nil {
		w.T.Fatal(err)
	}
	return string(raw)
}

// Run tests a gateway; make makes it anew, with a fake of its own.
func Run(t *testing.T, make func(t *testing.T) Fake) {
	t.Run("paid, told, refunded", func(t *testing.T) { t.Parallel(); paid(newWorld(t, make(t))) })
	t.Run("asked instead of told", func(t *testing.T) { t.Parallel(); asked(newWorld(t, make(t))) })
	t.Run("not paid in time", func(t *testing.T) { t.Parallel(); closed(newWorld(t, make(t))) })
	t.Run("paid at the last moment", func(t *testing.T) { t.Parallel(); late(newWorld(t, make(t))) })
	t.Run("callbacks that are refused", func(t *testing.T) { t.Parallel(); refused(newWorld(t, make(t))) })
	t.Run("a callback that comes again", func(t *testing.T) { t.Parallel(); replayed(newWorld(t, make(t))) })
}

// RunRemote is Run for a gateway that is asked over a network.
func RunRemote(t *testing.T, make func(t *testing.T) Fake) {
	Run(t, make)
	t.Run("an expired certificate of the server", func(t *testing.T) {
		t.Parallel()
		impostor(newWorld(t, make(t)))
	})
	t.Run("an answer without end", func(t *testing.T) {
		t.Parallel()
		p := billing.Payment{Reference: "reference", Remote: "remote", Currency: "CNY", Amount: price}
		if standing, err := make(t).Endless.Query(t.Context(), p); err == nil {
			t.Errorf("it says %+v", standing)
		}
	})
}

func paid(w *world) {
	t := w.T
	if w.way == (billing.Way{}) || w.order.Status != consultation.OrderCreated {
		t.Fatalf("the way to pay is %+v", w.way)
	}
	transaction := w.fake.Pay(w.payment.Reference)
	n := Callback{Reference: w.payment.Reference, Transaction: transaction, Amount: price, Currency: "CNY"}
	for _, n.ID = range []string{"first", "second"} { // told twice is taken once
		if err := w.calls(n); err != nil {
			t.Fatal(err)
		}
	}
	h := w.history()
	if h.Order.Status != consultation.OrderPaid || len(h.Charges) != 1 || h.Charges[0].Transaction != transaction || w.bo.Sees(w.order.ConsultationID).Status != consultation.Waiting {
		t.Fatalf("after paying: %+v", h)
	}
	admin := rooms.Actor{UserID: "admin", Role: rooms.RoleAdmin}
	if _, err := roomstest.Ask(w.World, admin, billing.RefundOrder, billing.RefundInput{OrderID: w.order.ID, Amount: 1200, Reason: "sorry"}); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if got := w.fake.Returned(transaction); got != 1200 {
		t.Errorf("%d went back, want 1200", got)
	}
	roomstest.Must(w.wang, consultation.Decline, consultation.ReasonInput{ConsultationID: w.order.ConsultationID, Reason: "no"})
	w.settle()
	if got := w.history().Order; w.fake.Returned(transaction) != price || got.Status != consultation.OrderRefunded {
		t.Errorf("%d went back, the order is %s", w.fake.Returned(transaction), got.Status)
	}
	// The same refund asked for again, as after a crash, gives nothing more.
	r := w.history().Refunds[0]
	again := billing.RefundRequest{ID: r.ID, Payment: w.payment, Transaction: transaction, Amount: r.Amount, Currency: "CNY"}
	if answer, err := w.fake.Gateway.Refund(t.Context(), again); err != nil || answer.Status == consultation.RefundFailed || w.fake.Returned(transaction) != price {
		t.Errorf("asked again: %+v, %v; %d went back", answer, err, w.fake.Returned(transaction))
	}
}

// settle lets the worker do what it has to, polls included.
func (w *world) settle() {
	for range 4 {
		w.Passes(30 * time.Second)
	}
}

func asked(w *world) {
	w.settle()
	if got := w.history().Order.Status; got != consultation.OrderCreated {
		w.T.Errorf("before paying: %s", got)
	}
	w.fake.Pay(w.payment.Reference)
	for range 3 {
		w.Passes(2 * time.Minute)
	}
	if got := w.history().Order.Status; got != consultation.OrderPaid {
		w.T.Errorf("after paying: %s", got)
	}
}

func closed(w *world) {
	w.Passes(15 * time.Minute)
	w.settle()
	if h := w.history(); h.Order.Status != consultation.OrderClosed || h.Payments[0].Status != billing.PaymentClosed {
		w.T.Errorf("the order is %s and the payment %s", h.Order.Status, h.Payments[0].Status)
	}
}

func late(w *world) {
	transaction := w.fake.Pay(w.payment.Reference) // without a callback
	w.Passes(15 * time.Minute)
	w.settle()
	got := w.history().Order
	if got.Status != consultation.OrderRefunded && got.Status != consultation.OrderPaid {
		w.T.Errorf("the order is %s", got.Status)
	}
	if returned := w.fake.Returned(transaction); returned != got.Refunded {
		w.T.Errorf("%d went back, we say %d", returned, got.Refunded)
	}
}

// refused makes sure that what must not be believed is refused, is logged with
// nothing that is nobody's business, and changes nothing.
func refused(w *world) {
	t := w.T
	good := Callback{ID: "callback-1", Reference: w.payment.Reference, Transaction: "transaction-1", Amount: price, Currency: "CNY"}
	tampered := w.fake.Sign(good)
	tampered.Body = append(tampered.Body, ' ', ' ')
	tampered.Body[len(tampered.Body)/2] ^= 1
	signed := func(change func(n *Callback)) billing.Callback {
		n := good
		change(&n)
		return w.fake.Sign(n)
	}
	before := w.books()
	for name, c := range map[string]struct {
		sent billing.Callback
		want rooms.Code // any, if it is empty
		skip bool
	}{
		"forged signature":    {sent: signed(func(n *Callback) { n.Forged = true }), want: rooms.CodeForbidden},
		"changed on the way":  {sent: tampered},
		"not signed":          {sent: billing.Callback{Header: http.Header{}, Body: []byte("{}")}, want: rooms.CodeForbidden},
		"wrong amount":        {sent: signed(func(n *Callback) { n.Amount = 1 }), want: rooms.CodeConflict},
		"wrong currency":      {sent: signed(func(n *Callback) { n.Currency = "USD" }), want: rooms.CodeConflict},
		"unknown order":       {sent: signed(func(n *Callback) { n.Reference = "ffffffffffffffffffffffffffffffff" }), want: rooms.CodeNotFound},
		"replayed when stale": {sent: signed(func(n *Callback) { n.Age = w.fake.Stale }), want: rooms.CodeForbidden},
		"expired certificate": {sent: signed(func(n *Callback) { n.Expired = true }), want: rooms.CodeForbidden, skip: !w.fake.Certificates},
	} {
		if c.skip {
			continue
		}
		w.journal.take()
		err := w.sends(c.sent)
		if err == nil || (c.want != "" && rooms.CodeOf(err) != c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		w.logged(name, "payment callback refused", rooms.CodeOf(err), c.sent)
		if after := w.books(); after != before {
			t.Errorf("%s: it changed something:\n%s\n%s", name, before, after)
		}
	}
	if err := w.calls(good); err != nil {
		t.Errorf("a good one is refused: %v", err)
	}
}

// logged makes sure that one line tells of a callback: with which gateway and
// why, and without what it was signed with, what it says, or who is ill.
func (w *world) logged(name, message string, code rooms.Code, c billing.Callback) {
	w.T.Helper()
	lines := w.journal.take()
	if len(lines) != 1 {
		w.T.Errorf("%s: logged %q", name, lines)
		return
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		w.T.Fatal(err)
	}
	if line["msg"] != message || line["gateway"] != w.fake.Gateway.Name() || (code != "" && line["code"] != string(code)) {
		w.T.Errorf("%s: logged %s", name, lines[0])
	}
	var secrets []string
	for _, values := range c.Header {
		secrets = append(secrets, values...)
	}
	for _, part := range strings.FieldsFunc(string(c.Body), func(r rune) bool { return strings.ContainsRune(`&={}":,`, r) }) {
		if plain, err := url.QueryUnescape(part); err == nil {
			secrets = append(secrets, part, plain)
		}
	}
	for _, secret := range secrets {
		// What is short is a word, a time or our own number for the payment.
		if len(secret) > 40 && strings.Contains(lines[0], secret) {
			w.T.Errorf("%s: %q is in the log: %s", name, secret, lines[0])
		}
	}
	if strings.Contains(lines[0], w.bo.User.Email) || strings.Contains(lines[0], "headache") {
		w.T.Errorf("%s: the log says who is ill: %s", name, lines[0])
	}
}

// replayed makes sure that a callback that was taken is known when it comes
// again: its gateway is thanked, for it may not have received our answer, and no more.
func replayed(w *world) {
	t := w.T
	transaction := w.fake.Pay(w.payment.Reference)
	c := w.fake.Sign(Callback{ID: "callback-1", Reference: w.payment.Reference, Transaction: transaction, Amount: price, Currency: "CNY"})
	if err := w.sends(c); err != nil {
		t.Fatal(err)
	}
	before := w.books()
	for range 2 {
		w.journal.take()
		if err := w.sends(c); err != nil {
			t.Errorf("its gateway is not thanked: %v", err)
		}
		w.logged("replayed", "payment callback repeated", "", c)
		if after := w.books(); after != before {
			t.Errorf("it changed something:\n%s\n%s", before, after)
		}
	}
	// Also when everything has gone back since: nothing is taken again.
	roomstest.Must(w.wang, consultation.Decline, consultation.ReasonInput{ConsultationID: w.order.ConsultationID, Reason: "no"})
	w.settle()
	before = w.books()
	if err := w.sends(c); err != nil {
		t.Error(err)
	}
	if after := w.books(); after != before || w.fake.Returned(transaction) != price {
		t.Errorf("after the refund it changed something, %d are back:\n%s\n%s", w.fake.Returned(transaction), before, after)
	}
}

// impostor makes sure that nobody is believed who has the gateway's name and a
// certificate that has expired: it is logged, and changes nothing.
func impostor(w *world) {
	w.Gateway = func(*sandbox.Gateway) billing.Gateway { return w.fake.Unsafe }
	w.Restarts(0)
	w.fake.Pay(w.payment.Reference)
	before := w.books()
	w.journal.take()
	w.Passes(time.Minute) // it is asked
	if after := w.books(); after != before {
		w.T.Errorf("it is believed:\n%s\n%s", before, after)
	}
	lines := strings.Join(w.journal.take(), "\n")
	if !strings.Contains(lines, "certificate has expired") || !strings.Contains(lines, string(w.payment.ID)) {
		w.T.Errorf("logged %s", lines)
	}
}

// Key makes an RSA key for a test.
func Key(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Certificate makes a self-signed certificate that is good until a time, in PEM.
func Certificate(t testing.TB, key *rsa.PrivateKey, serial int64, until time.Time) (*x509.Certificate, []byte) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "gateway.example"}, Issuer: pkix.Name{CommonName: "gateway.example"},
		NotBefore: until.AddDate(-5, 0, 0), NotAfter: until, SignatureAlgorithm: x509.SHA256WithRSA, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
