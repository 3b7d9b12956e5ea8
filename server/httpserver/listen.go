package httpserver

import (
	"context"
	"net"
)

// Listen opens the public listener, without Multipath TCP: a listener with it
// takes no filter, which RefuseConnections needs.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	return config.Listen(ctx, "tcp", address)
}
