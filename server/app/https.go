package app

import (
	"net/http"
	"path/filepath"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/server"
	"wenzhen.example/server/database"
	"wenzhen.example/server/datafolder"
	"wenzhen.example/server/httpserver"
	"wenzhen.example/server/realtime/edge"
)

// encrypt makes the server speak TLS, and HTTP/2, if there is a certificate.
func (s *Server) encrypt() error {
	if s.issuer != nil {
		s.http.TLSConfig = s.issuer.Config()
		return nil
	}
	if s.cfg.TLSCert == "" {
		return nil
	}
	c, err := httpserver.ReadCertificates(s.cfg.TLSCert, s.cfg.TLSKey, database.Now, s.log)
	if err != nil {
		return err
	}
	s.http.TLSConfig = c.Config()
	return nil
}

// openIssuer makes what gets certificates, if there are domains for it.
func (s *Server) openIssuer() (*httpserver.Issuer, error) {
	cfg := s.cfg
	return httpserver.NewIssuer(httpserver.ACME{Domains: cfg.AcmeDomains, Email: cfg.AcmeEmail, Directory: cfg.AcmeDirectory, Roots: cfg.AcmeRoots,
		Folder: filepath.Join(cfg.Data, datafolder.CertificatesFolder), UserAgent: "wenzhen/" + server.Version, Now: database.Now, Log: s.log,
		Secrets: func() datafolder.Secrets { return s.secrets }})
}

// scheme is that of the public listener.
func (s *Server) scheme() string {
	if s.cfg.TLSCert != "" || s.issuer != nil {
		return "https"
	}
	return "http"
}

// withHSTS has browsers come by HTTPS only, where they do: this server speaks TLS,
// or a proxy before it does.
func (s *Server) withHSTS(next http.Handler) http.Handler {
	if !strings.HasPrefix(s.publicURL(), "https://") {
		return next
	}
	return httpserver.WithHSTS(next)
}

// RedirectURL is where browsers are sent on to HTTPS from, or "".
func (s *Server) RedirectURL() string { return s.httpsRedirect.URL() }

// sources are what limits per address count, for the edge.
func sources(address string) []edge.Source {
	list := rooms.Sources(address)
	all := make([]edge.Source, len(list))
	for i, from := range list {
		all[i] = edge.Source(from)
	}
	return all
}
