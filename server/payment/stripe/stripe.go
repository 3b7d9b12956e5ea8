// Package stripe takes payments through Stripe Checkout
// (https://docs.stripe.com/payments/checkout): the patient pays on Stripe's own
// page, and Stripe tells by webhooks, signed with HMAC-SHA256 over time and body.
package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/short"
)

// Name is how the gateway is called.
const Name = "stripe"

// Config is an account at Stripe.
type Config struct {
	Key           string // secret key of the API
	WebhookSecret string // of the endpoint that Stripe calls
	URL           string // of the API, without a slash at the end
	HTTP          *http.Client
}

// Gateway is Stripe. It implements billing.Gateway.
type Gateway struct {
	client *api.Client
	secret string
}

// New makes the gateway; nothing is asked of Stripe yet.
func New(cfg Config) (*Gateway, error) {
	if cfg.Key == "" || cfg.WebhookSecret == "" {
		return nil, errors.New("stripe: the key and the secret of the webhook are needed")
	}
	backends := api.NewBackendsWithConfig(&api.BackendConfig{URL: &cfg.URL, HTTPClient: short.Client(cfg.HTTP), MaxNetworkRetries: api.Int64(0),
		EnableTelemetry: api.Bool(false), LeveledLogger: &api.LeveledLogger{Level: api.LevelNull}})
	return &Gateway{client: api.NewClient(cfg.Key, api.WithBackends(backends)), secret: cfg.WebhookSecret}, nil
}

// Name implements billing.Gateway.
func (g *Gateway) Name() string { return Name }

// A session of Stripe lives for 30 minutes at least; it is closed when the
// order does not wait any more.
const sessionLife = time.Hour

// Open implements billing.Gateway.
func (g *Gateway) Open(ctx context.Context, p billing.Payment, about billing.Purchase) (billing.Payment, error) {
	params := &api.CheckoutSessionCreateParams{
		Mode: api.String(string(api.CheckoutSessionModePayment)), ClientReferenceID: api.String(p.Reference),
		SuccessURL: api.String(about.ReturnURL), CancelURL: api.String(about.ReturnURL), ExpiresAt: api.Int64(p.CreatedAt.Add(sessionLife).Unix()),
		LineItems: []*api.CheckoutSessionCreateLineItemParams{{Quantity: api.Int64(1), PriceData: &api.CheckoutSessionCreateLineItemPriceDataParams{
			Currency: api.String(strings.ToLower(p.Currency)), UnitAmount: api.Int64(p.Amount),
			ProductData: &api.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: api.String(about.Title)},
		}}},
	}
	params.SetIdempotencyKey(p.Reference)
	s, err := g.client.V1CheckoutSessions.Create(ctx, params)
	if err != nil {
		return p, err
	}
	p.Remote, p.Way = s.ID, billing.Way{RedirectURL: s.URL}
	return p, nil
}

// Query implements billing.Gateway. Without Stripe's number nobody was ever
// shown where to pay.
func (g *Gateway) Query(ctx context.Context, p billing.Payment) (billing.Standing, error) {
	if p.Remote == "" {
		return billing.Standing{State: billing.StateUnknown}, nil
	}
	s, err := g.client.V1CheckoutSessions.Retrieve(ctx, p.Remote, nil)
	if err != nil {
		return billing.Standing{}, err
	}
	return standing(s), nil
}

// Close implements billing.Gateway.
func (g *Gateway) Close(ctx context.Context, p billing.Payment) (billing.Standing, error) {
	if p.Remote == "" {
		return billing.Standing{State: billing.StateUnknown}, nil
	}
	s, err := g.client.V1CheckoutSessions.Expire(ctx, p.Remote, nil)
	if err != nil { // it may be over already
		return g.Query(ctx, p)
	}
	return standing(s), nil
}

func standing(s *api.CheckoutSession) billing.Standing {
	switch {
	case s.PaymentStatus == api.CheckoutSessionPaymentStatusPaid && s.PaymentIntent != nil:
		return billing.Standing{State: billing.StatePaid, Transactions: []billing.Transaction{
			{ID: s.PaymentIntent.ID, Amount: s.AmountTotal, Currency: strings.ToUpper(string(s.Currency))}}}
	case s.Status == api.CheckoutSessionStatusExpired:
		return billing.Standing{State: billing.StateClosed}
	}
	return billing.Standing{State: billing.StateOpen}
}

// refundKey is the metadata in which a refund carries our number.
const refundKey = "refund"

// Refund implements billing.Gateway.
func (g *Gateway) Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundAnswer, error) {
	if r.Remote != "" {
		done, err := g.client.V1Refunds.Retrieve(ctx, r.Remote, nil)
		if err != nil {
			return billing.RefundAnswer{}, err
		}
		return answer(done), nil
	}
	params := &api.RefundCreateParams{PaymentIntent: api.String(r.Transaction), Amount: api.Int64(r.Amount), Metadata: map[string]string{refundKey: string(r.ID)}}
	params.SetIdempotencyKey(string(r.ID))
	made, err := g.client.V1Refunds.Create(ctx, params)
	var refused *api.Error
	if errors.As(err, &refused) && refused.Type == api.ErrorTypeInvalidRequest {
		return billing.RefundAnswer{Status: consultation.RefundFailed, Why: refused.Msg}, nil
	} else if err != nil {
		return billing.RefundAnswer{}, err
	}
	return answer(made), nil
}

func answer(r *api.Refund) billing.RefundAnswer {
	a := billing.RefundAnswer{Remote: r.ID, Status: consultation.RefundPending, Why: string(r.FailureReason)}
	switch r.Status {
	case api.RefundStatusSucceeded:
		a.Status = consultation.RefundSucceeded
	case api.RefundStatusFailed, api.RefundStatusCanceled:
		a.Status = consultation.RefundFailed
	}
	return a
}

// ParseCallback implements billing.Gateway.
func (g *Gateway) ParseCallback(_ context.Context, c billing.Callback) (billing.CallbackContent, error) {
	event, err := webhook.ConstructEventWithOptions(c.Body, c.Header.Get("Stripe-Signature"), g.secret, webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true})
	if err != nil {
		return billing.CallbackContent{}, rooms.Forbidden("the signature is not Stripe's, or too old")
	}
	kind := string(event.Type)
	switch {
	case event.Data == nil:
		return billing.CallbackContent{}, rooms.Invalid("", "the event makes no sense")
	case strings.HasPrefix(kind, "checkout.session."):
		var s api.CheckoutSession
		if err := json.Unmarshal(event.Data.Raw, &s); err != nil || s.ClientReferenceID == "" {
			return billing.CallbackContent{}, rooms.Invalid("", "the event makes no sense")
		}
		at := standing(&s)
		if kind == "checkout.session.async_payment_failed" {
			at.State = billing.StateFailed
		}
		return billing.CallbackContent{ID: event.ID, Reference: s.ClientReferenceID, Standing: at}, nil
	case strings.HasPrefix(kind, "refund."):
		var r api.Refund
		if err := json.Unmarshal(event.Data.Raw, &r); err != nil {
			return billing.CallbackContent{}, rooms.Invalid("", "the event makes no sense")
		}
		return billing.CallbackContent{ID: event.ID, RefundID: consultation.RefundID(r.Metadata[refundKey])}, nil
	}
	return billing.CallbackContent{}, nil // of something else that happens at Stripe
}

// Acknowledgement implements billing.Gateway.
func (g *Gateway) Acknowledgement() (contentType string, body []byte) {
	return "application/json", []byte(`{"received":true}`)
}
