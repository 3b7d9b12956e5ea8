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
	"testing"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/billing"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/roomstest"
	"wenzhen/server/payment/sandbox"
)

// Notice is what a fake calls back with.
type Notice struct {
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
	// Unsafe is the same behind a certificate that has expired, for RunRemote.
	Unsafe billing.Gateway
	// Pay pays what has a reference, and returns the gateway's number for it.
	Pay func(reference string) string
	// Sign makes a callback.
	Sign func(n Notice) billing.Callback
	// Returned is what went back of a transaction.
	Returned func(transaction string) int64
	// Ages tells whether the protocol refuses what was signed long ago.
	Ages bool
	// Certificates tells whether callbacks are signed with certificates.
	Certificates bool
}

const price = 5000

// world is a Wenzhen with the gateway under test.
type world struct {
	*roomstest.World
	fake     Fake
	bo, wang *roomstest.Person
	order    billing.Order
	payment  billing.Payment
	way      billing.Way
}

func newWorld(t *testing.T, fake Fake) *world {
	t.Helper()
	w := &world{World: roomstest.New(t), fake: fake}
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

func (w *world) calls(n Notice) error {
	_, _, err := w.Billing.Callback(context.Background(), w.fake.Gateway.Name(), w.fake.Sign(n))
	return err
}

// Run tests a gateway; make makes it anew, with a fake of its own.
func Run(t *testing.T, make func(t *testing.T) Fake) {
	t.Run("paid, told, refunded", func(t *testing.T) { t.Parallel(); paid(newWorld(t, make(t))) })
	t.Run("asked instead of told", func(t *testing.T) { t.Parallel(); asked(newWorld(t, make(t))) })
	t.Run("not paid in time", func(t *testing.T) { t.Parallel(); closed(newWorld(t, make(t))) })
	t.Run("paid at the last moment", func(t *testing.T) { t.Parallel(); late(newWorld(t, make(t))) })
	t.Run("callbacks that are refused", func(t *testing.T) { t.Parallel(); refused(newWorld(t, make(t))) })
}

// RunRemote is Run for a gateway that is asked over a network.
func RunRemote(t *testing.T, make func(t *testing.T) Fake) {
	Run(t, make)
	t.Run("an expired certificate of the server", func(t *testing.T) {
		t.Parallel()
		fake := make(t)
		p := billing.Payment{ID: "p", OrderID: "o", Reference: "0123456789abcdef0123456789abcdef", Remote: "x", Amount: price, Currency: "CNY",
			CreatedAt: time.Now(), ExpiresAt: time.Now().Add(15 * time.Minute)}
		if at, err := fake.Unsafe.Look(t.Context(), p); err == nil {
			t.Errorf("it is believed: %+v", at)
		}
	})
}

func paid(w *world) {
	t := w.T
	if w.way == (billing.Way{}) || w.order.Status != consultation.OrderCreated {
		t.Fatalf("the way to pay is %+v", w.way)
	}
	transaction := w.fake.Pay(w.payment.Reference)
	n := Notice{Reference: w.payment.Reference, Transaction: transaction, Amount: price, Currency: "CNY"}
	for range 3 { // a callback that comes again changes nothing
		if err := w.calls(n); err != nil {
			t.Fatal(err)
		}
	}
	h := w.history()
	if h.Order.Status != consultation.OrderPaid || len(h.Charges) != 1 || h.Charges[0].Transaction != transaction || w.bo.Sees(w.order.ConsultationID).Status != consultation.Waiting {
		t.Fatalf("after paying: %+v", h)
	}
	admin := rooms.Actor{UserID: "admin", Role: rooms.RoleAdmin}
	if _, err := roomstest.Ask(w.World, admin, billing.GiveBack, billing.GiveBackInput{OrderID: w.order.ID, Amount: 1200, Reason: "sorry"}); err != nil {
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
	transaction := w.fake.Pay(w.payment.Reference) // and nobody is told
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

func refused(w *world) {
	t := w.T
	good := Notice{Reference: w.payment.Reference, Transaction: "transaction-1", Amount: price, Currency: "CNY"}
	before, err := json.Marshal(w.history())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(n *Notice)
		want   rooms.Code
		skip   bool
	}{
		"forged signature":    {change: func(n *Notice) { n.Forged = true }, want: rooms.CodeForbidden},
		"wrong amount":        {change: func(n *Notice) { n.Amount = 1 }, want: rooms.CodeConflict},
		"wrong currency":      {change: func(n *Notice) { n.Currency = "USD" }, want: rooms.CodeConflict},
		"unknown order":       {change: func(n *Notice) { n.Reference = "ffffffffffffffffffffffffffffffff" }, want: rooms.CodeNotFound},
		"replayed":            {change: func(n *Notice) { n.Age = time.Hour }, want: rooms.CodeForbidden, skip: !w.fake.Ages},
		"expired certificate": {change: func(n *Notice) { n.Expired = true }, want: rooms.CodeForbidden, skip: !w.fake.Certificates},
	} {
		if c.skip {
			continue
		}
		n := good
		c.change(&n)
		if err := w.calls(n); rooms.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if after, err := json.Marshal(w.history()); err != nil || string(after) != string(before) {
			t.Errorf("%s: it changed something:\n%s\n%s", name, before, after)
		}
	}
	tampered := w.fake.Sign(good)
	tampered.Body = append(tampered.Body, ' ', ' ')
	tampered.Body[len(tampered.Body)/2] ^= 1
	if _, _, err := w.Billing.Callback(context.Background(), w.fake.Gateway.Name(), tampered); err == nil {
		t.Error("a body that was changed on the way is believed")
	}
	if _, _, err := w.Billing.Callback(context.Background(), w.fake.Gateway.Name(), billing.Callback{Header: http.Header{}, Body: []byte("{}")}); err == nil {
		t.Error("an unsigned callback is believed")
	}
	if after, err := json.Marshal(w.history()); err != nil || string(after) != string(before) {
		t.Errorf("it changed something:\n%s\n%s", before, after)
	}
	if err := w.calls(good); err != nil {
		t.Errorf("a good one is refused: %v", err)
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
