package conformance_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/server/payment/alipay"
	"wenzhen.example/server/payment/conformance"
	"wenzhen.example/server/payment/stripe"
	"wenzhen.example/server/payment/wechat"
)

const (
	stripeSecret   = "whsec_test"
	alipayApp      = "2026000000000001"
	wechatApp      = "wx0123456789abcdef"
	wechatMerchant = "1900000001"
	wechatKey      = "0123456789abcdef0123456789abcdef"
)

// FuzzCallback: whatever calls back in a gateway's name is refused as forbidden
// or invalid if the gateway did not sign it; if it did, nothing is read into it
// that it does not say, above all about money.
func FuzzCallback(f *testing.F) {
	s := newSigners(f)
	for gateway, bodies := range said {
		for _, body := range bodies {
			f.Add(gateway, true, []byte(body))
			f.Add(gateway, false, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, gateway string, signed bool, body []byte) {
		g, sign, means := s.of(gateway)
		now := time.Now()
		c := sign(t, []byte(s.filled(string(body), now)), now)
		if !signed { // what was signed was another body
			c.Body = append(slices.Clone(c.Body), ' ')
			if strings.HasPrefix(g.Name(), "alipay") {
				c.Body = append(c.Body, "&trade_no=another"...)
			}
		}
		c.At = now
		n, err := g.ParseCallback(t.Context(), c)
		if code := rooms.CodeOf(err); err != nil && code != rooms.CodeForbidden && code != rooms.CodeInvalid {
			t.Fatalf("%s refuses %q with %v", g.Name(), body, err)
		}
		switch {
		case err != nil:
		case !signed:
			t.Fatalf("%s believes %q: %+v", g.Name(), body, n)
		default:
			means(t, s.filled(string(body), now), n)
		}
	})
}

// said is what gateways call back with. $now stands for the time of the call,
// as Alipay writes it.
var said = map[string][]string{
	stripe.Name: {
		`{"id":"evt_1","object":"event","type":"checkout.session.completed","data":{"object":{"id":"cs_1","object":"checkout.session","client_reference_id":"r","status":"complete","payment_status":"paid","payment_intent":"pi_1","amount_total":5000,"currency":"cny"}}}`,
		`{"id":"evt_2","object":"event","type":"checkout.session.expired","data":{"object":{"id":"cs_1","client_reference_id":"r","status":"expired","payment_status":"unpaid"}}}`,
		`{"id":"evt_3","object":"event","type":"refund.updated","data":{"object":{"id":"re_1","object":"refund","metadata":{"refund":"x"}}}}`,
		`{"id":"evt_4","object":"event","type":"checkout.session.completed"}`,
		`{"id":"evt_5","object":"event","type":"refund.updated","data":null}`,
		`{"object":"event","type":"checkout.session.completed","data":{"object":null,"previous_attributes":5}}`,
		`{"object":"event","type":"charge.updated"}`, `{"object":"v2.core.event"}`, `[]`, ``,
	},
	alipay.Page: {
		"app_id=2026000000000001&notify_id=n&notify_time=$now&out_trade_no=r&trade_no=t&trade_status=TRADE_SUCCESS&total_amount=50.00&gmt_payment=2026-11-21+12:00:00",
		"app_id=2026000000000001&notify_id=n&notify_time=$now&out_trade_no=r&trade_no=t&trade_status=TRADE_CLOSED&total_amount=-0.1&trans_currency=USD",
		"app_id=2026000000000001&notify_id=n&notify_time=$now&out_trade_no=r&trade_status=TRADE_SUCCESS&total_amount=99999999999999999999.999",
		"app_id=2026000000000001&notify_id=n&notify_time=yesterday&out_trade_no=r&trade_status=TRADE_SUCCESS", "app_id=2&notify_time=$now", "%zz", "",
	},
	wechat.Name: {
		`{"appid":"wx0123456789abcdef","mchid":"1900000001","out_trade_no":"r","transaction_id":"t","trade_state":"SUCCESS","amount":{"total":5000,"currency":"CNY"}}`,
		`{"appid":"wx0123456789abcdef","mchid":"1900000001","out_trade_no":"r","trade_state":"SUCCESS"}`,
		`{"appid":"wx0123456789abcdef","mchid":"1900000001","out_trade_no":"r","trade_state":"SUCCESS","amount":{"currency":"CNY"}}`,
		`{"mchid":"1900000001","out_refund_no":"x"}`, `{"mchid":5}`, `null`, `[]`, ``,
	},
}

// signers are the gateways and who signs in their name.
type signers struct {
	stripe, alipay, wechat billing.Gateway
	key                    *rsa.PrivateKey // of Alipay and of WeChat Pay
	cert                   *x509.Certificate
}

func newSigners(f *testing.F) *signers {
	f.Helper()
	must := func(err error) {
		f.Helper()
		if err != nil {
			f.Fatal(err)
		}
	}
	own, s := conformance.Key(f), &signers{key: conformance.Key(f)}
	until := time.Now().AddDate(1, 0, 0)
	_, ownPEM := conformance.Certificate(f, own, 1, until)
	var theirPEM []byte
	s.cert, theirPEM = conformance.Certificate(f, s.key, 0xA1, until)
	der, err := x509.MarshalPKCS8PrivateKey(own)
	must(err)
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	s.stripe, err = stripe.New(stripe.Config{Key: "sk_test", WebhookSecret: stripeSecret, URL: "https://localhost"})
	must(err)
	s.alipay, err = alipay.New(alipay.Page, alipay.Config{App: alipayApp, Key: key, AppCertificate: string(ownPEM), Certificate: string(theirPEM), RootCertificate: string(theirPEM), URL: "https://localhost"})
	must(err)
	s.wechat, err = wechat.New(wechat.Config{App: wechatApp, Merchant: wechatMerchant, Serial: "C3", Key: key, APIKey: wechatKey, Platform: string(theirPEM), URL: "https://localhost"})
	must(err)
	return s
}

// filled is a body with the time in it.
func (s *signers) filled(body string, now time.Time) string {
	return strings.ReplaceAll(body, "$now", now.In(time.FixedZone("UTC+8", 8*60*60)).Format("2006-01-02+15:04:05"))
}

type (
	signs func(t *testing.T, body []byte, now time.Time) billing.Callback
	// meaning compares what was read with what was said.
	meaning func(t *testing.T, body string, n billing.CallbackContent)
)

// of is the gateway of a name, Stripe for a name that is none, with who signs
// for it.
func (s *signers) of(name string) (billing.Gateway, signs, meaning) {
	switch name {
	case alipay.Page:
		return s.alipay, s.signAlipay, meansOfAlipay
	case wechat.Name:
		return s.wechat, s.signWechat, meansOfWechat
	}
	return s.stripe, signStripe, meansOfStripe
}

func signStripe(_ *testing.T, body []byte, now time.Time) billing.Callback {
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: stripeSecret, Timestamp: now})
	return billing.Callback{Header: http.Header{"Stripe-Signature": {signed.Header}}, Body: body}
}

// signAlipay signs a form. What no form can say is sent as it is.
func (s *signers) signAlipay(t *testing.T, body []byte, _ time.Time) billing.Callback {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return billing.Callback{Header: http.Header{}, Body: body}
	}
	return billing.Callback{Header: http.Header{}, Body: conformance.AlipayForm(t, s.key, s.cert, values)}
}

// signWechat encrypts the body and signs what it is sent in.
func (s *signers) signWechat(t *testing.T, body []byte, now time.Time) billing.Callback {
	whole, err := json.Marshal(map[string]any{"id": "n", "create_time": now.Format(time.RFC3339), "event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource", "summary": "paid",
		"resource": conformance.WechatSealed(t, wechatKey, body)})
	if err != nil {
		t.Fatal(err)
	}
	return billing.Callback{Header: conformance.WechatHeaders(t, s.key, strings.ToUpper(s.cert.SerialNumber.Text(16)), whole, now), Body: whole}
}

func meansOfStripe(t *testing.T, body string, n billing.CallbackContent) {
	var event struct {
		ID   string `json:"id"`
		Data struct {
			Object struct {
				Reference string `json:"client_reference_id"`
				Paid      string `json:"payment_status"`
				Amount    int64  `json:"amount_total"`
				Currency  string `json:"currency"`
			} `json:"object"`
		} `json:"data"`
	}
	_ = json.Unmarshal([]byte(body), &event)
	object := event.Data.Object
	if n.Reference != "" && (n.Reference != object.Reference || n.ID != event.ID) {
		t.Errorf("%q is read as %+v", body, n)
	}
	if n.Standing.State == billing.StatePaid {
		took := n.Standing.Transactions
		if object.Paid != "paid" || len(took) != 1 || took[0].Amount != object.Amount || !strings.EqualFold(took[0].Currency, object.Currency) {
			t.Errorf("%q is read as %+v", body, n)
		}
	}
}

func meansOfAlipay(t *testing.T, body string, n billing.CallbackContent) {
	values, _ := url.ParseQuery(body)
	if n.ID == "" || n.Reference == "" || n.ID != values.Get("notify_id") || n.Reference != values.Get("out_trade_no") || values.Get("app_id") != alipayApp {
		t.Errorf("%q is read as %+v", body, n)
	}
	if n.Standing.State != billing.StatePaid {
		return
	}
	took := n.Standing.Transactions
	yuan, ok := new(big.Rat).SetString(values.Get("total_amount"))
	if !ok || len(took) != 1 || new(big.Rat).Mul(yuan, big.NewRat(100, 1)).Cmp(big.NewRat(took[0].Amount, 1)) != 0 || took[0].ID != values.Get("trade_no") {
		t.Errorf("%q is read as %+v", body, n)
	}
}

func meansOfWechat(t *testing.T, body string, n billing.CallbackContent) {
	var told struct {
		App       string  `json:"appid"`
		Merchant  string  `json:"mchid"`
		Reference string  `json:"out_trade_no"`
		State     string  `json:"trade_state"`
		Refund    *string `json:"out_refund_no"`
		Amount    struct {
			Total    *int64 `json:"total"`
			Currency string `json:"currency"`
		} `json:"amount"`
	}
	if err := json.Unmarshal([]byte(body), &told); err != nil || told.Merchant != wechatMerchant {
		t.Fatalf("%q is read as %+v: %v", body, n, err)
	}
	if told.Refund != nil {
		if string(n.RefundID) != *told.Refund || n.Reference != "" {
			t.Errorf("%q is read as %+v", body, n)
		}
		return
	}
	if n.Reference != told.Reference || told.App != wechatApp || (n.Standing.State == billing.StatePaid) != (told.State == "SUCCESS" || told.State == "REFUND") {
		t.Errorf("%q is read as %+v", body, n)
	}
	for _, took := range n.Standing.Transactions {
		if told.Amount.Total == nil || took.Amount != *told.Amount.Total || took.Currency != told.Amount.Currency {
			t.Errorf("%q is read as %+v", body, n)
		}
	}
}
