// Package wechat takes payments through WeChat Pay, API v3, Native
// (https://pay.weixin.qq.com/doc/v3/merchant/4012791832): the patient scans a
// code. Requests are signed with the merchant's key; answers and callbacks
// with a certificate of the platform (SHA256 with RSA), and callbacks are
// encrypted with AES-256-GCM besides.
package wechat

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/short"
)

// Name is how the gateway is called.
const Name = "wechat"

// Config is a merchant at WeChat Pay.
type Config struct {
	App      string
	Merchant string
	Serial   string // of the merchant's certificate
	Key      string // the merchant's private key, PEM
	APIKey   string // the APIv3 key, 32 bytes
	Platform string // the platform's certificates, PEM, one after another
	URL      string // of the API, without a slash at the end
	HTTP     *http.Client
}

// Gateway is WeChat Pay. It implements billing.Gateway.
type Gateway struct {
	cfg     Config
	pay     native.NativeApiService
	refunds refunddomestic.RefundsApiService
	notify  *notify.Handler
}

// New makes the gateway; nothing is asked of WeChat Pay yet. Errors: a key or
// certificate that cannot be read.
func New(cfg Config) (*Gateway, error) {
	key, err := utils.LoadPrivateKey(cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("wechat: the merchant's key: %w", err)
	}
	certificates, err := certificatesOf(cfg.Platform)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("wechat: the address: %w", err)
	}
	if len(cfg.APIKey) != 32 {
		return nil, errors.New("wechat: the APIv3 key has 32 characters")
	}
	known := core.NewCertificateMapWithList(certificates)
	trusted := &current{Verifier: verifiers.NewSHA256WithRSAVerifier(known), certificates: known}
	over := short.Client(cfg.HTTP)
	over.Transport = redirected{to: base, by: over.Transport}
	client, err := core.NewClient(context.Background(), option.WithMerchantCredential(cfg.Merchant, cfg.Serial, key), option.WithVerifier(trusted), option.WithHTTPClient(over))
	if err != nil {
		return nil, fmt.Errorf("wechat: %w", err)
	}
	g := &Gateway{cfg: cfg, pay: native.NativeApiService{Client: client}, refunds: refunddomestic.RefundsApiService{Client: client}}
	g.notify, err = notify.NewRSANotifyHandler(cfg.APIKey, trusted)
	return g, err
}

func certificatesOf(text string) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("wechat: a certificate of the platform: %w", err)
		}
		if _, ok := cert.PublicKey.(*rsa.PublicKey); !ok {
			return nil, errors.New("wechat: a certificate of the platform is not for RSA")
		}
		list = append(list, cert)
	}
	if len(list) == 0 {
		return nil, errors.New("wechat: the certificates of the platform are missing")
	}
	return list, nil
}

// current refuses what is signed with a certificate that is no longer good,
// which the SDK does not look at.
type current struct {
	auth.Verifier
	certificates *core.CertificateMap
}

// Verify implements auth.Verifier.
func (v *current) Verify(ctx context.Context, serial, message, signature string) error {
	if cert, ok := v.certificates.Get(ctx, serial); ok {
		if now := time.Now(); now.After(cert.NotAfter) || now.Before(cert.NotBefore) {
			return fmt.Errorf("the platform's certificate %s is good from %s to %s", serial, cert.NotBefore, cert.NotAfter)
		}
	}
	return v.Verifier.Verify(ctx, serial, message, signature)
}

// redirected sends requests to another host than the SDK's own.
type redirected struct {
	to *url.URL
	by http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (r redirected) RoundTrip(request *http.Request) (*http.Response, error) {
	moved := request.Clone(request.Context())
	moved.URL.Scheme, moved.URL.Host, moved.Host = r.to.Scheme, r.to.Host, r.to.Host
	return r.by.RoundTrip(moved)
}

// Name implements billing.Gateway.
func (g *Gateway) Name() string { return Name }

// Open implements billing.Gateway.
func (g *Gateway) Open(ctx context.Context, p billing.Payment, about billing.Purchase) (billing.Payment, error) {
	made, _, err := g.pay.Prepay(ctx, native.PrepayRequest{Appid: &g.cfg.App, Mchid: &g.cfg.Merchant, Description: &about.Title, OutTradeNo: &p.Reference,
		TimeExpire: &p.ExpiresAt, NotifyUrl: &about.NotifyURL, Amount: &native.Amount{Total: &p.Amount, Currency: &p.Currency}})
	if err != nil {
		return p, err
	}
	p.Way = billing.Way{QRCode: text(made.CodeUrl)}
	return p, nil
}

// Query implements billing.Gateway.
func (g *Gateway) Query(ctx context.Context, p billing.Payment) (billing.Standing, error) {
	t, _, err := g.pay.QueryOrderByOutTradeNo(ctx, native.QueryOrderByOutTradeNoRequest{OutTradeNo: &p.Reference, Mchid: &g.cfg.Merchant})
	if core.IsAPIError(err, "ORDER_NOT_EXIST") || core.IsAPIError(err, "ORDERNOTEXIST") {
		return billing.Standing{State: billing.StateUnknown}, nil
	} else if err != nil {
		return billing.Standing{}, err
	}
	return standing(t), nil
}

func standing(t *payments.Transaction) billing.Standing {
	switch text(t.TradeState) {
	case "SUCCESS", "REFUND":
		at := billing.Standing{State: billing.StatePaid}
		if t.Amount != nil && t.Amount.Total != nil {
			at.Transactions = []billing.Transaction{{ID: text(t.TransactionId), Amount: *t.Amount.Total, Currency: text(t.Amount.Currency)}}
		}
		return at
	case "CLOSED", "REVOKED":
		return billing.Standing{State: billing.StateClosed}
	case "PAYERROR":
		return billing.Standing{State: billing.StateFailed}
	}
	return billing.Standing{State: billing.StateOpen}
}

// Close implements billing.Gateway. What cannot be closed may have been paid.
func (g *Gateway) Close(ctx context.Context, p billing.Payment) (billing.Standing, error) {
	_, refused := g.pay.CloseOrder(ctx, native.CloseOrderRequest{OutTradeNo: &p.Reference, Mchid: &g.cfg.Merchant})
	at, err := g.Query(ctx, p)
	if err == nil && at.State == billing.StateOpen {
		err = refused
	}
	return at, err
}

// Refund implements billing.Gateway. Asked for again it tells how it stands.
func (g *Gateway) Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundAnswer, error) {
	id := string(r.ID)
	made, _, err := g.refunds.Create(ctx, refunddomestic.CreateRequest{TransactionId: &r.Transaction, OutRefundNo: &id, NotifyUrl: optional(r.NotifyURL),
		Amount: &refunddomestic.AmountReq{Refund: &r.Amount, Total: &r.Payment.Amount, Currency: &r.Currency}})
	for _, final := range []string{"PARAM_ERROR", "INVALID_REQUEST", "RESOURCE_NOT_EXISTS"} {
		if core.IsAPIError(err, final) {
			return billing.RefundAnswer{Status: consultation.RefundFailed, Why: err.Error()}, nil
		}
	}
	if err != nil {
		return billing.RefundAnswer{}, err
	}
	a := billing.RefundAnswer{Remote: text(made.RefundId), Status: consultation.RefundPending}
	if made.Status != nil {
		switch *made.Status {
		case refunddomestic.STATUS_SUCCESS:
			a.Status = consultation.RefundSucceeded
		case refunddomestic.STATUS_CLOSED, refunddomestic.STATUS_ABNORMAL:
			a.Status, a.Why = consultation.RefundFailed, string(*made.Status)
		}
	}
	return a, nil
}

// told is what callbacks of payments and of refunds say.
type told struct {
	payments.Transaction
	OutRefundNo *string `json:"out_refund_no"`
}

// ParseCallback implements billing.Gateway.
func (g *Gateway) ParseCallback(ctx context.Context, c billing.Callback) (billing.CallbackContent, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(c.Body))
	if err != nil {
		return billing.CallbackContent{}, err
	}
	request.Header = c.Header
	var t told
	call, err := g.notify.ParseNotifyRequest(ctx, request, &t)
	if err != nil {
		return billing.CallbackContent{}, rooms.Forbidden("the callback is not WeChat Pay's, or too old")
	}
	switch {
	case text(t.Mchid) != g.cfg.Merchant:
		return billing.CallbackContent{}, rooms.Forbidden("the callback is for another merchant")
	case t.OutRefundNo != nil:
		return billing.CallbackContent{ID: call.ID, RefundID: consultation.RefundID(*t.OutRefundNo)}, nil
	case text(t.Appid) != g.cfg.App:
		return billing.CallbackContent{}, rooms.Forbidden("the callback is for another application")
	}
	return billing.CallbackContent{ID: call.ID, Reference: text(t.OutTradeNo), Standing: standing(&t.Transaction)}, nil
}

// Acknowledgement implements billing.Gateway.
func (g *Gateway) Acknowledgement() (contentType string, body []byte) {
	return "application/json", []byte(`{"code":"SUCCESS","message":""}`)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
