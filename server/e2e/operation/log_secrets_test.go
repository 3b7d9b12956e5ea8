package operation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// marked is in every secret setting of a test.
const marked = "hunter2"

// Secrets of the settings appear neither in the log at its most detailed level,
// nor in the settings that an admin reads, nor in errors that a client
// receives, while everything that needs them fails: the payment gateway, the
// mail server, Redis.
func TestSettingsAreNotLogged(t *testing.T) {
	t.Parallel()
	key := func(of string) string { return of + "-" + marked + "-of-at-least-32-characters" }
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sk_"+marked {
			t.Error("the gateway is asked without its key")
		}
		http.Error(w, "<html>bad gateway</html>", http.StatusBadGateway)
	}))
	t.Cleanup(gateway.Close)
	nobody := e2e.FreeAddress(t)
	w, log := recorded(t, func(c *app.Config) {
		c.TokenKey, c.AccountKey, c.SealKey, c.EncryptionKey, c.IceSecret = key("token"), key("account"), key("seal"), key("encryption"), key("ice")
		c.Redis = fmt.Sprintf("redis://node:%s@%s", marked, nobody)
		c.MailServer, c.MailFrom, c.MailDelay = fmt.Sprintf("smtp://postman:%s@%s?tls=off", marked, nobody), "no-reply@clinic.example", 0
		c.PublicURL = "http://clinic.example" // where the gateway would call back
		c.Gateways, c.StripeKey, c.StripeWebhookSecret, c.StripeURL = []string{"stripe"}, "sk_"+marked, "whsec_"+marked, gateway.URL
	})
	doctor, bo := w.Costly("wang"), w.Patient("bo")
	opened := e2e.Do(bo, consultation.Open, consultation.OpenInput{DoctorID: doctor.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "x"})
	_, err := client.Do(t.Context(), bo.Client, billing.Checkout, billing.CheckoutInput{OrderID: opened.Order.ID, Gateway: "stripe"})
	e2e.Code(t, err, rooms.CodeUnavailable)
	forged := w.Ask(t, "POST", "/api/v1/webhooks/stripe", "", `{"object":"event"}`, "Stripe-Signature", "t=1,v1=00")
	if forged.Status != http.StatusForbidden || bytes.Contains(forged.Body, []byte(marked)) {
		t.Errorf("a forged callback: %d %s", forged.Status, forged.Body)
	}
	if e := fmt.Sprint(err); strings.Contains(e, marked) || strings.Contains(e, gateway.URL) {
		t.Errorf("the client receives %s", e)
	}
	shown, err := json.Marshal(e2e.Do(w.Admin, operations.Settings, rooms.Nothing{}))
	e2e.Must(t, err)
	e2e.Eventually(t, "what fails, in the log", func() bool {
		return strings.Contains(log.String(), "payment gateway") && strings.Contains(log.String(), "redis: signals stay on this node meanwhile")
	})
	e2e.Must(t, w.Stop())
	for where, text := range map[string]string{"log": log.String(), "settings": string(shown)} {
		if i := strings.Index(text, marked); i >= 0 {
			t.Errorf("the %s has a secret: …%s…", where, text[max(0, i-200):min(len(text), i+50)])
		}
	}
}
