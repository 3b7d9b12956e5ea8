package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Config is one provider, as the file that --identity-providers names has them:
// a JSON array of these.
type Config struct {
	// ID is the provider's name in addresses: its redirect URI is
	// <public URL>/api/v1/auth/oidc/<id>/callback. It is never to change.
	ID string `json:"id"`
	// Name is what the login page shows.
	Name string `json:"name"`
	// Issuer is the provider's URL, below which .well-known/openid-configuration is.
	Issuer string `json:"issuer"`
	// ClientID and ClientSecret are what the provider knows this server by. A
	// public client has no secret.
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	// Scopes to ask for; openid, profile and email when there are none.
	Scopes []string `json:"scopes"`
	// NoSignUp lets in only those who have linked an account.
	NoSignUp bool `json:"noSignUp"`
}

// ReadConfig reads the providers of a file; none for no file. An unknown field
// is an error: a misspelt one must not be silently missing.
func ReadConfig(path string) ([]Config, error) {
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("identity providers: %w", err)
	}
	var list []Config
	dec := json.NewDecoder(strings.NewReader(string(content)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("identity providers: %s: %w", path, err)
	}
	return list, nil
}

var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

func (c Config) validate() error {
	issuer, err := url.Parse(c.Issuer)
	switch {
	case !idPattern.MatchString(c.ID):
		return fmt.Errorf("id %q must be small letters, digits and hyphens", c.ID)
	case c.ClientID == "":
		return errors.New("clientId is missing")
	case err != nil || issuer.Host == "" || issuer.RawQuery != "" || issuer.Fragment != "":
		return fmt.Errorf("issuer %q is no URL", c.Issuer)
	case issuer.Scheme != "https" && !loopback(issuer.Hostname()):
		return fmt.Errorf("issuer %q must be https", c.Issuer)
	}
	return nil
}

func loopback(host string) bool {
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, host)
}
