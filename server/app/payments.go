package app

import (
	"context"
	"fmt"

	"wenzhen.example/rooms/billing"
	sandboxstore "wenzhen.example/rooms/store/sandbox"
	"wenzhen.example/server/datafolder"
	"wenzhen.example/server/payment/alipay"
	"wenzhen.example/server/payment/sandbox"
	"wenzhen.example/server/payment/stripe"
	"wenzhen.example/server/payment/wechat"
)

// payments makes the gateways that the configuration names. The sandbox is nil
// where it is none of them.
func (s *Server) payments() (c billing.Options, play *sandbox.Gateway, err error) {
	var list []billing.Gateway
	for _, name := range s.cfg.gateways() {
		gateway, err := s.gateway(name)
		if err != nil {
			return c, nil, err
		}
		if own, ok := gateway.(*sandbox.Gateway); ok {
			play = own
		}
		list = append(list, tracedGateway{gateway, s.tracing.Tracer()})
	}
	switch {
	case play != nil && !s.cfg.Demo:
		s.log.Warn("the sandbox takes play money: consultations are paid with nothing")
	case len(list) == 0:
		s.log.Warn("there is no payment gateway, so only free services can be booked; name the gateways of your clinic with --gateways")
	}
	return billing.Options{Log: s.log, Gateways: list, FeeBasisPoints: s.cfg.PlatformFee, PublicURL: s.publicURL(),
		Trace: s.tracing.Tracer()}, play, nil
}

// callBack is how the sandbox, which billing asks, calls billing back.
func (s *Server) callBack(ctx context.Context, gateway string, c billing.Callback) (string, []byte, error) {
	return s.services.Billing.Callback(ctx, gateway, c)
}

// gateways are the names of the gateways. Play money is never a default, except
// in the demo.
func (c Config) gateways() []string {
	if len(c.Gateways) == 0 && c.Demo {
		return []string{sandbox.Name}
	}
	return c.Gateways
}

// gateway makes the gateway of a name. Only the sandbox can do without an
// address at which others reach us.
func (s *Server) gateway(name string) (billing.Gateway, error) {
	cfg := s.cfg
	if name != sandbox.Name && cfg.PublicURL == "" {
		return nil, fmt.Errorf("configuration: gateway %s needs --public-url, where it calls back", name)
	}
	switch name {
	case sandbox.Name:
		key, err := s.secrets.Take("", datafolder.SandboxKeyFile)
		return sandbox.New(sandbox.Options{Ledger: sandboxstore.Store{DB: s.db}, Key: key, Now: s.clock, Receiver: s.callBack}), err
	case stripe.Name:
		return stripe.New(stripe.Config{Key: cfg.StripeKey, WebhookSecret: cfg.StripeWebhookSecret, URL: cfg.StripeURL})
	case alipay.Page, alipay.Code:
		return alipay.New(name, alipay.Config{App: cfg.AlipayApp, Key: cfg.AlipayKey, AppCertificate: cfg.AlipayAppCert, Certificate: cfg.AlipayCert,
			RootCertificate: cfg.AlipayRootCert, URL: cfg.AlipayURL})
	case wechat.Name:
		return wechat.New(wechat.Config{App: cfg.WechatApp, Merchant: cfg.WechatMerchant, Serial: cfg.WechatSerial, Key: cfg.WechatKey, APIKey: cfg.WechatAPIKey,
			Platform: cfg.WechatCerts, URL: cfg.WechatURL})
	}
	return nil, fmt.Errorf("configuration: there is no gateway %q", name)
}
