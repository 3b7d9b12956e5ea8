package httpserver

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// WithHSTS makes browsers use only HTTPS for a year (RFC 6797).
func WithHSTS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

// RedirectToHTTPS redirects GET and HEAD to the same path over HTTPS: at the public
// URL, if there is one, or else at the port of the TLS listener. Other methods are
// refused, so that a client that sends data unencrypted is noticed.
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

// secureHost returns the host and port for HTTPS of the Host header of a request.
func secureHost(publicURL string, secure net.Addr, requested string) (string, error) {
	if publicURL != "" {
		u, err := url.Parse(publicURL)
		if err != nil {
			return "", err
		}
		return u.Host, nil
	}
	host := requested
	if name, _, err := net.SplitHostPort(requested); err == nil {
		host = name
	}
	_, port, err := net.SplitHostPort(secure.String())
	if err != nil || host == "" {
		return "", fmt.Errorf("no host in %q", requested)
	}
	if port == "443" {
		return host, nil
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port), nil
}
