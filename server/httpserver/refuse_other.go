//go:build !linux

package httpserver

import (
	"context"
	"net"
)

// RefuseConnections can do nothing here: closing the listener does it, and
// loses those that have not been accepted yet.
func RefuseConnections(context.Context, net.Listener) {}
