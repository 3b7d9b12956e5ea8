package engine

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"wenzhen.example/rooms"
)

// A node announces what any node has committed by reading the log. It
// remembers the snapshot that it has read up to; the next read takes exactly
// the transactions that are visible now and were not then. So one that commits
// late, after others with higher numbers, is neither skipped nor waited for.
//
// A read follows a commit of this node, a NOTIFY of another, and pollEvery in
// any case: NOTIFY only makes it quick. One NOTIFY stands for all commits since
// the last, because it makes commits wait for each other.
const (
	notifyChannel = "wenzhen_log"
	notifyEvery   = 2 * time.Millisecond
	pollEvery     = 250 * time.Millisecond
	readTimeout   = 5 * time.Second
	// announceBatch is how many events are handed to the hub at once.
	announceBatch = 256
)

// logReader hands what any node has committed to the hub of this one.
type logReader struct {
	p     *postgres
	node  string
	seen  string // a pg_snapshot
	wake  chan struct{}
	tell  chan struct{}
	asks  chan chan struct{}
	stop  context.CancelFunc
	tasks sync.WaitGroup
}

func (p *postgres) startLogReader(ctx context.Context) (*logReader, error) {
	lr := &logReader{p: p, node: rooms.NewID(time.Now()), wake: make(chan struct{}, 1), tell: make(chan struct{}, 1), asks: make(chan chan struct{})}
	// After a restore into another cluster the log may be numbered from that
	// one's future; to this one it is the past.
	if _, err := p.writers.ExecContext(ctx, `UPDATE log SET xid = '0' WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())`); err != nil {
		return nil, err
	}
	if err := p.readers.Row(ctx, `SELECT pg_current_snapshot()::text`).Scan(&lr.seen); err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.Background())
	lr.stop = stop
	lr.tasks.Go(func() { lr.run(run) })
	lr.tasks.Go(func() { lr.listen(run) })
	lr.tasks.Go(func() { lr.notify(run) })
	return lr, nil
}

// close announces what has been committed so far and ends.
func (lr *logReader) close() {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	_ = lr.announced(ctx) // without the database there is nothing to announce
	lr.stop()
	lr.tasks.Wait()
}

// committed is called after a commit of this node.
func (lr *logReader) committed() {
	poke(lr.wake)
	poke(lr.tell)
}

// announced waits until the hub has what was committed before the call.
func (lr *logReader) announced(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case lr.asks <- done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (lr *logReader) run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	failing := false
	for {
		var asked chan struct{}
		select {
		case <-ctx.Done():
			return
		case asked = <-lr.asks:
		case <-lr.wake:
		case <-tick.C:
		}
		err := lr.read(ctx)
		switch {
		case err == nil && asked != nil:
			close(asked)
		case err != nil && ctx.Err() == nil && !failing:
			lr.p.opts.Log.Error("reading the log", "error", err)
		}
		failing = err != nil
	}
}

// read hands what is new to the hub. A failure leaves it new.
func (lr *logReader) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	const fresh = `xid >= pg_snapshot_xmin($1::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::pg_snapshot)`
	rows, err := lr.p.readers.Rows(ctx, `WITH now AS MATERIALIZED (SELECT pg_current_snapshot()::text AS snapshot)
		SELECT snapshot, signal, room, seq, id, name, at, actor_id, data, namespace, also, lost, into_room FROM now LEFT JOIN (
			SELECT 0 AS signal, l.pos, r.id AS room, l.seq, l.id, l.name, l.at, a.id AS actor_id, l.data, l.namespace, l.also, l.lost, '' AS into_room`+
		EventsFrom+`WHERE `+fresh+`
			UNION ALL
			SELECT 1, pos, room, 0, '', name, at, '', data, namespace, '[]', '[]', into_room FROM notices WHERE `+fresh+`) new ON TRUE
		ORDER BY signal, pos`, lr.seen)
	if err != nil {
		return err
	}
	defer rows.Close()
	var (
		snapshot string
		events   []rooms.Publication
		signals  []rooms.Signal
	)
	for rows.Next() {
		var signal *int64 // NULL where nothing is new
		var r newRow
		if err := rows.Scan(&snapshot, &signal, &r.room, &r.seq, &r.id, &r.name, &r.at, &r.actor, &r.data, &r.namespace, &r.also, &r.lost, &r.into); err != nil {
			return err
		}
		switch {
		case signal == nil:
		case *signal == 0:
			p, err := publication(lr.p.opts, r)
			if err != nil {
				return err
			}
			events = append(events, p)
		default:
			s, err := lr.signal(r)
			if err != nil {
				return err
			}
			signals = append(signals, s...)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	ends, signals := rooms.SplitEnds(signals)
	lr.p.opts.Hub.Publish(nil, ends) // before all events, however many batches they are
	for len(events) > announceBatch {
		lr.p.opts.Hub.Publish(events[:announceBatch], nil)
		events = events[announceBatch:]
	}
	lr.p.opts.Hub.Publish(events, signals)
	lr.seen = snapshot
	return nil
}

// newRow is an event or a signal as it is stored; all columns are NULL where there is none.
type newRow struct {
	seq, at                                                  sql.NullInt64
	room, id, name, actor, data, namespace, also, lost, into sql.NullString
}

// publication is that of an event. One that cannot be read is marked Damaged and
// is not delivered; a loss of access in it takes effect.
func publication(opts Options, r newRow) (rooms.Publication, error) {
	room, seq := rooms.RoomID(r.room.String), rooms.Seq(r.seq.Int64)
	place := eventPlace(room, seq)
	p := rooms.Publication{Event: rooms.Event{Room: room, Seq: seq, ID: r.id.String, Name: r.name.String, At: time.UnixMicro(r.at.Int64).UTC(),
		ActorID: rooms.UserID(r.actor.String), Namespace: r.namespace.String}}
	data, err := openJSON(opts.vault, place, r.data.String)
	for _, list := range []struct {
		stored string
		to     any
	}{{r.also.String, &p.Also}, {r.lost.String, &p.Lost}} {
		if malformed := json.Unmarshal([]byte(list.stored), list.to); malformed != nil {
			err = FirstOf(err, fmt.Errorf("%s: %w: %w", place, rooms.ErrDamaged, malformed))
		}
	}
	if errors.Is(err, rooms.ErrDamaged) {
		opts.damaged.pass(place, err)
		return rooms.Publication{Event: rooms.Event{Room: room, Seq: seq, At: p.At}, Lost: p.Lost, Damaged: true}, nil
	}
	p.Data = data
	return p, err
}

// signal is the signal in a row; none if it cannot be read. The end of a session holds
// whatever is said of it.
func (lr *logReader) signal(r newRow) ([]rooms.Signal, error) {
	n := rooms.Signal{Room: rooms.RoomID(r.room.String), Name: r.name.String, Namespace: r.namespace.String, Into: rooms.RoomID(r.into.String)}
	place := signalPlace(r.room.String, r.name.String)
	data, err := openJSON(lr.p.opts.vault, place, r.data.String)
	if errors.Is(err, rooms.ErrDamaged) {
		lr.p.opts.damaged.pass(place, err)
		if !n.EndsSession() {
			return nil, nil
		}
		data, err = json.RawMessage("null"), nil
	}
	n.Data = data
	return []rooms.Signal{n}, err
}

// notify tells the other nodes of commits, one message for as many as there
// were since the last.
func (lr *logReader) notify(ctx context.Context) {
	pace := time.NewTicker(notifyEvery)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-lr.tell:
		}
		asked, cancel := context.WithTimeout(ctx, readTimeout)
		_, _ = lr.p.writers.ExecContext(asked, `SELECT pg_notify($1, $2)`, notifyChannel, lr.node) // without it the others poll
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
	}
}

// listen wakes the reader when another node has committed.
func (lr *logReader) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if err := lr.hear(ctx); err != nil && ctx.Err() == nil {
			lr.p.opts.Log.Warn("listening to other nodes; polling meanwhile", "error", err)
			again := time.NewTimer(time.Second)
			select {
			case <-ctx.Done():
			case <-again.C:
			}
			again.Stop()
		}
	}
}

func (lr *logReader) hear(ctx context.Context) error {
	cfg, err := postgresConfig(lr.p.opts.URL)
	if err != nil {
		return err
	}
	cfg.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) {
		if n.Payload != lr.node {
			poke(lr.wake)
		}
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, `LISTEN `+notifyChannel); err != nil {
		return err
	}
	poke(lr.wake) // for what was committed while nobody listened
	for {
		// A connection that died silently is found out by asking now and then.
		quiet, cancel := context.WithTimeout(ctx, listenProbe)
		err := conn.PgConn().WaitForNotification(quiet)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
		case pgconn.Timeout(err):
			asked, cancel := context.WithTimeout(ctx, readTimeout)
			err := conn.Ping(asked)
			cancel()
			if err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// listenProbe is how long the listening connection may be silent before it is
// asked whether it still lives.
const listenProbe = 5 * time.Second

// postgresSettled lists the log up to the oldest transaction that still runs,
// each transaction whole: the position of an event is that of its transaction.
const postgresSettled = `SELECT l.xid::text::bigint, ` + EventColumns + ` FROM (
	SELECT xid, pos, room, seq, id, name, at, actor, data FROM log
	WHERE xid > $1::bigint::text::xid8 AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid FETCH FIRST $2 ROWS WITH TIES) l
	JOIN log_rooms r ON r.num = l.room JOIN log_people a ON a.num = l.actor ORDER BY l.xid, l.pos`

// Signals are kept for a node that hangs for a while.
const (
	signalsEvery = time.Minute
	signalsKept  = 5 * time.Minute
)

// sweep deletes signals that every node has told.
func (p *postgres) sweep(ctx context.Context) {
	tick := time.NewTicker(signalsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := p.writers.ExecContext(ctx, `DELETE FROM notices WHERE at < $1`, Micros(time.Now().Add(-signalsKept))); err != nil && ctx.Err() == nil {
			p.opts.Log.Error("sweep of signals", "error", err)
		}
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
