// Package deploy has the files with which Wenzhen is run on several nodes; its
// tests ask the programs that read them.
package deploy

import (
	"testing"

	"wenzhen/rooms/roomstest/sidecar"
)

func TestHAProxyTakesItsConfiguration(t *testing.T) {
	t.Parallel()
	if out, err := sidecar.Check("haproxy", "-c", "-f", "haproxy.cfg"); err != nil {
		t.Errorf("haproxy: %v\n%s", err, out)
	}
}

// That nginx takes its own is shown by the end-to-end test that runs behind it;
// here it is asked as it stands.
func TestNginxTakesItsConfiguration(t *testing.T) {
	t.Parallel()
	sidecar.Nginx(t, "nginx.conf", []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"})
}
