package httpserver

import (
	"context"
	"net"
)

// Listen opens the public listener, without Multipath TCP: such a listener does
// not support the filter of RefuseConnections.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	return config.Listen(ctx, "tcp", address)
}
