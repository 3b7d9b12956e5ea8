package engine

import (
	"context"
	"database/sql"
	"time"

	"wenzhen.example/rooms"
)

// With SQLite a command of the command line is a process that writes beside the
// server. What its transactions publish is stored by them in the table
// unpublished: the events, with what the log does not have of them, and the ends
// of sessions; other signals are dropped. The server's writer takes all of it at
// the beginning of its next transaction, so that the listeners get it before
// anything that the server commits later (docs/decisions/0052-commands-beside-a-server.md).

// takeEvery is how often the server looks for it when it writes nothing itself.
const takeEvery = 250 * time.Millisecond

// leave stores what a transaction of a process without listeners has published.
func (w *writer) leave(tx *Tx) error {
	insert := func(room rooms.RoomID, seq rooms.Seq, namespace string, also []rooms.RoomID, lost []rooms.UserID) error {
		alsoJSON, err := jsonList(also)
		if err != nil {
			return err
		}
		lostJSON, err := jsonList(lost)
		if err != nil {
			return err
		}
		return w.Exec(`INSERT INTO unpublished (room, seq, namespace, also, lost) VALUES ($1, $2, $3, $4, $5)`, room, seq, namespace, alsoJSON, lostJSON)
	}
	for _, p := range tx.pubs {
		if err := insert(p.Room, p.Seq, p.Namespace, p.Also, p.Lost); err != nil {
			return err
		}
	}
	ends, _ := rooms.SplitEnds(tx.signals)
	for _, n := range ends {
		if err := insert(n.Room, 0, "", nil, nil); err != nil {
			return err
		}
	}
	return nil
}

const anyUnpublished = `SELECT EXISTS (SELECT 1 FROM unpublished)`

// take is the job, run at the beginning of a transaction of the server, that
// publishes what other processes have left; nil if that is nothing. A failure
// leaves it to the next transaction.
func (w *writer) take() *job {
	if w.opts.Hub == nil {
		return nil
	}
	var left bool
	j := &job{ctx: context.Background(), run: w.publishLeft, done: make(chan struct{})}
	if j.err = w.Row(j.ctx, anyUnpublished).Scan(&left); j.err == nil && !left {
		return nil
	}
	if j.err == nil {
		w.run(j)
	}
	if now := w.opts.Now(); j.err != nil && (now.Sub(w.untaken) >= stuckEvery || now.Before(w.untaken)) {
		w.untaken = now
		w.opts.Log.Error("what commands of the command line have changed cannot be published", "error", j.err)
	}
	return j
}

// publishLeft makes what others have left the publications of a transaction.
func (w *writer) publishLeft(tx *Tx) error {
	clear(w.seqs) // others have written to rooms
	list, err := Collect(context.Background(), w, func(s Scanner) (r newRow, err error) {
		return r, s.Scan(&r.room, &r.seq, &r.namespace, &r.also, &r.lost, &r.id, &r.name, &r.at, &r.actor, &r.data)
	}, `SELECT u.room, u.seq, u.namespace, u.also, u.lost, l.id, l.name, l.at, a.id, l.data FROM unpublished u
		LEFT JOIN log_rooms r ON r.id = u.room LEFT JOIN log l ON l.room = r.num AND l.seq = u.seq LEFT JOIN log_people a ON a.num = l.actor ORDER BY u.pos`)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.seq.Int64 == 0 {
			room := rooms.RoomID(r.room.String)
			w.opts.Revoked(tx, rooms.SessionID(room.Subject()))
			continue
		}
		p, err := publication(w.opts, r)
		if err != nil {
			return err
		}
		tx.pubs = append(tx.pubs, p)
	}
	return w.Exec(`DELETE FROM unpublished`)
}

// takeIdle has the writer take what others have left when nothing else makes it.
func takeIdle(ctx context.Context, readers *sql.DB, w *writer) {
	tick := time.NewTicker(takeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var left bool
		if err := readers.QueryRowContext(ctx, anyUnpublished).Scan(&left); err != nil || !left {
			continue // a database that cannot be read is reported by everything else
		}
		_ = w.InTx(ctx, func(*Tx) error { return nil }) // take reports why it failed
	}
}
