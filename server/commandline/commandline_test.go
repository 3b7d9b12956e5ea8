package commandline

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"wenzhen.example/server"
)

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "config.json")
	if err := os.WriteFile(config, []byte(`{"sockets-per-user": 0, "attachment-bytes": 20000000, "origins": ["https://a.example", "https://b.example"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(dir, "backup.tar.gz")
	const key, next = "a master key of 32 characters for tests", "another master key of 32 characters"
	misspelt := filepath.Join(dir, "misspelt.json")
	if err := os.WriteFile(misspelt, []byte(`{"adr": "127.0.0.1:0"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	twice := filepath.Join(dir, "twice.json")
	if err := os.WriteFile(twice, []byte(`{"sockets-per-user": 5, "sockets-per-user": 5000}`), 0o600); err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(dir, "written.json") // as some editors and operators write it (FLD-20)
	if err := os.WriteFile(written, []byte("\ufeff"+`{"keep-messages": "90d", "public-url": "https://clinic.example/", "origins": ["https://app.example/"]}`+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Nothing here gets as far as serving; if it does, it must end.
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"version", []string{"version"}, 0, "wenzhen " + server.Release},
		{"help", []string{"--help"}, 0, "Usage: wenzhen"},
		{"unknown command", []string{"dance"}, 2, "dance"},
		{"unknown flag", []string{"serve", "--dance"}, 2, "--dance"},
		{"flag of a wrong type", []string{"serve", "--access-life", "soon"}, 2, "access-life"},
		{"setting out of range", []string{"serve", "--data", dir, "--access-life=-1m"}, 2, "--access-life"},
		{"setting in the file", []string{"serve", "--config", config, "--data", dir}, 2, "--sockets-per-user"},
		{"misspelt setting in the file", []string{"serve", "--config", misspelt, "--data", dir}, 2, "adr"},
		{"a setting twice in the file", []string{"serve", "--config", twice, "--data", dir}, 2, "sockets-per-user is given twice"},
		{"no such address", []string{"serve", "--data", dir, "--addr", "192.0.2.1:1"}, 1, "listen"},
		{"no such address in a file with a byte order mark", []string{"serve", "--config", written, "--data", dir, "--addr", "192.0.2.1:1"}, 1, "listen"},
		{"no duration", []string{"serve", "--data", dir, "--keep-messages", "90 days"}, 2, "write it as 90d"},
		{"a public URL with a path", []string{"serve", "--data", dir, "--public-url", "https://clinic.example/a/"}, 2, "without a path"},
		{"migrate", []string{"migrate", "--data", dir}, 0, "up to date"},
		{"migrate again", []string{"migrate", "--data", dir}, 0, "up to date"},
		{"admin", []string{"admin", "create", "--data", dir, "--email", "root@example.org", "--password", "long enough"}, 0, "root@example.org is an admin"},
		{"admin twice", []string{"admin", "create", "--data", dir, "--email", "root@example.org", "--password", "long enough"}, 1, "has an account"},
		{"admin with a short password", []string{"admin", "create", "--data", dir, "--email", "a@example.org", "--password", "short"}, 1, "password"},
		{"users", []string{"users", "list", "--data", dir}, 0, "root@example.org"},
		{"the last admin", []string{"users", "suspend", "--data", dir, "root@example.org"}, 1, "nobody else could administer"},
		{"another admin", []string{"admin", "create", "--data", dir, "--email", "other@example.org", "--password", "long enough"}, 0, "is an admin"},
		{"suspend", []string{"users", "suspend", "--data", dir, "other@example.org"}, 0, "(suspended)"},
		{"suspended", []string{"users", "show", "--data", dir, "--output", "json", "other@example.org"}, 0, `"suspended":true`},
		{"unsuspend", []string{"users", "unsuspend", "--data", dir, "--output", "json", "other@example.org"}, 0, `"suspended":false`},
		{"no second factor", []string{"users", "reset-second-factor", "--data", dir, "root@example.org"}, 1, "no second factor"},
		{"nobody", []string{"users", "show", "--data", dir, "nobody@example.org"}, 1, "no such user"},
		{"verify no doctor", []string{"users", "verify", "--data", dir, "root@example.org"}, 1, "no such doctor"},
		{"unverify without a reason", []string{"users", "unverify", "--data", dir, "root@example.org"}, 2, "--reason"},
		{"backup", []string{"backup", "--data", dir, "--to", archive}, 0, "saved 1 files"},
		{"backup over another", []string{"backup", "--data", dir, "--to", archive}, 1, "is there already"},
		{"backup of nothing", []string{"backup", "--data", filepath.Join(dir, "nowhere"), "--to", archive + "2"}, 1, "no database"},
		{"backup of PostgreSQL", []string{"backup", "--database", "postgres://localhost/x", "--to", archive + "2"}, 1, "pg_dump"},
		{"restore", []string{"restore", "--from", archive, "--data", filepath.Join(dir, "restored")}, 0, "restored 1 files"},
		{"restore over another", []string{"restore", "--from", archive, "--data", dir}, 1, "not empty"},
		{"restore of no archive", []string{"restore", "--from", config, "--data", filepath.Join(dir, "other")}, 1, "damaged"},
		{"admin who was restored", []string{"admin", "create", "--data", filepath.Join(dir, "restored"), "--email", "root@example.org", "--password", "long enough"}, 1, "has an account"},
		{"audit", []string{"audit", "verify", "--data", dir}, 0, "sound: 8 entries"},
		{"export", []string{"audit", "export", "--data", dir, "--to", "-"}, 0, "exported 9 entries"},
		{"an earlier export", []string{"audit", "export", "--data", dir, "--to", archive + ".jsonl"}, 0, "exported 10 entries"},
		{"a comparison", []string{"audit", "verify", "--data", dir, "--against", archive + ".jsonl"}, 0, "it has all 10 entries of the earlier export"},
		{"a comparison with nothing", []string{"audit", "verify", "--data", dir, "--against", os.DevNull}, 1, "nothing to compare with"},
		{"an export that is none", []string{"audit", "verify", "--from", config}, 1, "broken at entry 0"},
		{"keys of nothing", []string{"keys", "list", "--data", dir}, 0, "nothing is encrypted"},
		{"rotation of nothing", []string{"keys", "rotate", "--data", dir}, 1, "there is no encryption key"},
		{"a short master key", []string{"keys", "rotate", "--data", dir, "--encryption-key", "short"}, 1, "at least 32 characters"},
		{"a first key", []string{"keys", "rotate", "--data", dir, "--encryption-key", key}, 0, "from now on"},
		{"encryption", []string{"keys", "encrypt", "--data", dir, "--encryption-key", key}, 0, "encrypted 0 rows and files"},
		{"a start without the key", []string{"serve", "--data", dir, "--addr", "127.0.0.1:0"}, 1, "no key was given"},
		{"a start with another key", []string{"serve", "--data", dir, "--addr", "127.0.0.1:0", "--encryption-key", next}, 1, "not the one"},
		{"another master key", []string{"keys", "rewrap", "--data", dir, "--encryption-key", key, "--to-key", next}, 0, "2 data keys"},
		{"keys under the old master key", []string{"keys", "list", "--data", dir, "--encryption-key", key}, 1, "not the one"},
		{"keys", []string{"keys", "list", "--data", dir, "--encryption-key", next}, 0, "in use; not everything"},
		{"admin without an e-mail", []string{"admin", "create", "--data", dir, "--password", "long enough"}, 2, "--email"},
	} {
		var out strings.Builder
		if code := Run(ctx, c.args, strings.NewReader(""), &out, &out); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: exit %d, want %d; says %q, want %q in it", c.name, code, c.code, out.String(), c.says)
		}
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	var read struct{ For time.Duration }
	parser, err := kong.New(&read, durations)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "0": 0, "-1m": -time.Minute,
		"90d": 2160 * time.Hour, "0d": 0, "1d12h": 36 * time.Hour, "65535d": 65535 * 24 * time.Hour} {
		if _, err := parser.Parse([]string{"--for=" + text}); err != nil || read.For != want {
			t.Errorf("%s is %s, %v; want %s", text, read.For, err, want)
		}
	}
	for _, text := range []string{"", "90", "d", "-1d", "1.5d", "65536d", "1d24h", "1d-1h", "1d1d", "1 d", "90 days"} {
		if _, err := parser.Parse([]string{"--for=" + text}); err == nil || !strings.Contains(err.Error(), "90d") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Serve prints one line with its URL when it accepts connections, and exits 0
// when its context ends.
func TestServeStartsAndStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stdout, w := io.Pipe()
	exit := make(chan int, 1)
	go func() {
		exit <- Run(ctx, []string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--demo"}, strings.NewReader(""), w, io.Discard)
		w.Close()
	}()
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatalf("exit %d before it said anything", <-exit)
	}
	_, url, ok := strings.Cut(lines.Text(), "Wenzhen is at ")
	if !ok {
		t.Fatalf("it says %q", lines.Text())
	}
	go func() {
		for lines.Scan() {
		}
	}()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/api/v1/config": 200, "/": 200, "/consultations/x": 200, "/api/v1/nothing": 404} {
		resp, err := (&http.Client{Timeout: 10 * time.Second}).Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s answers %d, want %d", path, resp.StatusCode, want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if code := <-exit; code != 0 {
		t.Errorf("exit %d after the end of its context", code)
	}
}
