package deploy

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/jackc/pgx/v5"

	"wenzhen.example/rooms/roomstest/sidecar"
)

// composed is what the tests read of the compose file.
type composed struct {
	Services map[string]struct {
		Command     []string          `yaml:"command"`
		Environment map[string]string `yaml:"environment"`
	} `yaml:"services"`
}

// As the compose file starts PostgreSQL and tells the nodes to connect, their
// connections are encrypted, and a server with another certificate or name is
// refused.
func TestDatabaseConnectionsAreVerified(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file composed
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	const certificates = "/certificates"
	// The user of this PostgreSQL makes the files, and owns them already.
	script := strings.Replace(strings.Join(file.Services["certificates"].Command, "\n"), "chown postgres:postgres", "test -f", 1)
	db, dir := sidecar.PostgresWith(t, certificates, script, file.Services["postgres"].Command[1:]...)
	for _, node := range []string{"node1", "node2"} {
		at := file.Services[node].Environment["WENZHEN_DATABASE"]
		at = strings.Replace(at, "${WENZHEN_DATABASE_PASSWORD:?set a password}", "secret", 1)
		at = strings.ReplaceAll(at, url.QueryEscape(certificates), dir)
		at = strings.ReplaceAll(at, certificates, dir)
		if encrypted, err := connects(t, db, at); err != nil || !encrypted {
			t.Errorf("%s connects with %s: encrypted %v, %v", node, at, encrypted, err)
		}
		other := filepath.Join(t.TempDir(), "other.crt")
		if err := os.WriteFile(other, []byte(someCertificate), 0o600); err != nil {
			t.Fatal(err)
		}
		for what, at := range map[string]string{
			"another certificate": strings.Replace(at, filepath.Join(dir, "server.crt"), other, 1),
			"another name":        strings.Replace(at, "@postgres/", "@database/", 1),
		} {
			if _, err := connects(t, db, at); err == nil || !strings.Contains(err.Error(), "x509") {
				t.Errorf("%s: a server with %s is answered %v", node, what, err)
			}
		}
	}
}

// connects reports whether a connection to a database of that URL, which is db
// whatever host it names, is encrypted.
func connects(t *testing.T, db *sidecar.Cluster, at string) (encrypted bool, err error) {
	t.Helper()
	config, err := pgx.ParseConfig(at)
	if err != nil {
		return false, err
	}
	config.User, config.Database, config.Port = "postgres", "postgres", uint16(db.Port)
	config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		return false, err
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	err = conn.QueryRow(t.Context(), `SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`).Scan(&encrypted)
	return encrypted, err
}

// someCertificate is for the same name, and of a key that nobody has.
const someCertificate = `-----BEGIN CERTIFICATE-----
MIIBkTCCATigAwIBAgIUXu3hJIe686gdeS2EEfiTjStndzwwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIcG9zdGdyZXMwIBcNMjYxMTMwMjAzNzA4WhgPMjEyNjExMDYy
MDM3MDhaMBMxETAPBgNVBAMMCHBvc3RncmVzMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEHEn019yHxpXGWtETvDyBYzNYc/0l1k3wHS5ZtvUl3b4H5PKHYpsnbrwR
m3klubkKuE59iNBK8E26fq5GGPs07aNoMGYwHQYDVR0OBBYEFMPINnFi5IiOjFta
DGwR5IOpLCY4MB8GA1UdIwQYMBaAFMPINnFi5IiOjFtaDGwR5IOpLCY4MA8GA1Ud
EwEB/wQFMAMBAf8wEwYDVR0RBAwwCoIIcG9zdGdyZXMwCgYIKoZIzj0EAwIDRwAw
RAIgMlxuJv4pQFRaYQVK+dNq00NlbFjdLEJph8PhhZoyoIACICWPkFe04e5Q4jlN
74GclXhjWvXwiAy8WvcDnoW0N2T4
-----END CERTIFICATE-----
`
