package wechat_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms/billing"
	"wenzhen.example/server/payment/conformance"
	"wenzhen.example/server/payment/wechat"
)

const (
	app      = "wx0123456789abcdef"
	merchant = "1900000001"
	apiKey   = "0123456789abcdef0123456789abcdef"
)

// object is JSON as it comes and goes.
type object map[string]any

// fake is WeChat Pay's side.
type fake struct {
	t        *testing.T
	merchant *rsa.PublicKey
	key      *rsa.PrivateKey // of the platform
	serial   string
	mu       sync.Mutex
	orders   map[string]object
	refunds  map[string]object
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if !f.signed(r, body) {
		f.answer(w, http.StatusUnauthorized, object{"code": "SIGN_ERROR", "message": "the signature is wrong"})
		return
	}
	in := object{}
	_ = json.Unmarshal(body, &in)
	path := strings.TrimPrefix(r.URL.Path, "/v3/")
	reference := strings.TrimSuffix(strings.TrimPrefix(path, "pay/transactions/out-trade-no/"), "/close")
	switch {
	case path == "pay/transactions/native":
		f.orders[in["out_trade_no"].(string)] = object{"appid": app, "mchid": merchant, "out_trade_no": in["out_trade_no"], "trade_state": "NOTPAY",
			"amount": in["amount"]}
		f.answer(w, http.StatusOK, object{"code_url": "weixin://wxpay/bizpayurl?pr=" + in["out_trade_no"].(string)})
	case path == "refund/domestic/refunds":
		f.refund(w, in)
	case f.orders[reference] == nil:
		f.answer(w, http.StatusNotFound, object{"code": "ORDER_NOT_EXIST", "message": "no such order"})
	case strings.HasSuffix(path, "/close"):
		if f.orders[reference]["trade_state"] == "SUCCESS" {
			f.answer(w, http.StatusBadRequest, object{"code": "ORDER_PAID", "message": "paid"})
			return
		}
		f.orders[reference]["trade_state"] = "CLOSED"
		f.answer(w, http.StatusNoContent, nil)
	default:
		f.answer(w, http.StatusOK, f.orders[reference])
	}
}

func (f *fake) refund(w http.ResponseWriter, in object) {
	id, transaction := in["out_refund_no"].(string), in["transaction_id"].(string)
	amount := int64(in["amount"].(map[string]any)["refund"].(float64))
	if made := f.refunds[id]; made != nil {
		made["status"] = "SUCCESS" // arrives a little later
		f.answer(w, http.StatusOK, made)
		return
	}
	if f.returned(transaction)+amount > 5000 {
		f.answer(w, http.StatusBadRequest, object{"code": "INVALID_REQUEST", "message": "more than was paid"})
		return
	}
	f.refunds[id] = object{"refund_id": "r" + id, "out_refund_no": id, "transaction_id": transaction, "out_trade_no": "x", "channel": "ORIGINAL",
		"user_received_account": "x", "create_time": time.Now().Format(time.RFC3339), "status": "PROCESSING",
		"amount": object{"total": 5000, "refund": amount, "payer_total": 5000, "payer_refund": amount, "settlement_refund": amount, "settlement_total": 5000, "discount_refund": 0, "currency": "CNY"}}
	f.answer(w, http.StatusOK, f.refunds[id])
}

func (f *fake) returned(transaction string) (sum int64) {
	for _, r := range f.refunds {
		if r["transaction_id"] == transaction {
			sum += r["amount"].(object)["refund"].(int64)
		}
	}
	return sum
}

// signed checks the merchant's signature (WECHATPAY2-SHA256-RSA2048).
func (f *fake) signed(r *http.Request, body []byte) bool {
	fields := map[string]string{}
	for _, part := range strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "WECHATPAY2-SHA256-RSA2048 "), ",") {
		name, value, _ := strings.Cut(part, "=")
		fields[name] = strings.Trim(value, `"`)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%s\n", r.Method, r.URL.RequestURI(), fields["timestamp"], fields["nonce_str"], body))
	signature, err := base64.StdEncoding.DecodeString(fields["signature"])
	return err == nil && fields["mchid"] == merchant && rsa.VerifyPKCS1v15(f.merchant, crypto.SHA256, sum[:], signature) == nil
}

func (f *fake) answer(w http.ResponseWriter, status int, v object) {
	var body []byte
	if v != nil {
		body, _ = json.Marshal(v)
	}
	for name, values := range conformance.WechatHeaders(f.t, f.key, f.serial, body, time.Now()) {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.Copy(w, bytes.NewReader(body))
}

// sealed encrypts the content of a callback.
func (f *fake) sealed(v object) object {
	plain, err := json.Marshal(v)
	if err != nil {
		f.t.Fatal(err)
	}
	return conformance.WechatSealed(f.t, apiKey, plain)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	own, platform, stranger := conformance.Key(t), conformance.Key(t), conformance.Key(t)
	good, goodPEM := conformance.Certificate(t, platform, 0xA1, time.Now().AddDate(1, 0, 0))
	old, oldPEM := conformance.Certificate(t, platform, 0xB2, time.Now().AddDate(0, 0, -1))
	serial := func(c *x509.Certificate) string { return strings.ToUpper(c.SerialNumber.Text(16)) }
	der, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	ownPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	conformance.RunRemote(t, func(t *testing.T) conformance.Fake {
		f := &fake{t: t, merchant: &own.PublicKey, key: platform, serial: serial(good), orders: map[string]object{}, refunds: map[string]object{}}
		at := func(url string, client *http.Client) *wechat.Gateway {
			g, err := wechat.New(wechat.Config{App: app, Merchant: merchant, Serial: "C3", Key: ownPEM, APIKey: apiKey, Platform: string(goodPEM) + string(oldPEM), URL: url, HTTP: client})
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		return conformance.Fake{
			Gateway: at(conformance.Serve(t, f)), Unsafe: at(conformance.ServeExpired(t, f)), Endless: at(conformance.ServeEndless(t)), Stale: time.Hour, Certificates: true,
			Pay: func(reference string) string {
				f.mu.Lock()
				defer f.mu.Unlock()
				o := f.orders[reference]
				o["trade_state"], o["transaction_id"] = "SUCCESS", "42"+reference
				return "42" + reference
			},
			Sign: func(n conformance.Callback) billing.Callback {
				body, err := json.Marshal(object{"id": n.ID, "create_time": time.Now().Format(time.RFC3339), "event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource", "summary": "paid",
					"resource": f.sealed(object{"appid": app, "mchid": merchant, "out_trade_no": n.Reference, "transaction_id": n.Transaction, "trade_state": "SUCCESS",
						"amount": object{"total": n.Amount, "currency": n.Currency}})})
				if err != nil {
					t.Fatal(err)
				}
				key, by := platform, serial(good)
				if n.Forged {
					key = stranger
				}
				if n.Expired {
					by = serial(old)
				}
				return billing.Callback{Header: conformance.WechatHeaders(f.t, key, by, body, time.Now().Add(-n.Age)), Body: body}
			},
			Returned: func(transaction string) int64 {
				f.mu.Lock()
				defer f.mu.Unlock()
				return f.returned(transaction)
			},
		}
	})
}
