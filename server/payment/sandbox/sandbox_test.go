package sandbox_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/roomstest"
	sandboxstore "wenzhen.example/rooms/store/sandbox"
	"wenzhen.example/server/payment/conformance"
	"wenzhen.example/server/payment/sandbox"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.Run(t, func(t *testing.T) conformance.Fake {
		key := []byte("a key that is the sandbox's own, only")
		books := roomstest.New(t) // a database of its own, as the other side has
		g := sandbox.New(sandbox.Options{Ledger: sandboxstore.Store{DB: books.DB}, Key: key, Now: books.Now,
			Receiver: func(context.Context, string, billing.Callback) (string, []byte, error) { return "", nil, nil }})
		page := rooms.NewCatalogue(rooms.CatalogueOptions{}, g.Commands())
		references := map[string]string{} // by transaction
		return conformance.Fake{
			Gateway: g, Stale: time.Hour,
			Pay: func(reference string) string {
				in, err := json.Marshal(billing.SandboxPlayInput{Reference: reference, Play: billing.PlayPay})
				if err == nil {
					_, err = page.Answer(t.Context(), rooms.Actor{}, billing.SandboxPlay.Name, in)
				}
				if err != nil {
					t.Fatal(err)
				}
				at, err := g.Query(t.Context(), billing.Payment{Reference: reference})
				if err != nil || len(at.Transactions) != 1 {
					t.Fatalf("paid: %+v, %v", at, err)
				}
				references[at.Transactions[0].ID] = reference
				return at.Transactions[0].ID
			},
			Sign: func(n conformance.Callback) billing.Callback {
				body, err := json.Marshal(map[string]any{"id": n.ID, "reference": n.Reference, "state": "paid",
					"transactions": []billing.Transaction{{ID: n.Transaction, Amount: n.Amount, Currency: n.Currency}}})
				if err != nil {
					t.Fatal(err)
				}
				by := key
				if n.Forged {
					by = []byte("a guess")
				}
				at := books.Now().Add(-n.Age).Unix()
				mac := hmac.New(sha256.New, by)
				fmt.Fprintf(mac, "%d.%s", at, body)
				return billing.Callback{Header: http.Header{"Sandbox-Signature": {fmt.Sprintf("t=%d,v1=%x", at, mac.Sum(nil))}}, Body: body}
			},
			Returned: func(transaction string) int64 {
				_, returned, err := g.Taken(t.Context(), references[transaction])
				if err != nil {
					t.Fatal(err)
				}
				return returned
			},
		}
	})
}
