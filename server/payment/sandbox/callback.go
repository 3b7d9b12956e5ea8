package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/billing"
)

// signatureHeader carries when a callback was signed, and the signature.
const signatureHeader = "Sandbox-Signature"

// tolerance is how old a callback may be.
const tolerance = 5 * time.Minute

// message is the body of a callback.
type message struct {
	// ID stays the same however often the callback is made.
	ID           string                `json:"id"`
	Reference    string                `json:"reference"`
	State        billing.PaymentState  `json:"state"`
	Transactions []billing.Transaction `json:"transactions,omitempty"`
}

// ParseCallback implements billing.Gateway.
func (g *Gateway) ParseCallback(_ context.Context, c billing.Callback) (billing.CallbackContent, error) {
	stamp, signature, _ := strings.Cut(c.Header.Get(signatureHeader), ",")
	seconds, err := strconv.ParseInt(strings.TrimPrefix(stamp, "t="), 10, 64)
	if err != nil {
		return billing.CallbackContent{}, rooms.Forbidden("the callback is not signed")
	}
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "v1="))
	if err != nil || !hmac.Equal(given, g.mac(seconds, c.Body)) {
		return billing.CallbackContent{}, rooms.Forbidden("the signature is not the sandbox's")
	}
	if age := c.At.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return billing.CallbackContent{}, rooms.Forbidden("the callback was signed %s ago", age.Round(time.Second))
	}
	var m message
	if err := json.Unmarshal(c.Body, &m); err != nil || m.Reference == "" {
		return billing.CallbackContent{}, rooms.Invalid("", "the callback makes no sense")
	}
	return billing.CallbackContent{ID: m.ID, Reference: m.Reference, Standing: billing.Standing{State: m.State, Transactions: m.Transactions}}, nil
}

// sign makes the callback that tells m, as of now.
func (g *Gateway) sign(m message) (billing.Callback, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return billing.Callback{}, err
	}
	seconds := g.now().Unix()
	header := http.Header{}
	header.Set(signatureHeader, fmt.Sprintf("t=%d,v1=%s", seconds, hex.EncodeToString(g.mac(seconds, body))))
	return billing.Callback{Header: header, Body: body}, nil
}

func (g *Gateway) mac(seconds int64, body []byte) []byte {
	mac := hmac.New(sha256.New, g.key)
	fmt.Fprintf(mac, "%d.", seconds)
	mac.Write(body)
	return mac.Sum(nil)
}

// timerKind is the kind of the timers that make callbacks happen: rows, so that
// no restart swallows one.
const timerKind = "sandbox"

// Timers are the timers that the sandbox fires; a nil gateway has none.
func (g *Gateway) Timers() map[string]rooms.TimerFunc {
	if g == nil {
		return nil
	}
	return map[string]rooms.TimerFunc{timerKind: func(ctx context.Context, t rooms.Timer) error { return g.deliver(ctx, t.Subject) }}
}

// tell plans a callback that says how the payment stands at this moment, and
// is made at each of the times.
func (a *account) tell(tx rooms.Tx, state billing.PaymentState, dues ...time.Time) error {
	m := message{ID: rooms.NewID(dues[0]), Reference: a.Reference, State: state}
	if state == billing.StatePaid {
		m.Transactions = append(m.Transactions, a.Transactions[len(a.Transactions)-1])
	}
	for _, due := range dues {
		a.Calls = append(a.Calls, call{ID: rooms.NewID(due), Due: due, Callback: m})
	}
	return a.plan(tx)
}

// plan sets the timer for the next callback, or clears it.
func (a *account) plan(tx rooms.Tx) error {
	if len(a.Calls) == 0 {
		return tx.ClearTimer(timerKind, a.Reference)
	}
	next := a.Calls[0].Due
	for _, c := range a.Calls {
		if c.Due.Before(next) {
			next = c.Due
		}
	}
	return tx.SetTimer(rooms.Timer{Kind: timerKind, Subject: a.Reference, Due: next})
}

// deliver makes the callbacks that are due. One that fails is made again.
func (g *Gateway) deliver(ctx context.Context, reference string) error {
	a, err := g.read(ctx, reference)
	if err != nil {
		return err
	}
	made := map[string]bool{}
	var failed error
	for _, c := range a.Calls {
		if c.Due.After(g.now()) {
			continue
		}
		callback, err := g.sign(c.Callback)
		if err == nil {
			_, _, err = g.receiver(ctx, Name, callback)
		}
		// Only what passes by itself is worth another call.
		if err != nil && rooms.CodeOf(err) != rooms.CodeConflict && rooms.CodeOf(err) != rooms.CodeNotFound {
			failed = err
			continue
		}
		made[c.ID] = true
	}
	return errors.Join(g.change(ctx, reference, func(tx rooms.Tx, a *account) error {
		var rest []call
		for _, c := range a.Calls {
			if !made[c.ID] {
				if !c.Due.After(g.now()) {
					c.Due = g.now().Add(retryAfter)
				}
				rest = append(rest, c)
			}
		}
		a.Calls = rest
		return a.plan(tx)
	}), failed)
}
