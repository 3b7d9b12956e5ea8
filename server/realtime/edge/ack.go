package edge

import "sync/atomic"

// Ack answers one event of a client that asked for an answer. It may be kept
// and used from any goroutine.
type Ack struct {
	socket *Socket
	id     string // as the client wrote it
	done   atomic.Bool
}

// Reply sends the answer; its arguments follow the rules of Socket.Emit. Only
// the first answer counts, later ones are ignored. When an argument can't be
// encoded, nothing is sent, the error says why, and Reply may be called
// again. ErrClosed says that the client has gone.
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
