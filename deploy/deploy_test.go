// Package deploy has the files with which Wenzhen is run on several nodes; its
// tests ask the programs that read them. That the balancers do what they should
// is shown by the end-to-end tests that run behind them.
package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/server/app"
)

func TestBalancersTakeTheirConfigurations(t *testing.T) {
	t.Parallel()
	nowhere := [3]string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"}
	sidecar.Nginx(t, "nginx.conf", nowhere) // it reads a site only within a configuration
	for _, ask := range [][]string{{"haproxy", "-c", "-f", "haproxy.cfg"}, {"caddy", "validate", "--adapter", "caddyfile", "--config", "Caddyfile"}} {
		if out, err := sidecar.Check(ask[0], ask[1:]...); err != nil {
			t.Errorf("%s: %v\n%s", ask[0], err, out)
		}
	}
}

// systemd takes the unit, on a machine where the program is installed.
func TestSystemdTakesTheUnit(t *testing.T) {
	t.Parallel()
	unit, err := os.ReadFile("wenzhen.service")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "wenzhen.service")
	installed := strings.Replace(string(unit), "/usr/local/bin/wenzhen", "/bin/true", 1)
	if err := os.WriteFile(path, []byte(installed), 0o644); err != nil {
		t.Fatal(err)
	}
	// It says what it ignores, and still calls it well.
	if out, err := sidecar.Check("systemd-analyze", "verify", "--man=no", path); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}

// The images, the compose file and the manifests are what their schemas allow.
func TestContainersAndManifests(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("check/node_modules/.installed"); err != nil {
		t.Fatal("the packages of deploy/check are missing: run make deploy/check/node_modules/.installed")
	}
	out, err := exec.Command("node", "check/check.mjs").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// Every image that is not ours is named by version and digest, the same one
// wherever it is named.
func TestImagesArePinned(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`^([a-z]+):[0-9][0-9a-z.-]*@sha256:[0-9a-f]{64}$`)
	named := map[string]string{}
	for file, line := range map[string]*regexp.Regexp{
		"Dockerfile":              regexp.MustCompile(`(?m)^(?:ARG [A-Z]+_IMAGE=|FROM )(\S+)`),
		"compose.yaml":            regexp.MustCompile(`(?m)^ *(?:- )?image: *(\S+)`),
		"kubernetes/wenzhen.yaml": regexp.MustCompile(`(?m)^ *(?:- )?image: *(\S+)`),
	} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range line.FindAllStringSubmatch(string(content), -1) {
			image := found[1]
			if image == "scratch" || image == "wenzhen" || image == "wenzhen:latest" || regexp.MustCompile(`^\$[A-Z]+_IMAGE$`).MatchString(image) {
				continue
			}
			parts := pinned.FindStringSubmatch(image)
			if parts == nil {
				t.Errorf("%s names %s, not by version and digest", file, image)
				continue
			}
			if other := named[parts[1]]; other != "" && other != image {
				t.Errorf("%s names %s, and another place %s", file, image, other)
			}
			named[parts[1]] = image
		}
	}
	if len(named) != 5 {
		t.Errorf("these images were found: %v", named)
	}
}

// Every setting that a file names exists.
func TestSettingsExist(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{"WENZHEN_DATABASE_PASSWORD": true} // of the compose file alone
	config := reflect.TypeFor[app.Config]()
	for i := range config.NumField() {
		exists[config.Field(i).Tag.Get("env")] = true
	}
	named := 0
	for _, file := range []string{"Dockerfile", "compose.yaml", "wenzhen.service", "kubernetes/wenzhen.yaml"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`WENZHEN_[A-Z_]+`).FindAllString(string(content), -1) {
			if named++; !exists[name] {
				t.Errorf("%s names %s, which is no setting", file, name)
			}
		}
	}
	if named < 10 {
		t.Errorf("only %d settings were found", named)
	}
}
