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

var upstreamServer = regexp.MustCompile(`(?m)^(\s*)server \d+\.\d+\.\d+\.\d+:\d+(.*)$`)

// Nginx serves a site's configuration on a free port, with its upstream servers
// replaced by those given, until the end of the test.
func Nginx(t testing.TB, site string, servers []string) (p *Program, port int) {
	t.Helper()
	dir, conf, port := nginxFolder(t, site, servers)
	nginx, err := binary("nginx", "/usr/sbin")
	must(t, err)
	p, err = start(dir, "TERM", filepath.Join(dir, "log"), nil, nginx, "-p", dir, "-e", "stderr", "-c", conf)
	must(t, err)
	t.Cleanup(p.Stop)
	must(t, await("nginx", p, func() error {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(port), time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err
	}))
	return p, port
}

func nginxFolder(t testing.TB, site string, servers []string) (dir, conf string, port int) {
	t.Helper()
	dir, err := folder("nginx", nil)
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	content, err := os.ReadFile(site)
	must(t, err)
	port, err = FreePort()
	must(t, err)
	lines := upstreamServer.FindAllString(string(content), -1)
	if len(lines)%len(servers) != 0 {
		t.Fatalf("%s has %d servers, not a multiple of %d", site, len(lines), len(servers))
	}
	n := 0
	text := upstreamServer.ReplaceAllStringFunc(string(content), func(line string) string {
		n++
		return upstreamServer.ReplaceAllString(line, "${1}server "+servers[(n-1)%len(servers)]+"${2}")
	})
	text = strings.Replace(text, "listen 80;", fmt.Sprintf("listen 127.0.0.1:%d;", port), 1)
	must(t, os.WriteFile(filepath.Join(dir, "site.conf"), []byte(text), 0o644))
	conf = filepath.Join(dir, "nginx.conf")
	must(t, os.WriteFile(conf, fmt.Appendf(nil, nginxAround, dir), 0o644))
	return dir, conf, port
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
