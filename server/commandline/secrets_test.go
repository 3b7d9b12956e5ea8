package commandline

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A server that cannot start says which setting is at fault, and never what a
// secret one was set to: what it says ends up in journals and tickets.
func TestStartupFailuresKeepSecrets(t *testing.T) {
	const secret = "hunter2"
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	providers := file("providers.json", `[{"id":"there","issuer":"https://there.example","clientId":"x","clientSecret":"`+secret+`","secret":"`+secret+`"}]`)
	misspelt := file("misspelt.json", `{"token-kay":"`+secret+`"}`)
	broken := file("broken.json", `{"token-key":"`+secret)
	long := secret + strings.Repeat(" and more", 4)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for _, c := range []struct {
		name, says string
		args       []string
	}{
		{"a Redis whose port is none", "redis", []string{"--redis", "redis://node:" + secret + "@localhost:port"}},
		{"a Redis that is none", "redis", []string{"--redis", "http://node:" + secret + "@localhost"}},
		{"a Redis with a question", "redis", []string{"--redis", "redis://node:" + secret + "@localhost?db=" + secret}},
		{"a database that nobody serves", "database", []string{"--database", "postgres://wenzhen:" + secret + "@" + nobody + "/wenzhen"}},
		{"a database whose port is none", "database", []string{"--database", "postgres://wenzhen:" + secret + "@localhost:port/wenzhen"}},
		{"a database whose password is not escaped", "database", []string{"--database", "postgres://wenzhen:" + secret + "%zz@localhost/wenzhen"}},
		{"a database with an unknown option", "database", []string{"--database", "postgres://wenzhen:" + secret + "@localhost/wenzhen?sslmode=" + "maybe"}},
		{"a database of another kind", "--database", []string{"--database", "mysql://wenzhen:" + secret + "@localhost/wenzhen"}},
		{"a mail server whose port is none", "mail server", []string{"--mail-server", "smtp://postman:" + secret + "@localhost:port"}},
		{"a mail server of another kind", "mail server", []string{"--mail-server", "postman:" + secret + "@localhost"}},
		{"a short token key", "--token-key", []string{"--token-key", secret}},
		{"a short seal key", "--seal-key", []string{"--seal-key", secret}},
		{"a short account key", "--account-key", []string{"--account-key", secret}},
		{"a short encryption key", "--encryption-key", []string{"--encryption-key", secret}},
		{"a short key of the relay", "--turn-secret", []string{"--turn-secret", secret}},
		{"a push key that is none", "push", []string{"--push-key", secret}},
		{"Stripe without the webhook's secret", "stripe", []string{"--gateways", "stripe", "--stripe-key", secret}},
		{"Alipay with a certificate that is none", "alipay", []string{"--gateways", "alipay", "--alipay-app", "1", "--alipay-key", secret, "--alipay-cert", secret, "--alipay-app-cert", secret, "--alipay-root-cert", secret}},
		{"WeChat Pay with a key that is none", "wechat", []string{"--gateways", "wechat", "--wechat-key", secret, "--wechat-api-key", secret, "--wechat-certs", secret}},
		{"a key command that fails", "data key", []string{"--encryption-command", "false"}},
		{"providers with a field too many", "identity providers", []string{"--identity-providers", providers}},
		{"a misspelt setting", "token-kay", []string{"--config", misspelt}},
		{"a file that breaks off", "JSON", []string{"--config", broken}},
		{"two masters", "--encryption-key", []string{"--encryption-key", long, "--encryption-command", "kms"}},
		{"a setting of another type beside them", "--access-life", []string{"--token-key", long, "--access-life", "soon"}},
	} {
		var out strings.Builder
		args := append([]string{"serve", "--data", filepath.Join(dir, "data"), "--addr", "127.0.0.1:0"}, c.args...)
		if code := Run(ctx, args, strings.NewReader(""), io.Discard, &out); code == 0 || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: exit %d; says %q, want %q in it", c.name, code, out.String(), c.says)
		}
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s: says %q", c.name, out.String())
		}
	}
	for _, command := range [][]string{{"migrate", "--database"}, {"move", "--to"}, {"admin", "create", "--email", "a@clinic.example", "--password", "long enough", "--database"}} {
		var out strings.Builder
		args := append(command, "postgres://wenzhen:"+secret+"@"+nobody+"/wenzhen", "--data", filepath.Join(dir, "data"))
		if code := Run(ctx, args, strings.NewReader(""), &out, &out); code == 0 || strings.Contains(out.String(), secret) {
			t.Errorf("%v: exit %d, says %q", command, code, out.String())
		}
	}
}
