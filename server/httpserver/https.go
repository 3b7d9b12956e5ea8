package httpserver

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// WithHSTS tells browsers to come by HTTPS only (RFC 6797), for a year.
func WithHSTS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

// RedirectToHTTPS sends browsers to the same page over HTTPS: at the public URL,
// if there is one, or else on the port of the listener that speaks TLS. What is
// no page is refused: a client that sends its data in the clear should be noticed.
func RedirectToHTTPS(publicURL string, secure net.Addr) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, err := secureHost(publicURL, secure, r.Host)
		switch {
		case err != nil:
			http.Error(w, "which host?", http.StatusBadRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			http.Error(w, "use https", http.StatusForbidden)
		default:
			http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusPermanentRedirect)
		}
	})
}

// secureHost is where the host of a request over HTTP speaks HTTPS.
func secureHost(publicURL string, secure net.Addr, asked string) (string, error) {
	if publicURL != "" {
		u, err := url.Parse(publicURL)
		if err != nil {
			return "", err
		}
		return u.Host, nil
	}
	host := asked
	if name, _, err := net.SplitHostPort(asked); err == nil {
		host = name
	}
	_, port, err := net.SplitHostPort(secure.String())
	if err != nil || host == "" {
		return "", fmt.Errorf("no host in %q", asked)
	}
	if port == "443" {
		return host, nil
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port), nil
}
