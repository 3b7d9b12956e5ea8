package sandbox

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/billing"
)

// How late callbacks are.
const (
	delayedBy  = 20 * time.Second
	disorderBy = 2 * time.Second
	lateBy     = 3 * time.Second
	retryAfter = 10 * time.Second
)

// Commands are those of the checkout page. Of a nil gateway they know no payment.
func (g *Gateway) Commands() []rooms.Handler {
	return []rooms.Handler{billing.SandboxRead.Bind(g.show), billing.SandboxPlay.Bind(g.play)}
}

func (g *Gateway) show(ctx context.Context, _ rooms.Actor, in billing.SandboxRef) (billing.SandboxPayment, error) {
	if g == nil {
		return billing.SandboxPayment{}, rooms.NotFound("payment")
	}
	a, err := g.read(ctx, in.Reference)
	if err == nil && a.Reference == "" {
		err = rooms.NotFound("payment")
	}
	return a.SandboxPayment, err
}

// play does at the sandbox what someone chose on its page, and tells us of it
// in the way that was chosen.
func (g *Gateway) play(ctx context.Context, actor rooms.Actor, in billing.SandboxPlayInput) (billing.SandboxPayment, error) {
	if _, err := g.show(ctx, actor, billing.SandboxRef{Reference: in.Reference}); err != nil {
		return billing.SandboxPayment{}, err
	}
	err := g.change(ctx, in.Reference, func(tx rooms.Tx, a *account) error {
		if a.State != billing.StateOpen && a.State != billing.StateFailed {
			return rooms.Conflict(string(a.State), "this payment is %s", a.State)
		}
		now := g.now()
		paid := func(dues ...time.Time) error {
			a.pay(now)
			return a.tell(tx, billing.StatePaid, dues...)
		}
		switch in.Play {
		case billing.PlayPay:
			return paid(now)
		case billing.PlayRepeat:
			return paid(now, now, now.Add(disorderBy))
		case billing.PlayDelay:
			return paid(now.Add(delayedBy))
		case billing.PlayTwice:
			if err := paid(now); err != nil {
				return err
			}
			return paid(now)
		case billing.PlayReorder:
			if err := paid(now); err != nil {
				return err
			}
			return a.tell(tx, billing.StateFailed, now.Add(disorderBy))
		case billing.PlayFail:
			a.State = billing.StateFailed
			return a.tell(tx, billing.StateFailed, now)
		case billing.PlayLate:
			a.Late = true
			return nil
		}
		return rooms.Invalid("play", "there is no play %q", in.Play)
	})
	if err != nil {
		return billing.SandboxPayment{}, err
	}
	// The callback is delivered at once; if that fails, the timer repeats it.
	_ = g.deliver(ctx, in.Reference)
	return g.show(ctx, actor, billing.SandboxRef{Reference: in.Reference})
}
