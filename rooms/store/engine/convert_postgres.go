package engine

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"wenzhen.example/rooms/vault"
)

// upgradePostgres brings the database at opts.URL up to date.
func upgradePostgres(ctx context.Context, opts Options) error {
	if err := migratePostgres(ctx, opts.URL); err != nil {
		return err
	}
	return convertPostgres(ctx, opts)
}

// convertPostgres converts the database at opts.URL, if it is one of an older
// version. Of several nodes one does, and the others wait.
func convertPostgres(ctx context.Context, opts Options) error {
	db, err := connectPostgres(opts.URL, 2, `SET jit = off`)
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	v := vault.New(opts.Master)
	p := &postgresCopier{conn: conn, opts: opts}
	c := newConversion(conn, p, &pool{db, v}, v, opts)
	// The lock ends with the connection, which is also the one that copies.
	if there, err := c.pending(ctx); err != nil || !there {
		return err
	}
	if err := p.alone(ctx); err != nil {
		return err
	}
	defer unlock(conn)
	if err := c.run(ctx); err != nil {
		return fmt.Errorf("convert the database: %w", err)
	}
	return nil
}

// postgresCopier implements copier.
type postgresCopier struct {
	conn *sql.Conn
	opts Options
}

// alone waits until no other node converts the database.
func (p *postgresCopier) alone(ctx context.Context) error {
	const name = "convert the log"
	var ours bool
	if err := p.conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(`+lockKey+`)`, name).Scan(&ours); err != nil || ours {
		return err
	}
	p.opts.logger().Info("another node converts the database; this one waits for it")
	_, err := p.conn.ExecContext(ctx, `SELECT pg_advisory_lock(`+lockKey+`)`, name)
	return err
}

func (*postgresCopier) begin() string   { return `BEGIN` }
func (*postgresCopier) oldMore() string { return `e.xid::text, e.namespace, e.also, e.lost` }
func (*postgresCopier) newMore() string { return `l.xid::text, l.namespace, l.also, l.lost` }

// numbers implements copier.
func (p *postgresCopier) numbers(ctx context.Context, table string, ids []string, known map[string]int64) error {
	if _, err := p.conn.ExecContext(ctx, `INSERT INTO `+table+` (id) SELECT unnest($1::text[]) ON CONFLICT (id) DO NOTHING`, ids); err != nil {
		return err
	}
	rows, err := p.conn.QueryContext(ctx, `SELECT id, num FROM `+table+` WHERE id = ANY ($1::text[])`, ids)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var num int64
		if err := rows.Scan(&id, &num); err != nil {
			return err
		}
		known[id] = num
	}
	return rows.Err()
}

// insert implements copier. The transactions of events are copied too: which of
// them a node has seen is as it was.
func (p *postgresCopier) insert(ctx context.Context, rows []converted) error {
	var nums []int64
	var vectors []string
	columns := []string{"pos", "room", "seq", "at", "actor", "sender", "client", "recalled_at", "message", "attachment_id", "id", "name", "data", "recalled", "xid", "namespace", "also", "lost"}
	source := pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		r := &rows[i]
		xid, err := strconv.ParseUint(r.xid, 10, 64)
		return []any{r.pos, r.roomNum, r.seq, r.at, r.actorNum, r.senderNum, r.client, r.recalled, r.message, r.attachment, r.id, r.name, r.data, r.content, xid, r.namespace, r.also, r.lost}, err
	})
	err := p.conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"log"}, columns, source)
		return err
	})
	if err != nil {
		return err
	}
	for i := range rows {
		if v := tsvector(rows[i].words); v != "" {
			nums, vectors = append(nums, rows[i].pos), append(vectors, v)
		}
	}
	_, err = p.conn.ExecContext(ctx, `INSERT INTO message_words (num, words) SELECT num, words::tsvector FROM unnest($1::bigint[], $2::text[]) AS t (num, words)`, nums, vectors)
	return err
}

// room implements copier. How much room the server's disk has is not known here.
func (p *postgresCopier) room(ctx context.Context, after int64) error {
	var needed string
	err := p.conn.QueryRowContext(ctx, `SELECT pg_size_pretty(coalesce(sum(octet_length(data)), 0) + count(*) * $2::bigint) FROM events WHERE pos > $1`, after, convertRowBytes).Scan(&needed)
	if err == nil {
		p.opts.logger().Info("the conversion needs room on the disk of PostgreSQL until it has ended", "room", needed)
	}
	return err
}

// finish implements copier.
func (p *postgresCopier) finish(ctx context.Context) error {
	for _, statement := range []string{
		`DROP FUNCTION log_copied()`,
		`SELECT setval(pg_get_serial_sequence('log', 'pos'), (SELECT coalesce(max(pos), 0) + 1 FROM log), false)`,
	} {
		if _, err := p.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// finished implements copier. The plans of the next statements depend on it. A
// new database is not analyzed: plans for empty tables would be kept for full ones.
func (p *postgresCopier) finished(ctx context.Context) error {
	var rows bool
	if err := p.conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM log)`).Scan(&rows); err != nil || !rows {
		return err
	}
	_, err := p.conn.ExecContext(ctx, `ANALYZE log, log_rooms, log_people`)
	return err
}
