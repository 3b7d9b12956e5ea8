package edge

import "sync/atomic"

// Ack answers one event for which the client requested an acknowledgement. It may be kept
// and used from any goroutine.
type Ack struct {
	socket *Socket
	id     string // as the client wrote it
	done   atomic.Bool
}

// Reply sends the answer; its arguments follow the rules of Socket.Emit. Only
// the first answer is sent, later ones are ignored. If an argument can't be
// encoded, nothing is sent, Reply returns the error, and may be called
// again. The error is ErrClosed if the connection has ended.
func (a *Ack) Reply(args ...any) error {
	if a.done.Load() {
		return nil
	}
	p, err := encodeAck(a.socket.namespace.name, a.id, args)
	if err != nil {
		return err
	}
	if !a.done.CompareAndSwap(false, true) {
		return nil
	}
	return a.socket.deliver(&p)
}
