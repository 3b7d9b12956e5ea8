package engine

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/vault"
)

// signalled collects the signals of a hub.
type signalled struct {
	mu   sync.Mutex
	list []rooms.Signal
}

func (s *signalled) Published(rooms.Publication) {}
func (s *signalled) Signalled(n rooms.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, n)
}

// Followers of the log skip rows that were damaged or put there by somebody
// else, log and count them once, and publish what comes after. A loss of access
// in a damaged event takes effect, and so does the end of a session.
func TestReadersOfTheLogPassOverWhatIsDamaged(t *testing.T) {
	t.Parallel()
	master, err := vault.FromSecret("a master key of 32 characters for tests")
	if err != nil {
		t.Fatal(err)
	}
	var written bytes.Buffer
	opts := Options{URL: postgresURL(t), Master: master}
	db, received, hub := open(t, opts)
	db.opts.damaged.log = slog.New(slog.NewTextHandler(&written, nil))
	var signals signalled
	hub.Listen(&signals)
	p := db.write.(*postgres)
	const good, foreign = `"x"`, "wz1$deadbeefdeadbeef$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	elsewhere := db.opts.vault.Encrypt("events.data/another/1", good)
	plant := []struct{ data, also, lost string }{
		{foreign, `[]`, `["u1"]`}, {"wz1$" + db.opts.vault.Current() + "$no base64", `[]`, `[]`}, {elsewhere, `[]`, `[]`},
		{`{"in the clear": `, `[]`, `[]`}, {good, `no list`, `[]`}, {good, `[]`, `{}`},
	}
	if _, err := p.writers.ExecContext(t.Context(), `INSERT INTO log_rooms (id) VALUES ('consultation:1')`); err != nil {
		t.Fatal(err)
	}
	for i, e := range plant {
		if _, err := p.writers.ExecContext(t.Context(), `INSERT INTO log (room, seq, id, name, at, actor, data, namespace, also, lost)
			VALUES ((SELECT num FROM log_rooms WHERE id = 'consultation:1'), $1, $2, 'said', 1, 0, $3, '', $4, $5)`, i+1, fmt.Sprint("planted", i), e.data, e.also, e.lost); err != nil {
			t.Fatal(err)
		}
	}
	for i, room := range []string{"user:1", "session:1"} {
		if _, err := p.writers.ExecContext(t.Context(), `INSERT INTO notices (room, name, namespace, data, into_room, at) VALUES ($1, 'n', '', $2, '', $3)`,
			room, foreign, time.Now().UnixMicro()+int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.write.InTx(t.Context(), func(tx *Tx) error {
		_, err := tx.Next("consultation:1", time.Now())
		for range len(plant) - 1 {
			_, err = tx.Next("consultation:1", time.Now())
		}
		if err == nil {
			_, err = said.Record(tx, "consultation:1", rooms.System, time.Now(), nil, func(rooms.Seq) (string, error) { return "after", nil })
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := FirstOf(db.Announced(t.Context()), hub.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	list := received.in("consultation:1")
	if len(list) != len(plant)+1 {
		t.Fatalf("told of %+v", list)
	}
	for i, e := range list[:len(plant)] {
		if !e.Damaged || len(e.Data) > 0 || e.Wire != nil {
			t.Errorf("event %d is published: %+v", i+1, e)
		}
	}
	if last := list[len(plant)]; last.Damaged || string(last.Data) != `"after"` {
		t.Errorf("what comes after: %+v", last)
	}
	if lost := list[0].Lost; len(lost) != 1 || lost[0] != "u1" {
		t.Errorf("lost access: %v", lost)
	}
	if len(signals.list) != 1 || signals.list[0].Room != "session:1" {
		t.Errorf("signalled: %+v", signals.list)
	}
	// As notifications follow it: not before every older transaction of the
	// PostgreSQL server has ended, those of other tests included.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	log, err := db.LogAfter(ctx, 0, 100)
	for err == nil && len(log) <= len(plant) {
		log, err = db.LogAfter(ctx, 0, 100)
	}
	if err != nil || len(log) != len(plant)+1 || log[0].Name != "" || log[len(log)-1].Name != said.Name {
		t.Errorf("the log is %+v, %v", log, err)
	}
	if n, lines := db.Damaged(), strings.Count(written.String(), "passed over"); n != uint64(lines) || n != uint64(len(plant)+2) {
		t.Errorf("%d things were passed over, %d are in the log:\n%s", n, lines, written.String())
	}
}
