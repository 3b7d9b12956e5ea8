package edge

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(shippedEnv); mode != "" {
		serveShipped(mode)
	}
	goleak.VerifyTestMain(m,
		// Kept by the default HTTP client for connections that are idle.
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
	)
}
