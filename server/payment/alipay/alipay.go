// Package alipay takes payments through Alipay's open platform: on Alipay's own
// page (alipay.trade.page.pay) or by a code that the patient scans
// (alipay.trade.precreate). Both sides sign with RSA2 and certificates
// (https://opendocs.alipay.com/common/02kipl).
package alipay

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	api "github.com/smartwalle/alipay/v3"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/short"
)

// The two ways, which patients choose between.
const (
	Page = "alipay"
	Code = "alipay_qr"
)

// Config is an application at Alipay.
type Config struct {
	App             string
	Key             string // private key of the application, PEM or bare base64
	AppCertificate  string // PEM, as are the next two
	Certificate     string // Alipay's own
	RootCertificate string
	URL             string // of the gateway: https://openapi.alipay.com/gateway.do
	HTTP            *http.Client
}

// Gateway is Alipay in one of its ways. It implements billing.Gateway.
type Gateway struct {
	name   string
	app    string
	client *api.Client
	cert   *x509.Certificate
}

// New makes the gateway in the way of that name; nothing is asked of Alipay
// yet. Errors: a key or certificate that cannot be read.
func New(name string, cfg Config) (*Gateway, error) {
	block, _ := pem.Decode([]byte(cfg.Certificate))
	if block == nil {
		return nil, errors.New("alipay: Alipay's certificate is no PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("alipay: Alipay's certificate: %w", err)
	}
	// Not "production", to the SDK, means: our address, and no certificate but
	// the one that is loaded.
	c, err := api.New(cfg.App, cfg.Key, false, api.WithSandboxGateway(cfg.URL), api.WithHTTPClient(short.Client(cfg.HTTP)))
	if err != nil {
		return nil, fmt.Errorf("alipay: the application's key: %w", err)
	}
	for what, load := range map[string]func() error{
		"the application's certificate": func() error { return c.LoadAppCertPublicKey(cfg.AppCertificate) },
		"Alipay's certificate":          func() error { return c.LoadAlipayCertPublicKey(cfg.Certificate) },
		"the root certificate":          func() error { return c.LoadAliPayRootCert(cfg.RootCertificate) },
	} {
		if err := load(); err != nil {
			return nil, fmt.Errorf("alipay: %s: %w", what, err)
		}
	}
	return &Gateway{name: name, app: cfg.App, client: c, cert: cert}, nil
}

// Name implements billing.Gateway.
func (g *Gateway) Name() string { return g.name }

// beijing is the zone of Alipay's times.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// Open implements billing.Gateway. Alipay takes yuan alone.
func (g *Gateway) Open(ctx context.Context, p billing.Payment, about billing.Purchase) (billing.Payment, error) {
	if p.Currency != currency {
		return p, fmt.Errorf("alipay takes %s, not %s", currency, p.Currency)
	}
	trade := api.Trade{NotifyURL: about.NotifyURL, ReturnURL: about.ReturnURL, Subject: about.Title, OutTradeNo: p.Reference, TotalAmount: yuan(p.Amount),
		TimeExpire: p.ExpiresAt.In(beijing).Format(time.DateTime)}
	if g.name == Page {
		trade.ProductCode = "FAST_INSTANT_TRADE_PAY"
		address, err := g.client.TradePagePay(api.TradePagePay{Trade: trade})
		if err == nil {
			p.Way = billing.Way{RedirectURL: address.String()}
		}
		return p, err
	}
	if err := g.current(); err != nil {
		return p, err
	}
	trade.ProductCode = "QR_CODE_OFFLINE"
	made, err := g.client.TradePreCreate(ctx, api.TradePreCreate{Trade: trade})
	if err != nil {
		return p, err
	}
	if made.Code.IsFailure() {
		return p, made.Error
	}
	p.Way = billing.Way{QRCode: made.QRCode}
	return p, nil
}

// current returns an error unless Alipay's certificate is valid now, which the
// SDK does not check.
func (g *Gateway) current() error {
	if now := time.Now(); now.After(g.cert.NotAfter) || now.Before(g.cert.NotBefore) {
		return fmt.Errorf("alipay's certificate is good from %s to %s", g.cert.NotBefore, g.cert.NotAfter)
	}
	return nil
}

// unknown is Alipay's word for a payment that nobody has begun on its page.
const unknown = "ACQ.TRADE_NOT_EXIST"

// Query implements billing.Gateway.
func (g *Gateway) Query(ctx context.Context, p billing.Payment) (billing.Standing, error) {
	if err := g.current(); err != nil {
		return billing.Standing{}, err
	}
	t, err := g.client.TradeQuery(ctx, api.TradeQuery{OutTradeNo: p.Reference})
	switch {
	case subCode(err) == unknown || (err == nil && t.SubCode == unknown):
		return billing.Standing{State: billing.StateUnknown}, nil
	case err != nil:
		return billing.Standing{}, err
	case t.Code.IsFailure():
		return billing.Standing{}, t.Error
	}
	return standing(t.TradeStatus, t.SendPayDate != "", t.TradeNo, t.TotalAmount, t.TransCurrency)
}

// subCode is the reason of a refusal that came without a signature.
func subCode(err error) string {
	var e *api.Error
	if errors.As(err, &e) {
		return e.SubCode
	}
	return ""
}

// standing reads a trade. One that is closed was paid before if it has a time
// of payment: Alipay closes what has been given back.
func standing(status api.TradeStatus, paid bool, number, amount, in string) (billing.Standing, error) {
	switch {
	case status == api.TradeStatusSuccess, status == api.TradeStatusFinished, status == api.TradeStatusClosed && paid:
		fen, err := minor(amount)
		if in == "" {
			in = currency
		}
		return billing.Standing{State: billing.StatePaid, Transactions: []billing.Transaction{{ID: number, Amount: fen, Currency: in}}}, err
	case status == api.TradeStatusClosed:
		return billing.Standing{State: billing.StateClosed}, nil
	}
	return billing.Standing{State: billing.StateOpen}, nil
}

// Close implements billing.Gateway. What cannot be closed may have been paid.
func (g *Gateway) Close(ctx context.Context, p billing.Payment) (billing.Standing, error) {
	if err := g.current(); err != nil {
		return billing.Standing{}, err
	}
	done, refused := g.client.TradeClose(ctx, api.TradeClose{OutTradeNo: p.Reference})
	if refused == nil && done.Code.IsFailure() {
		refused = done.Error
	}
	at, err := g.Query(ctx, p)
	if err == nil && at.State == billing.StateOpen {
		err = refused
	}
	return at, err
}

// Refund implements billing.Gateway.
func (g *Gateway) Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundAnswer, error) {
	if err := g.current(); err != nil {
		return billing.RefundAnswer{}, err
	}
	made, err := g.client.TradeRefund(ctx, api.TradeRefund{TradeNo: r.Transaction, RefundAmount: yuan(r.Amount), RefundReason: "refund", OutRequestNo: string(r.ID)})
	if err != nil {
		return billing.RefundAnswer{}, err
	}
	if made.Code.IsFailure() {
		switch made.SubCode {
		case "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "ACQ.REASON_TRADE_REFUND_FEE_ERR", "ACQ.TRADE_HAS_FINISHED", "ACQ.TRADE_STATUS_ERROR":
			return billing.RefundAnswer{Status: consultation.RefundFailed, Why: made.SubCode + " " + made.SubMsg}, nil
		}
		return billing.RefundAnswer{}, made.Error
	}
	if made.FundChange == "Y" {
		return billing.RefundAnswer{Remote: string(r.ID), Status: consultation.RefundSucceeded}, nil
	}
	// Asked for before, or still under way.
	found, err := g.client.TradeFastPayRefundQuery(ctx, api.TradeFastPayRefundQuery{TradeNo: r.Transaction, OutRequestNo: string(r.ID)})
	if err != nil {
		return billing.RefundAnswer{}, err
	}
	if found.Code.IsSuccess() && found.RefundStatus == "REFUND_SUCCESS" {
		return billing.RefundAnswer{Remote: string(r.ID), Status: consultation.RefundSucceeded}, nil
	}
	return billing.RefundAnswer{Remote: string(r.ID), Status: consultation.RefundPending}, nil
}

// repeats is for how long Alipay repeats a callback that was not thanked for,
// unchanged (24 hours and 22 minutes), and clocks that differ.
const repeats = 25 * time.Hour

// ParseCallback implements billing.Gateway. One that is older than Alipay would still
// repeat it was kept by somebody else.
func (g *Gateway) ParseCallback(ctx context.Context, c billing.Callback) (billing.CallbackContent, error) {
	values, err := url.ParseQuery(string(c.Body))
	if err != nil {
		return billing.CallbackContent{}, rooms.Invalid("", "the callback is not a form")
	}
	if err := g.current(); err != nil {
		return billing.CallbackContent{}, rooms.Forbidden("%v", err)
	}
	n, err := g.client.DecodeNotification(ctx, values)
	if err != nil {
		return billing.CallbackContent{}, rooms.Forbidden("the signature is not Alipay's")
	}
	if n.AppId != g.app {
		return billing.CallbackContent{}, rooms.Forbidden("the callback is for another application")
	}
	sent, err := time.ParseInLocation(time.DateTime, n.NotifyTime, beijing)
	if err != nil || n.NotifyId == "" {
		return billing.CallbackContent{}, rooms.Invalid("", "the callback makes no sense")
	}
	if age := time.Since(sent); age > repeats || age < -time.Hour {
		return billing.CallbackContent{}, rooms.Forbidden("the callback was sent %s ago", age.Round(time.Second))
	}
	at, err := standing(n.TradeStatus, n.GmtPayment != "", n.TradeNo, n.TotalAmount, values.Get("trans_currency"))
	if err != nil || n.OutTradeNo == "" {
		return billing.CallbackContent{}, rooms.Invalid("", "the callback makes no sense")
	}
	return billing.CallbackContent{ID: n.NotifyId, Reference: n.OutTradeNo, Standing: at}, nil
}

// Acknowledgement implements billing.Gateway.
func (g *Gateway) Acknowledgement() (contentType string, body []byte) {
	return "text/plain", []byte("success")
}

const currency = "CNY"

// yuan writes fen as Alipay wants them: "50.01".
func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

// amountPattern is how yuan are written: with at most two digits after the point.
var amountPattern = regexp.MustCompile(`^([0-9]+)(?:\.([0-9]{1,2}))?$`)

// minor reads what yuan writes. No amount at all is none, rather than nothing.
func minor(text string) (int64, error) {
	parts := amountPattern.FindStringSubmatch(text)
	if parts == nil {
		return 0, fmt.Errorf("alipay: %q is no amount", text)
	}
	return strconv.ParseInt(parts[1]+(parts[2] + "00")[:2], 10, 64)
}
