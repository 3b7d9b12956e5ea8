package operation_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// unlike changes one shared setting each. Nodes that disagree about it would let
// people do on one node what they may not do on another.
var unlike = map[string]func(*app.Config){
	"PublicURL":            func(c *app.Config) { c.PublicURL = "https://other.example" },
	"Demo":                 func(c *app.Config) { c.Demo = true },
	"Redis":                func(c *app.Config) { c.Redis = "redis://127.0.0.1:1" },
	"Synchronous":          func(c *app.Config) { c.Synchronous = "full" },
	"TokenKey":             func(c *app.Config) { c.TokenKey = "another token key of 32 characters" },
	"TokenKeyLife":         func(c *app.Config) { c.TokenKeyLife *= 2 },
	"AccountKey":           func(c *app.Config) { c.AccountKey = "another account key, of 32 characters" },
	"AccessLife":           func(c *app.Config) { c.AccessLife /= 2 },
	"RefreshLife":          func(c *app.Config) { c.RefreshLife *= 2 },
	"IdleLogOff":           func(c *app.Config) { c.IdleLogOff = time.Hour },
	"FollowupEvidence":     func(c *app.Config) { c.FollowupEvidence = "required" },
	"InvitedMost":          func(c *app.Config) { c.InvitedMost++ },
	"Policy":               func(c *app.Config) { c.Policy = "none" },
	"SealKey":              func(c *app.Config) { c.SealKey = "another seal key of 32 characters" },
	"KeepMessages":         func(c *app.Config) { c.KeepMessages *= 2 },
	"KeepRecords":          func(c *app.Config) { c.KeepRecords *= 2 },
	"LoginFailures":        func(c *app.Config) { c.LoginFailures++ },
	"LoginAddressFailures": func(c *app.Config) { c.LoginAddressFailures++ },
	"LoginWindow":          func(c *app.Config) { c.LoginWindow *= 2 },
	"Registrations":        func(c *app.Config) { c.Registrations++ },
	"SecondFactorGuesses":  func(c *app.Config) { c.SecondFactorGuesses++ },
	"AccountMails":         func(c *app.Config) { c.AccountMails++ },
	"SecondFactor":         func(c *app.Config) { c.SecondFactor = "staff" },
	"SignConfirm":          func(c *app.Config) { c.SignConfirm = time.Hour },
	"ConfirmRegistration":  func(c *app.Config) { c.ConfirmRegistration = "on" },
	"CommandRate":          func(c *app.Config) { c.CommandRate++ },
	"CommandBurst":         func(c *app.Config) { c.CommandBurst++ },
	"AttachmentBytes":      func(c *app.Config) { c.AttachmentBytes++ },
	"VoiceLength":          func(c *app.Config) { c.VoiceLength *= 2 },
	"VoiceBytes":           func(c *app.Config) { c.VoiceBytes++ },
	"PacketBytes":          func(c *app.Config) { c.PacketBytes++ },
	"SocketsPerUser":       func(c *app.Config) { c.SocketsPerUser++ },
	"AttachmentQuota":      func(c *app.Config) { c.AttachmentQuota++ },
	"MailServer":           func(c *app.Config) { c.MailServer = "smtp://127.0.0.1:1?tls=off" },
	"MailFrom":             func(c *app.Config) { c.MailFrom = "Other <other@wenzhen.example>" },
	"MailDelay":            func(c *app.Config) { c.MailDelay += time.Hour },
	"PushKey":              func(c *app.Config) { c.PushKey = strings.Repeat("1a", 32) },
	"PushAllow":            func(c *app.Config) { c.PushAllow = []string{"127.0.0.1:1"} },
	"CallRing":             func(c *app.Config) { c.CallRing /= 2 },
	"CallVanish":           func(c *app.Config) { c.CallVanish /= 2 },
	"TurnAllowPrivate":     func(c *app.Config) { c.TurnAllowPrivate = !c.TurnAllowPrivate },
	"TurnRelaysPerUser":    func(c *app.Config) { c.TurnRelaysPerUser++ },
	"TurnSecret":           func(c *app.Config) { c.TurnSecret = "another relay key, of 32 characters" },
	"IceServers":           func(c *app.Config) { c.IceServers = []string{"turn:turn.example:3478?transport=udp"} },
	"IceSecret":            func(c *app.Config) { c.IceSecret = hidden },
	"IceLife":              func(c *app.Config) { c.IceLife *= 2 },
	"Lobby":                func(c *app.Config) { c.Lobby = "off" },
	"LobbyWelcome":         func(c *app.Config) { c.LobbyWelcome += "!" },
	"Origins":              func(c *app.Config) { c.Origins = []string{"https://other.example"} },
	"Gateways":             func(c *app.Config) { c.Gateways = []string{"stripe"} },
	"PayWithin":            func(c *app.Config) { c.PayWithin *= 2 },
	"CancelFullBefore":     func(c *app.Config) { c.CancelFullBefore *= 2 },
	"CancelPartBefore":     func(c *app.Config) { c.CancelPartBefore /= 2 },
	"CancelPartPercent":    func(c *app.Config) { c.CancelPartPercent++ },
	"PlatformFee":          func(c *app.Config) { c.PlatformFee++ },
	"UnpaidHolds":          func(c *app.Config) { c.UnpaidHolds++ },
	"UnpaidHoldsADay":      func(c *app.Config) { c.UnpaidHoldsADay++ },
	"FreeOpen":             func(c *app.Config) { c.FreeOpen++ },
	"FreeADay":             func(c *app.Config) { c.FreeADay++ },
	"InvitationsADay":      func(c *app.Config) { c.InvitationsADay++ },
	"InvitedADay":          func(c *app.Config) { c.InvitedADay++ },
	"StripeKey":            func(c *app.Config) { c.StripeKey = hidden },
	"StripeWebhookSecret":  func(c *app.Config) { c.StripeWebhookSecret = hidden },
	"StripeURL":            func(c *app.Config) { c.StripeURL += "/other" },
	"AlipayApp":            func(c *app.Config) { c.AlipayApp = "other" },
	"AlipayKey":            func(c *app.Config) { c.AlipayKey = hidden },
	"AlipayAppCert":        func(c *app.Config) { c.AlipayAppCert = hidden },
	"AlipayCert":           func(c *app.Config) { c.AlipayCert = hidden },
	"AlipayRootCert":       func(c *app.Config) { c.AlipayRootCert = hidden },
	"AlipayURL":            func(c *app.Config) { c.AlipayURL += "/other" },
	"WechatApp":            func(c *app.Config) { c.WechatApp = "other" },
	"WechatMerchant":       func(c *app.Config) { c.WechatMerchant = "other" },
	"WechatSerial":         func(c *app.Config) { c.WechatSerial = "other" },
	"WechatKey":            func(c *app.Config) { c.WechatKey = hidden },
	"WechatAPIKey":         func(c *app.Config) { c.WechatAPIKey = hidden },
	"WechatCerts":          func(c *app.Config) { c.WechatCerts = hidden },
	"WechatURL":            func(c *app.Config) { c.WechatURL += "/other" },
}

// hidden is the value of secrets, which no message may have.
const hidden = "north by north-west"

// A node in which any shared setting differs does not join one that runs. The
// error names the setting, and shows no secret.
func TestEverySharedSettingIsCompared(t *testing.T) {
	t.Parallel()
	first := e2e.NewWorldOn(t, t.TempDir(), e2e.PostgresDatabase(t))
	providers := func(client string) func(*app.Config) {
		path := filepath.Join(t.TempDir(), "providers.json")
		content := `[{"id": "a", "name": "A", "issuer": "https://a.example", "clientId": "` + client + `"}]`
		e2e.Must(t, os.WriteFile(path, []byte(content), 0o600))
		return func(c *app.Config) { c.IdentityProviders = path }
	}
	first.Change = []func(*app.Config){providers("one")}
	first.Run("127.0.0.1:0")
	rows := map[string]func(*app.Config){"IdentityProviders": providers("two")}
	for name, change := range unlike {
		rows[name] = change
	}
	var wait sync.WaitGroup
	few := make(chan struct{}, 4) // each has connections to the database
	for i := range reflect.TypeFor[app.Config]().NumField() {
		f := reflect.TypeFor[app.Config]().Field(i)
		if _, shared := f.Tag.Lookup("shared"); shared && rows[f.Name] == nil {
			t.Errorf("%s is shared, and no row changes it", f.Name)
		}
		if rows[f.Name] == nil {
			continue
		}
		wait.Go(func() {
			few <- struct{}{}
			defer func() { <-few }()
			differs(t, first, f, rows[f.Name])
		})
	}
	wait.Wait()
	alike := *first
	alike.Change = []func(*app.Config){providers("one")} // the same in another file
	alike.Run("127.0.0.1:0")
	e2e.Must(t, alike.Stop())
}

// differs starts a node beside another, from which it differs in one setting.
func differs(t *testing.T, first *e2e.World, f reflect.StructField, change func(*app.Config)) {
	cfg, err := e2e.Settings(first.Dir)
	if err != nil {
		t.Error(err)
		return
	}
	cfg.Addr, cfg.Database = "127.0.0.1:0", first.Database
	for _, c := range append(first.Change[:1:1], change) {
		c(&cfg)
	}
	flag := "--" + strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(f.Tag.Get("env"), "WENZHEN_"), "_", "-"))
	s, err := app.New(context.Background(), cfg, e2e.Quiet)
	if err == nil {
		t.Errorf("a node with another %s joins: %v", flag, s.Close())
		return
	}
	if says := err.Error(); !strings.Contains(says, "cannot join: "+flag+" is ") || strings.Contains(says, hidden) {
		t.Errorf("a node with another %s: %s", flag, says)
	}
}
