package stripe_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"wenzhen.example/rooms/billing"
	"wenzhen.example/server/payment/conformance"
	"wenzhen.example/server/payment/stripe"
)

const secret = "whsec_test"

// session and refund are as Stripe's API has them.
type session struct {
	ID            string  `json:"id"`
	Object        string  `json:"object"`
	Reference     string  `json:"client_reference_id"`
	Status        string  `json:"status"`
	PaymentStatus string  `json:"payment_status"`
	PaymentIntent *string `json:"payment_intent"`
	AmountTotal   int64   `json:"amount_total"`
	Currency      string  `json:"currency"`
	URL           string  `json:"url"`
}

type refund struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Status        string            `json:"status"`
	Amount        int64             `json:"amount"`
	PaymentIntent string            `json:"payment_intent"`
	Metadata      map[string]string `json:"metadata"`
}

// fake is Stripe's side.
type fake struct {
	mu       sync.Mutex
	sessions map[string]*session
	refunds  map[string]*refund
	once     map[string]any // answers by Idempotency-Key
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = r.ParseForm()
	if r.Header.Get("Authorization") != "Bearer sk_test" {
		f.refuse(w, http.StatusUnauthorized, "no key")
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if answer, again := f.once[key]; again && key != "" {
		f.answer(w, answer)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/v1/checkout/sessions":
		amount, _ := strconv.ParseInt(r.Form.Get("line_items[0][price_data][unit_amount]"), 10, 64)
		s := &session{ID: fmt.Sprint("cs_", len(f.sessions)+1), Object: "checkout.session", Reference: r.Form.Get("client_reference_id"), Status: "open", PaymentStatus: "unpaid",
			AmountTotal: amount, Currency: r.Form.Get("line_items[0][price_data][currency]"), URL: "https://checkout.example/pay"}
		f.sessions[s.ID], f.once[key] = s, s
		f.answer(w, s)
	case len(parts) >= 4 && parts[2] == "sessions" && f.sessions[parts[3]] != nil:
		s := f.sessions[parts[3]]
		if len(parts) == 5 { // expire
			if s.Status != "open" {
				f.refuse(w, http.StatusBadRequest, "the session is not open")
				return
			}
			s.Status = "expired"
		}
		f.answer(w, s)
	case r.URL.Path == "/v1/refunds":
		amount, _ := strconv.ParseInt(r.Form.Get("amount"), 10, 64)
		made := &refund{ID: fmt.Sprint("re_", len(f.refunds)+1), Object: "refund", Status: "pending", Amount: amount, PaymentIntent: r.Form.Get("payment_intent"),
			Metadata: map[string]string{"refund": r.Form.Get("metadata[refund]")}}
		if f.returned(made.PaymentIntent)+amount > 5000 {
			f.refuse(w, http.StatusBadRequest, "more than was paid")
			return
		}
		f.refunds[made.ID], f.once[key] = made, made
		f.answer(w, made)
	case len(parts) == 3 && parts[1] == "refunds" && f.refunds[parts[2]] != nil:
		f.refunds[parts[2]].Status = "succeeded" // arrives a little later
		f.answer(w, f.refunds[parts[2]])
	default:
		f.refuse(w, http.StatusNotFound, "no such thing")
	}
}

func (f *fake) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (f *fake) refuse(w http.ResponseWriter, status int, why string) {
	w.WriteHeader(status)
	f.answer(w, map[string]any{"error": map[string]string{"type": "invalid_request_error", "message": why}})
}

func (f *fake) returned(intent string) (sum int64) {
	for _, r := range f.refunds {
		if r.PaymentIntent == intent {
			sum += r.Amount
		}
	}
	return sum
}

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.RunRemote(t, func(t *testing.T) conformance.Fake {
		f := &fake{sessions: map[string]*session{}, refunds: map[string]*refund{}, once: map[string]any{}}
		at := func(url string, client *http.Client) *stripe.Gateway {
			g, err := stripe.New(stripe.Config{Key: "sk_test", WebhookSecret: secret, URL: url, HTTP: client})
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		return conformance.Fake{
			Gateway: at(conformance.Serve(t, f)), Unsafe: at(conformance.ServeExpired(t, f)), Endless: at(conformance.ServeEndless(t)), Stale: time.Hour,
			Pay: func(reference string) string {
				f.mu.Lock()
				defer f.mu.Unlock()
				for _, s := range f.sessions {
					if s.Reference == reference {
						intent := "pi_" + s.ID
						s.Status, s.PaymentStatus, s.PaymentIntent = "complete", "paid", &intent
						return intent
					}
				}
				t.Fatal("no such session")
				return ""
			},
			Sign: func(n conformance.Callback) billing.Callback {
				body, err := json.Marshal(map[string]any{"id": n.ID, "object": "event", "type": "checkout.session.completed", "data": map[string]any{"object": session{
					ID: "cs_1", Object: "checkout.session", Reference: n.Reference, Status: "complete", PaymentStatus: "paid", PaymentIntent: &n.Transaction,
					AmountTotal: n.Amount, Currency: strings.ToLower(n.Currency)}}})
				if err != nil {
					t.Fatal(err)
				}
				key := secret
				if n.Forged {
					key = "whsec_guess"
				}
				signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: key, Timestamp: time.Now().Add(-n.Age)})
				return billing.Callback{Header: http.Header{"Stripe-Signature": {signed.Header}}, Body: body}
			},
			Returned: func(transaction string) int64 {
				f.mu.Lock()
				defer f.mu.Unlock()
				return f.returned(transaction)
			},
		}
	})
}
