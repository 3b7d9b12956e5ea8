package app

import (
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/server"
)

// Public is what GET /api/v1/config tells anyone.
type Public struct {
	Version string       `json:"version"`
	Limits  PublicLimits `json:"limits"`
	// Realtime is how connections are kept.
	Realtime PublicRealtime `json:"realtime"`
	// PushKey is what browsers subscribe to pushes with (applicationServerKey).
	PushKey string `json:"pushKey"`
	// Mail reports whether this server sends mail.
	Mail bool `json:"mail"`
	// Gateways are the ways to pay, in the order in which they are offered.
	Gateways []string `json:"gateways"`
	// Providers are the OpenID providers that one can log in with.
	Providers []account.IdentityProvider `json:"providers"`
	// IdleMinutes is after how long a doctor's or admin's browser that nobody
	// touches is to log off; 0 is never.
	IdleMinutes float64 `json:"idleMinutes"`
	// Cancellation is how much is refunded to patients who cancel.
	Cancellation PublicTerms   `json:"cancellation"`
	Demo         []DemoAccount `json:"demo,omitempty"`
}

// PublicLimits are the limits that a frontend should know.
type PublicLimits struct {
	TextCharacters  int   `json:"textCharacters"`
	AttachmentBytes int64 `json:"attachmentBytes"`
	VoiceSeconds    int   `json:"voiceSeconds"`
	VoiceBytes      int64 `json:"voiceBytes"`
}

// PublicTerms are the refunds of patients who cancel an appointment: the whole
// price until FullMinutes before its start, PartPercent of it until PartMinutes
// before it, nothing later.
type PublicTerms struct {
	FullMinutes float64 `json:"fullMinutes"`
	PartMinutes float64 `json:"partMinutes"`
	PartPercent int     `json:"partPercent"`
}

// PublicRealtime is how connections are kept, in milliseconds.
type PublicRealtime struct {
	// PingIntervalMs and PingTimeoutMs are the heartbeat; Engine.IO's handshake
	// says them too.
	PingIntervalMs int64 `json:"pingIntervalMs"`
	PingTimeoutMs  int64 `json:"pingTimeoutMs"`
	// ReconnectDelayMs is the pause before the first try to come back, which
	// doubles up to ReconnectDelayMaxMs.
	ReconnectDelayMs    int64 `json:"reconnectDelayMs"`
	ReconnectDelayMaxMs int64 `json:"reconnectDelayMaxMs"`
}

// publicly is what anyone may know of the settings.
func (s *Server) publicly() Public {
	cfg := s.cfg
	return Public{
		Version: server.Version,
		Limits: PublicLimits{TextCharacters: chat.TextLimit, AttachmentBytes: cfg.AttachmentBytes,
			VoiceSeconds: int(cfg.VoiceLength.Seconds()), VoiceBytes: cfg.VoiceBytes},
		Realtime: PublicRealtime{cfg.PingInterval.Milliseconds(), cfg.PingTimeout.Milliseconds(),
			cfg.ReconnectDelay.Milliseconds(), cfg.ReconnectDelayMax.Milliseconds()},
		PushKey: s.push.PublicKey(), Mail: s.mail != nil, Gateways: s.services.Billing.GatewayNames(), Providers: s.services.Accounts.Providers(),
		IdleMinutes:  cfg.IdleLogOff.Minutes(),
		Cancellation: PublicTerms{cfg.CancelFullBefore.Minutes(), cfg.CancelPartBefore.Minutes(), cfg.CancelPartPercent},
	}
}
