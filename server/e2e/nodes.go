package e2e

import (
	"fmt"
	"io"
	"testing"

	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/server/app"
)

// Nodes runs several servers on one PostgreSQL database, one Redis and one
// data folder, each of which has a wire of its own to the Redis.
func Nodes(t *testing.T, n int, change ...func(*app.Config)) (list []*World, wires []*sidecar.Wire) {
	t.Helper()
	_, port := sidecar.Redis(t)
	first := NewWorldOn(t, t.TempDir(), PostgresDatabase(t))
	for i := range n {
		w := *first
		wire := sidecar.NewWire(t, port)
		w.Change = append([]func(*app.Config){func(c *app.Config) { c.Redis = fmt.Sprintf("redis://127.0.0.1:%d", wire.Port) }}, change...)
		w.Run("127.0.0.1:0")
		if i == 0 {
			w.EnterAdmin()
			first.Admin = w.Admin
		}
		list, wires = append(list, &w), append(wires, wire)
	}
	for _, w := range list {
		Eventually(t, "the nodes meet", func() bool { return w.Ready() == `{"status":"ready"}` })
	}
	return list, wires
}

// Ready is what /readyz says.
func (w *World) Ready() string {
	resp, err := w.HTTP.Get(w.Base + "/readyz")
	Must(w.T, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	Must(w.T, err)
	return string(body)
}

// On is the same person on a device that is connected to another node.
func (p *Person) On(w *World) *Person {
	p.World.T.Helper()
	q := &Person{Client: w.Client(), World: w, User: p.User}
	_, err := q.LogIn(w.T.Context(), account.LoginInput{Email: p.User.Email, Password: Password})
	Must(w.T, err)
	return q
}
