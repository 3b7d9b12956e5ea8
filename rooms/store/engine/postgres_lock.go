package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"time"

	"wenzhen.example/rooms"
)

// Advisory locks of a session end with its connection, so a node that dies
// holds none. Keys are made of a text.
const (
	lockKey   = `hashtextextended($1, 0)`
	claimKey  = `SELECT pg_try_advisory_xact_lock_shared(` + lockKey + `)`
	unlockAll = `SELECT pg_advisory_unlock_all()`
	// lockProbe is how often the holder of a lease asks whether its connection
	// still lives, and how long an answer may take.
	lockProbe = time.Second
)

// everywhere stands for all that several want at once and that is in no room;
// it comes before all rooms in order.
const everywhere rooms.RoomID = ""

// turnAt is the text of the key for which those queue who lost at a room.
func turnAt(room rooms.RoomID) string { return "room:" + string(room) }

// errTurn is that the turn is that of a transaction which has lost too often.
var errTurn = errors.New("a transaction that has lost too often goes first")

// claim implements session. The transaction does not wait, because what it sees
// was fixed when it began: after the wait it would lose.
func (s *postgresTx) claim(what rooms.RoomID) error {
	var ours bool
	err := s.Row(s.ctx, claimKey, turnAt(what)).Scan(&ours)
	if err == nil && !ours {
		err = s.keepLoss(errTurn)
	}
	return err
}

// queueFor waits for a turn at every room that an earlier try took a seq in.
// The turn must be had before the transaction begins: what a serializable
// transaction sees is fixed by its first statement.
func queueFor(ctx context.Context, conn *sql.Conn, at []rooms.RoomID) (leave func(), err error) {
	if len(at) == 0 {
		return func() {}, nil
	}
	leave = func() { unlock(conn) }
	slices.Sort(at) // always in the same order, so that nobody waits in a circle
	for _, room := range slices.Compact(at) {
		if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(`+lockKey+`)`, turnAt(room)); err != nil {
			leave()
			return nil, err
		}
	}
	return leave, nil
}

// unlock releases all locks of a connection. If that fails, it closes the
// connection.
func unlock(conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), postgresDial)
	defer cancel()
	if _, err := conn.ExecContext(ctx, unlockAll); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // the pool forgets it
	}
}

// lock runs work while no other node does work under the same name. It
// returns at once, without having worked, if another does. The context of work
// ends when the lock is lost.
func (p *postgres) lock(ctx context.Context, name string, work func(context.Context) error) error {
	conn, err := p.writers.Conn(ctx)
	if err != nil {
		return connectionError{err}
	}
	defer conn.Close()
	var ours bool
	if err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(`+lockKey+`)`, "lease:"+name).Scan(&ours); err != nil || !ours {
		return err
	}
	defer unlock(conn)
	held, lost := context.WithCancel(ctx)
	probed := make(chan struct{})
	go func() {
		defer close(probed)
		defer lost()
		probe(held, conn)
	}()
	err = work(held)
	lost()
	<-probed
	return err
}

// probe returns when ctx ends or the connection does.
func probe(ctx context.Context, conn *sql.Conn) {
	tick := time.NewTicker(lockProbe)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked, cancel := context.WithTimeout(context.Background(), lockProbe)
		err := conn.PingContext(asked)
		cancel()
		if err != nil {
			return
		}
	}
}
