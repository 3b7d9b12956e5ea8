package server

import (
	"fmt"

	"wenzhen/rooms/billing"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/store"
	"wenzhen/server/payment/sandbox"
)

// payments makes the gateways that the configuration names, and who deals with
// them. The sandbox is nil where it is none of them.
func (s *Server) payments(consultations *consultation.Service) (*billing.Service, *sandbox.Gateway, error) {
	var list []billing.Gateway
	var play *sandbox.Gateway
	for _, name := range s.cfg.Gateways {
		switch name {
		case sandbox.Name:
			key, err := secret("", s.cfg.Data, "sandbox.key")
			if err != nil {
				return nil, nil, err
			}
			play = sandbox.New(store.Sandbox{DB: s.db}, key, clock)
			list = append(list, play)
		default:
			return nil, nil, fmt.Errorf("configuration: there is no gateway %q", name)
		}
	}
	if play != nil && !s.cfg.Demo {
		s.log.Warn("the sandbox takes play money; name the gateways of your clinic with --gateways")
	}
	consultations.PayWithin(s.cfg.PayWithin)
	bills := billing.New(billing.Config{Gateways: list, FeeBasisPoints: s.cfg.PlatformFee, PublicURL: s.publicURL()},
		store.Billing{DB: s.db}, consultations, clock, s.log)
	if play != nil {
		play.CallsBack(bills.Callback)
	}
	return bills, play, nil
}
