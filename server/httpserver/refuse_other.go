//go:build !linux

package httpserver

import (
	"context"
	"net"
)

// RefuseConnections does nothing on this system: closing the listener resets the
// connections that have not been accepted.
func RefuseConnections(context.Context, net.Listener) {}
