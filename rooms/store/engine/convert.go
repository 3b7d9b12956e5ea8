package engine

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"

	"wenzhen.example/rooms/vault"
)

// Databases from before version 90 have the tables events, messages and rooms.
// A conversion copies them to the log (docs/decisions/0049-one-log.md). It runs
// after the migrations, and nothing else uses the database before it has ended. It
// can be interrupted at any point: each transaction stores how far it came.

// Sizes of a conversion: what one transaction copies, what is read at once, and
// how many differences are described.
const (
	convertChunk  = 10_000
	convertPage   = 500
	convertBytes  = 64 << 20 // of one transaction
	convertListed = 20
)

// convertEvery is how often progress is logged; a test has all of it logged.
var convertEvery = 5 * time.Second

// conversion copies the tables of an older version to the log.
type conversion struct {
	conn  *sql.Conn
	copy  copier
	keys  Querier // reads the data keys
	vault *vault.Vault
	log   *slog.Logger
	state conversionState

	rooms, people map[string]int64 // numbers that are known
	progress
}

// copier is what differs between the databases.
type copier interface {
	// begin is the statement that begins a transaction.
	begin() string
	// oldMore and newMore are the columns of an event that this database has besides.
	oldMore() string
	newMore() string
	// numbers finds the numbers of rooms or people, or gives them one.
	numbers(ctx context.Context, table string, ids []string, known map[string]int64) error
	insert(ctx context.Context, rows []converted) error
	// room returns an error unless there is room on the disk for what is to be copied.
	room(ctx context.Context, after int64) error
	// finish does what remains at the end, as part of the last transaction.
	finish(ctx context.Context) error
	// finished does what remains after it.
	finished(ctx context.Context) error
}

// conversionState is what a conversion has done so far.
type conversionState struct {
	Pos      int64 `json:"pos"`      // up to here
	Events   tally `json:"events"`   // as they were read from the old tables
	Messages tally `json:"messages"` // the columns that only messages have
	// Damaged is how many events or messages could not be read, and were copied as
	// they are.
	Damaged int64 `json:"damaged"`
	// Differences is how often an event and its message were not the same. First
	// describes some.
	Differences int64    `json:"differences"`
	First       []string `json:"first,omitempty"`
	// Failed is set when the copy was not the same as what was copied.
	Failed bool `json:"failed,omitempty"`
	// Kept are counts from before the conversion of what it must not touch.
	Kept map[string]int64 `json:"kept,omitempty"`
}

// tally is how many rows there are, and a sum of their SHA-256, which is the same
// in whatever order they come.
type tally struct {
	Rows int64  `json:"rows"`
	Sum  sumHex `json:"sum"`
}

// sumHex is hexadecimal in JSON.
type sumHex [sha256.Size]byte

// MarshalText implements encoding.TextMarshaler.
func (s sumHex) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(s[:])), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *sumHex) UnmarshalText(text []byte) error {
	_, err := hex.Decode(s[:], text)
	return err
}

// add counts a row in. The row is written in a way that no other one is.
func (t *tally) add(row []byte) {
	t.Rows++
	var carry uint
	for i, b := range sha256.Sum256(row) {
		n := uint(t.Sum[i]) + uint(b) + carry
		t.Sum[i], carry = byte(n), n>>8
	}
}

func newConversion(conn *sql.Conn, with copier, keys Querier, v *vault.Vault, opts Options) *conversion {
	return &conversion{conn: conn, copy: with, keys: keys, vault: v, log: opts.logger(), rooms: map[string]int64{}, people: map[string]int64{}, progress: progress{now: time.Now}}
}

// logger is where the program logs.
func (o Options) logger() *slog.Logger {
	if o.Log == nil {
		return slog.Default()
	}
	return o.Log
}

// run converts what is to be converted.
func (c *conversion) run(ctx context.Context) error {
	err := c.convert(ctx)
	if err != nil {
		if there, pendingErr := c.pending(ctx); pendingErr == nil && !there {
			return nil // another process has ended it, and dropped what this one read
		}
	}
	return err
}

// convert does what is left to be done.
func (c *conversion) convert(ctx context.Context) error {
	if there, err := c.load(ctx); err != nil || !there {
		return err
	}
	if c.state.Failed || c.state.Differences > 0 { // the operator has done something about it
		if err := c.inTx(ctx, c.reset); err != nil {
			return err
		}
	}
	if err := c.prepare(ctx); err != nil {
		return err
	}
	for more := true; more; {
		err := c.inTx(ctx, func(ctx context.Context) (err error) {
			more, err = c.chunk(ctx)
			return err
		})
		if err != nil {
			return err
		}
		if c.gone { // another process has finished it
			return nil
		}
	}
	if err := c.verify(ctx); err != nil {
		return err
	}
	if err := c.inTx(ctx, c.finish); err != nil || c.gone {
		return err
	}
	c.ended(c.state)
	return c.copy.finished(ctx)
}

// prepare counts what is to be copied and makes sure that there is room for it.
func (c *conversion) prepare(ctx context.Context) error {
	if err := c.conn.QueryRowContext(ctx, `SELECT count(*) FROM events`).Scan(&c.total); err != nil {
		return err
	}
	c.step(c.log, "copying", c.total, c.state.Events.Rows)
	if c.total == c.state.Events.Rows {
		return nil
	}
	c.begun(c.log, c.state)
	if err := unlocked(ctx, c.keys, c.vault); err != nil {
		return err
	}
	return c.copy.room(ctx, c.state.Pos)
}

// inTx runs f in a transaction.
func (c *conversion) inTx(ctx context.Context, f func(context.Context) error) error {
	if _, err := c.conn.ExecContext(ctx, c.copy.begin()); err != nil {
		return err
	}
	err := f(ctx)
	if err == nil {
		_, err = c.conn.ExecContext(ctx, `COMMIT`)
	}
	if err != nil {
		_, _ = c.conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`) // the error is that of f
	}
	return err
}

// load reads the state; there is none once the database is converted.
func (c *conversion) load(ctx context.Context) (there bool, err error) {
	var stored string
	if there, err = c.pending(ctx); err != nil || !there {
		return false, err
	}
	if err := c.conn.QueryRowContext(ctx, `SELECT state FROM log_conversion`).Scan(&stored); err != nil {
		return false, err
	}
	c.state = conversionState{}
	return true, json.Unmarshal([]byte(stored), &c.state)
}

func (c *conversion) pending(ctx context.Context) (bool, error) {
	tables := `sqlite_master WHERE name = 'log_conversion'`
	if _, postgres := c.copy.(*postgresCopier); postgres {
		tables = `information_schema.tables WHERE table_schema = current_schema() AND table_name = 'log_conversion'`
	}
	var n int
	err := c.conn.QueryRowContext(ctx, `SELECT count(*) FROM `+tables).Scan(&n)
	return n > 0, err
}

func (c *conversion) save(ctx context.Context) error {
	state, err := json.Marshal(c.state)
	if err != nil {
		return err
	}
	_, err = c.conn.ExecContext(ctx, `UPDATE log_conversion SET state = $1`, string(state))
	return err
}

// reset has the conversion begin anew.
func (c *conversion) reset(ctx context.Context) error {
	for _, statement := range []string{`DELETE FROM log`, `DELETE FROM log_rooms`, `DELETE FROM log_people WHERE num <> 0`, `DELETE FROM message_words`} {
		if _, err := c.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	c.state = conversionState{}
	clear(c.rooms)
	clear(c.people)
	return c.save(ctx)
}

// chunk copies the next events. Another process may have copied some meanwhile.
func (c *conversion) chunk(ctx context.Context) (more bool, err error) {
	if there, err := c.load(ctx); err != nil || !there {
		c.gone = !there
		return false, err
	}
	if c.state.Kept == nil {
		if c.state.Kept, err = c.kept(ctx); err != nil {
			return false, err
		}
	}
	bytes := 0
	for more = true; more && bytes < convertBytes; {
		page, err := c.read(ctx)
		if err != nil {
			return false, err
		}
		for i := range page {
			if err := c.take(&page[i]); err != nil {
				return false, err
			}
			bytes += len(page[i].data)
		}
		if err := c.write(ctx, page); err != nil {
			return false, err
		}
		more = len(page) == convertPage
		c.at(c.state.Events.Rows)
		if c.state.Events.Rows%convertChunk == 0 {
			break
		}
	}
	return more, c.save(ctx)
}

// write numbers rooms and people and inserts the rows.
func (c *conversion) write(ctx context.Context, page []converted) error {
	if len(page) == 0 {
		return nil
	}
	var rooms, people []string
	for i := range page {
		r := &page[i]
		rooms, people = append(rooms, r.room), append(people, r.actor)
		if r.said != nil {
			people = append(people, r.said.sender)
		}
	}
	if err := FirstOf(c.numbered(ctx, "log_rooms", rooms, c.rooms), c.numbered(ctx, "log_people", people, c.people)); err != nil {
		return err
	}
	for i := range page {
		r := &page[i]
		r.roomNum, r.actorNum = c.rooms[r.room], c.people[r.actor]
		if r.said != nil {
			num := c.people[r.said.sender]
			r.senderNum = &num
		}
	}
	if err := c.copy.insert(ctx, page); err != nil {
		return err
	}
	c.state.Pos = page[len(page)-1].pos
	return nil
}

// mostNumbers bounds how many numbers are remembered.
const mostNumbers = 1 << 17

func (c *conversion) numbered(ctx context.Context, table string, ids []string, known map[string]int64) error {
	if len(known) > mostNumbers {
		clear(known)
	}
	var unknown []string
	asked := map[string]bool{}
	for _, id := range ids {
		if _, ok := known[id]; !ok && !asked[id] {
			unknown, asked[id] = append(unknown, id), true
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return c.copy.numbers(ctx, table, unknown, known)
}

// kept counts what the conversion must not touch.
func (c *conversion) kept(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	for what, query := range map[string]string{
		"attachments": `SELECT count(*) FROM attachments`,
		"receipts":    `SELECT CAST(coalesce(sum(delivered_up_to + read_up_to), 0) AS BIGINT) FROM participants`,
		"holds":       `SELECT count(*) FROM legal_holds`,
		"purges":      `SELECT count(*) FROM purges`,
	} {
		var n int64
		if err := c.conn.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return nil, err
		}
		counts[what] = n
	}
	return counts, nil
}

// finish drops what was copied, once it is certain that all of it was.
func (c *conversion) finish(ctx context.Context) error {
	there, err := c.pending(ctx)
	if err != nil || !there {
		c.gone = !there
		return err
	}
	c.removing()
	counts, err := c.kept(ctx)
	if err != nil {
		return err
	}
	for what, n := range c.state.Kept {
		if counts[what] < n {
			return fmt.Errorf("of the %s there are %d, and were %d", what, counts[what], n)
		}
	}
	var missing int64
	for _, statement := range []string{
		`INSERT INTO log_rooms (id, taken) SELECT id, last_seq FROM rooms WHERE true ON CONFLICT (id) DO UPDATE SET taken = excluded.taken`,
		`DELETE FROM sealed_columns WHERE name LIKE 'messages.%'`,
	} {
		if _, err := c.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	err = c.conn.QueryRowContext(ctx, `SELECT count(*) FROM rooms r WHERE NOT EXISTS (SELECT 1 FROM log_rooms n WHERE n.id = r.id AND n.taken = r.last_seq)`).Scan(&missing)
	if err != nil || missing > 0 {
		return orFound(err, strconv.FormatInt(missing, 10)+" rooms were not copied")
	}
	for _, table := range []string{"messages", "events", "rooms", "log_conversion"} {
		if _, err := c.conn.ExecContext(ctx, `DROP TABLE `+table); err != nil {
			return err
		}
	}
	return c.copy.finish(ctx)
}

// progress logs how far a conversion is.
type progress struct {
	to          *slog.Logger
	what        string
	total       int64
	first       int64
	began, said time.Time
	now         func() time.Time
	gone        bool // there is nothing left to do
}

func (p *progress) begun(log *slog.Logger, s conversionState) {
	log.Info("converting the database to the log of this version; it can be interrupted and goes on at the next start", "events", p.total, "copied", s.Events.Rows)
}

func (p *progress) step(log *slog.Logger, what string, total, done int64) {
	now := p.now()
	p.to, p.what, p.total, p.first, p.began, p.said = log, what, total, done, now, now
}

// at notes how many rows are done.
func (p *progress) at(rows int64) {
	now := p.now()
	if now.Sub(p.said) < convertEvery || p.total == 0 {
		return
	}
	p.said = now
	rate := float64(rows-p.first) / max(now.Sub(p.began).Seconds(), 0.001)
	left := time.Duration(math.MaxInt64)
	if rate > 0 {
		left = time.Duration(float64(p.total-rows) / rate * float64(time.Second)).Round(time.Second)
	}
	p.to.Info("converting the database", "step", p.what, "done", fmt.Sprintf("%d %%", 100*rows/p.total), "rate", fmt.Sprintf("%.0f events/s", rate), "left", left)
}

func (p *progress) removing() {
	if p.total > 0 {
		p.to.Info("converting the database", "step", "removing the old tables")
	}
}

func (p *progress) ended(s conversionState) {
	if s.Events.Rows == 0 {
		return
	}
	p.to.Info("the database is converted and was compared with the old tables, which are gone", "events", s.Events.Rows, "messages", s.Messages.Rows, "damaged", s.Damaged)
}

// errDiffer is why a conversion stops at its end.
var errDiffer = errors.New("nothing was removed, and the old tables are as they were. Restore the backup from before the upgrade, run the older version on it, and report this. " +
	"The next start converts anew")
