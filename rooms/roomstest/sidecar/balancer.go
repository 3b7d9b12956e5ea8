package sidecar

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Balancer runs a load balancer with one of the configurations that are shipped
// for it, in front of three nodes instead of those that it names, or of fewer
// where an address is empty, on a free port of 127.0.0.1, until the end of the
// test.
type Balancer func(t testing.TB, configuration string, nodes [3]string) (port int)

// nginxAround is what a distribution puts around the sites it serves.
const nginxAround = `daemon off;
pid %[1]s/pid;
error_log stderr warn;
worker_processes 1;
events { worker_connections 8192; }
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	include %[1]s/site.conf;
}
`

// Nginx is a Balancer.
func Nginx(t testing.TB, site string, nodes [3]string) (port int) {
	t.Helper()
	b := newBalancer(t, "nginx")
	b.write("site.conf", b.read(site, nodes, "listen 80;", fmt.Sprintf("listen 127.0.0.1:%d;", b.port)))
	b.write("nginx.conf", fmt.Sprintf(nginxAround, b.dir))
	return b.run("/usr/sbin", "TERM", "-p", b.dir, "-e", "stderr", "-c", filepath.Join(b.dir, "nginx.conf"))
}

// HAProxy is a Balancer.
func HAProxy(t testing.TB, configuration string, nodes [3]string) (port int) {
	t.Helper()
	b := newBalancer(t, "haproxy")
	// So many connections may need a higher limit of files than tests have.
	b.write("haproxy.cfg", b.read(configuration, nodes, "bind :80", fmt.Sprintf("bind 127.0.0.1:%d", b.port), "maxconn 100000", "maxconn 1000"))
	return b.run("/usr/sbin", "KILL", "-db", "-f", filepath.Join(b.dir, "haproxy.cfg"))
}

// Caddy is a Balancer.
func Caddy(t testing.TB, configuration string, nodes [3]string) (port int) {
	t.Helper()
	b := newBalancer(t, "caddy")
	options := "{\n\tadmin off\n\tdefault_bind 127.0.0.1\n}\n"
	b.write("Caddyfile", options+b.read(configuration, nodes, "clinic.example {", fmt.Sprintf("http://127.0.0.1:%d {", b.port)))
	b.env = []string{"HOME=" + b.dir, "XDG_DATA_HOME=" + b.dir, "XDG_CONFIG_HOME=" + b.dir}
	return b.run("/usr/bin", "KILL", "run", "--adapter", "caddyfile", "--config", filepath.Join(b.dir, "Caddyfile"))
}

// balancer is one that is being made.
type balancer struct {
	t    testing.TB
	name string
	dir  string
	port int
	env  []string
}

func newBalancer(t testing.TB, name string) *balancer {
	t.Helper()
	dir, err := folder(name, nil)
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	port, err := FreePort()
	must(t, err)
	return &balancer{t: t, name: name, dir: dir, port: port}
}

// read is a configuration with other nodes, and with the changes that a test
// needs: pairs of old and new, each of which must be in it.
func (b *balancer) read(configuration string, nodes [3]string, changes ...string) string {
	b.t.Helper()
	content, err := os.ReadFile(configuration)
	must(b.t, err)
	for i, node := range nodes {
		shipped := fmt.Sprintf("10.0.0.1%d:8080", i+1)
		if node != "" {
			changes = append(changes, shipped, node)
			continue
		}
		line := regexp.MustCompile(`(?m)^ *server .*` + shipped + `.*\n`)
		content = []byte(strings.ReplaceAll(line.ReplaceAllString(string(content), ""), " "+shipped, ""))
	}
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(string(content), changes[i]) {
			b.t.Fatalf("%s has no %q", configuration, changes[i])
		}
	}
	return strings.NewReplacer(changes...).Replace(string(content))
}

func (b *balancer) write(name, content string) {
	b.t.Helper()
	must(b.t, os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o644))
}

// run starts the program, which a signal ends, and waits until it listens.
func (b *balancer) run(folder, signal string, args ...string) (port int) {
	b.t.Helper()
	program, err := binary(b.name, folder)
	must(b.t, err)
	p, err := start(b.dir, signal, filepath.Join(b.dir, "log"), nil, append(append([]string{"env"}, b.env...), append([]string{program}, args...)...)...)
	must(b.t, err)
	b.t.Cleanup(func() {
		p.Stop()
		if said, err := os.ReadFile(filepath.Join(b.dir, "log")); err == nil && b.t.Failed() {
			b.t.Logf("%s said:\n%s", b.name, said)
		}
	})
	must(b.t, await(b.name, p, func() error {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(b.port), time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err
	}))
	return b.port
}

// Check runs an installed program to its end, as one that checks its own
// configuration, and gives what it said.
func Check(name string, args ...string) ([]byte, error) {
	path, err := binary(name, "/usr/sbin")
	if err != nil {
		return nil, err
	}
	return exec.Command(path, args...).CombinedOutput()
}
