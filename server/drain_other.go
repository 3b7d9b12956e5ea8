//go:build !linux

package server

import (
	"context"
	"net"
)

// refuseConnections can do nothing here: closing the listener does it, and
// loses those that have not been accepted yet.
func refuseConnections(context.Context, net.Listener) {}
