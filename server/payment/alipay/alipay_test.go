package alipay_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms/billing"
	"wenzhen.example/server/payment/alipay"
	"wenzhen.example/server/payment/conformance"
)

const app = "2026000000000001"

// object is JSON as it comes and goes.
type object map[string]any

// fake is Alipay's side.
type fake struct {
	t       *testing.T
	app     *rsa.PublicKey
	key     *rsa.PrivateKey
	serial  string
	mu      sync.Mutex
	trades  map[string]object
	refunds map[string]object
}

// beijing is a time some while ago, as Alipay writes it.
func beijing(ago time.Duration) string {
	return time.Now().Add(-ago).In(time.FixedZone("UTC+8", 8*60*60)).Format(time.DateTime)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := r.ParseForm(); err != nil || !f.signed(r.Form) {
		f.answer(w, r, object{"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-signature"})
		return
	}
	in := object{}
	_ = json.Unmarshal([]byte(r.Form.Get("biz_content")), &in)
	of := func(name string) string { text, _ := in[name].(string); return text }
	trade := f.trades[of("out_trade_no")]
	missing := object{"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.TRADE_NOT_EXIST"}
	switch method := r.Form.Get("method"); {
	case method == "alipay.trade.precreate":
		f.trades[of("out_trade_no")] = object{"trade_status": "WAIT_BUYER_PAY", "total_amount": of("total_amount")}
		f.answer(w, r, object{"code": "10000", "out_trade_no": of("out_trade_no"), "qr_code": "https://qr.alipay.example/" + of("out_trade_no")})
	case method == "alipay.trade.refund":
		f.refund(w, r, of("trade_no"), of("out_request_no"), of("refund_amount"))
	case method == "alipay.trade.fastpay.refund.query":
		status := ""
		if f.refunds[of("out_request_no")] != nil {
			status = "REFUND_SUCCESS"
		}
		f.answer(w, r, object{"code": "10000", "refund_status": status})
	case trade == nil:
		f.answer(w, r, missing)
	case method == "alipay.trade.query":
		reply := object{"code": "10000", "out_trade_no": of("out_trade_no")}
		for name, value := range trade {
			reply[name] = value
		}
		f.answer(w, r, reply)
	case method == "alipay.trade.close" && trade["trade_status"] == "WAIT_BUYER_PAY":
		trade["trade_status"] = "TRADE_CLOSED"
		f.answer(w, r, object{"code": "10000"})
	default:
		f.answer(w, r, object{"code": "40004", "sub_code": "ACQ.TRADE_STATUS_ERROR"})
	}
}

func (f *fake) refund(w http.ResponseWriter, r *http.Request, transaction, id, amount string) {
	change := "N"
	if f.refunds[id] == nil {
		if f.returned(transaction)+fen(amount) > 5000 {
			f.answer(w, r, object{"code": "40004", "sub_code": "ACQ.REASON_TRADE_REFUND_FEE_ERR"})
			return
		}
		f.refunds[id], change = object{"trade_no": transaction, "amount": amount}, "Y"
	}
	f.answer(w, r, object{"code": "10000", "trade_no": transaction, "fund_change": change})
}

func fen(amount string) int64 {
	var whole, part int64
	_, _ = fmt.Sscanf(amount, "%d.%d", &whole, &part)
	return whole*100 + part
}

func (f *fake) returned(transaction string) (sum int64) {
	for _, r := range f.refunds {
		if r["trade_no"] == transaction {
			sum += fen(r["amount"].(string))
		}
	}
	return sum
}

// signed checks the application's signature.
func (f *fake) signed(values url.Values) bool {
	signature, err := base64.StdEncoding.DecodeString(values.Get("sign"))
	sum := sha256.Sum256(conformance.AlipayText(values, "sign"))
	return err == nil && values.Get("app_id") == app && rsa.VerifyPKCS1v15(f.app, crypto.SHA256, sum[:], signature) == nil
}

func (f *fake) answer(w http.ResponseWriter, r *http.Request, v object) {
	body, err := json.Marshal(v)
	if err != nil {
		f.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"%s_response":%s,"alipay_cert_sn":"%s","sign":"%s"}`, strings.ReplaceAll(r.Form.Get("method"), ".", "_"), body, f.serial, conformance.Sign(f.t, f.key, body))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	own, theirs, stranger := conformance.Key(t), conformance.Key(t), conformance.Key(t)
	_, ownPEM := conformance.Certificate(t, own, 1, time.Now().AddDate(1, 0, 0))
	good, goodPEM := conformance.Certificate(t, theirs, 2, time.Now().AddDate(1, 0, 0))
	old, oldPEM := conformance.Certificate(t, theirs, 3, time.Now().AddDate(0, 0, -1))
	_, rootPEM := conformance.Certificate(t, stranger, 4, time.Now().AddDate(9, 0, 0))
	der, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, name := range []string{alipay.Page, alipay.Code} {
		at := func(t *testing.T, certificate []byte, address string, client *http.Client) *alipay.Gateway {
			g, err := alipay.New(name, alipay.Config{App: app, Key: key, AppCertificate: string(ownPEM), Certificate: string(certificate), RootCertificate: string(rootPEM),
				URL: address + "/gateway.do", HTTP: client})
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		notice := func(t *testing.T, by *rsa.PrivateKey, cert *x509.Certificate, n conformance.Callback) billing.Callback {
			values := url.Values{"app_id": {app}, "notify_type": {"trade_status_sync"}, "notify_id": {n.ID}, "notify_time": {beijing(n.Age)}, "out_trade_no": {n.Reference}, "trade_no": {n.Transaction}, "trade_status": {"TRADE_SUCCESS"},
				"total_amount": {fmt.Sprintf("%d.%02d", n.Amount/100, n.Amount%100)}, "gmt_payment": {"2026-11-21 12:00:00"}}
			if n.Currency != "CNY" {
				values.Set("trans_currency", n.Currency)
			}
			return billing.Callback{Header: http.Header{}, Body: conformance.AlipayForm(t, by, cert, values)}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance.RunRemote(t, func(t *testing.T) conformance.Fake {
				f := &fake{t: t, app: &own.PublicKey, key: theirs, serial: conformance.AlipayNumber(good), trades: map[string]object{}, refunds: map[string]object{}}
				address, client := conformance.Serve(t, f)
				expired, wary := conformance.ServeExpired(t, f)
				endless, patient := conformance.ServeEndless(t)
				return conformance.Fake{
					Gateway: at(t, goodPEM, address, client), Unsafe: at(t, goodPEM, expired, wary), Endless: at(t, goodPEM, endless, patient), Stale: 26 * time.Hour, Certificates: true,
					Pay: func(reference string) string {
						f.mu.Lock()
						defer f.mu.Unlock()
						f.trades[reference] = object{"trade_status": "TRADE_SUCCESS", "total_amount": "50.00", "trade_no": "77" + reference, "send_pay_date": "2026-11-21 12:00:00"}
						return "77" + reference
					},
					Sign: func(n conformance.Callback) billing.Callback {
						by, cert := theirs, good
						if n.Forged {
							by = stranger
						}
						if n.Expired {
							cert = old
						}
						return notice(t, by, cert, n)
					},
					Returned: func(transaction string) int64 {
						f.mu.Lock()
						defer f.mu.Unlock()
						return f.returned(transaction)
					},
				}
			})
		})
		t.Run(name+" with a certificate that has expired", func(t *testing.T) {
			t.Parallel()
			g := at(t, oldPEM, "https://localhost", nil)
			if n, err := g.ParseCallback(t.Context(), notice(t, theirs, old, conformance.Callback{ID: "n", Reference: "r", Transaction: "t", Amount: 1, Currency: "CNY"})); err == nil {
				t.Errorf("it is believed: %+v", n)
			}
			if at, err := g.Query(t.Context(), billing.Payment{Reference: "r"}); err == nil {
				t.Errorf("it is believed: %+v", at)
			}
		})
	}
}
