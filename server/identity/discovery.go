package identity

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// discoverEvery is how long what a provider says about itself is believed.
const discoverEvery = time.Hour

// provider is one provider.
type provider struct {
	cfg  Config
	http *http.Client
	now  func() time.Time

	mu    sync.Mutex
	known *discovered
}

// discovered is what a provider says about itself (OpenID Connect Discovery 1.0).
type discovered struct {
	oidc *oidc.Provider
	at   time.Time

	Issuer string `json:"issuer"`
	// EndSession is where one logs out; "" for nowhere.
	EndSession string `json:"end_session_endpoint"`
	// NamesItself tells that every answer has the parameter iss (RFC 9207).
	NamesItself bool `json:"authorization_response_iss_parameter_supported"`
}

// context makes go-oidc and oauth2 use our client.
func (one *provider) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, one.http)
}

// discover asks the provider about itself, unless it is known. While it cannot
// be asked again, what it said before goes on to count.
func (one *provider) discover(ctx context.Context) (*discovered, error) {
	one.mu.Lock()
	known := one.known
	one.mu.Unlock()
	if known != nil && one.now().Sub(known.at) < discoverEvery {
		return known, nil
	}
	// The provider keeps this context for fetching its keys later on.
	p, err := oidc.NewProvider(one.context(context.WithoutCancel(ctx)), one.cfg.Issuer)
	fresh := &discovered{oidc: p, at: one.now()}
	if err == nil {
		err = p.Claims(fresh)
	}
	if err != nil {
		if known != nil {
			return known, nil
		}
		return nil, err
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	one.known = fresh
	return fresh, nil
}

func (one *provider) oauth(d *discovered, back string) *oauth2.Config {
	return &oauth2.Config{ClientID: one.cfg.ClientID, ClientSecret: one.cfg.ClientSecret, Endpoint: d.oidc.Endpoint(), RedirectURL: back, Scopes: one.cfg.Scopes}
}
