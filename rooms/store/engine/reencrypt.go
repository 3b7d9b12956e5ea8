package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wenzhen.example/rooms/vault"
)

// reencryptBatch is how many rows are looked at, and written, at a time.
const reencryptBatch = 200

// Reencrypt encrypts with the newest data key what is encrypted with an older one or
// not at all, beside everything else that goes on, and empties the index of
// words, which would tell in the clear what was said. It returns how many rows
// it changed. It may be ended and begun again at any time. Without encryption
// it does nothing.
func (db *DB) Reencrypt(ctx context.Context) (int, error) {
	if !db.opts.vault.On() {
		return 0, nil
	}
	if err := db.write.InTx(ctx, func(tx *Tx) error { return db.words.forget(tx) }); err != nil {
		return 0, fmt.Errorf("empty the index of words: %w", err)
	}
	changed, cleared := 0, false
	tables := db.opts.encryptedTables()
	if db.opts.URL != "" {
		tables = append(tables, encryptedSignals)
	}
	for _, t := range tables {
		n, clear, err := db.reencrypt(ctx, t)
		changed, cleared = changed+n, cleared || clear
		if err != nil {
			return changed, fmt.Errorf("encrypt %s: %w", t.Name, err)
		}
	}
	if changed > 0 && db.opts.URL == "" {
		return changed, db.write.(sqliteWrite).clean(ctx, cleared)
	}
	return changed, nil
}

// clean removes from the file what was replaced: from the write-ahead log and,
// if it was in the clear, from parts of pages that are not in use, for which
// the whole file is written anew. Writers wait meanwhile, some seconds for each
// gigabyte.
func (w sqliteWrite) clean(ctx context.Context, cleared bool) error {
	if cleared {
		if err := w.execBetweenBatches(ctx, `VACUUM`); err != nil {
			return fmt.Errorf("write the database anew: %w", err)
		}
	}
	if err := w.execBetweenBatches(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return fmt.Errorf("empty the write-ahead log: %w", err)
	}
	return nil
}

// Covered notes that everything is encrypted with the data key id. From now on what
// is not encrypted is refused where it should be.
func (db *DB) Covered(ctx context.Context, id string) error {
	err := db.write.InTx(ctx, func(tx *Tx) error {
		now := Micros(db.opts.Now())
		for _, column := range db.opts.encryptedColumns() {
			if err := tx.Exec(`INSERT INTO sealed_columns (name, covered_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, column, now); err != nil {
				return err
			}
		}
		return tx.Exec(`UPDATE data_keys SET covered_at = $2 WHERE id = $1 AND covered_at IS NULL`, id, now)
	})
	if err != nil {
		return err
	}
	return requireEncrypted(ctx, db.readers, db.opts.vault)
}

// Wanting is the data key that not everything is encrypted with yet, also because
// this version encrypts columns that an older one did not; empty if everything is,
// or nothing is to be.
func (db *DB) Wanting(ctx context.Context) (string, error) {
	if !db.opts.vault.On() {
		return "", nil
	}
	keys, err := db.DataKeys(ctx)
	if err != nil || len(keys) == 0 {
		return "", err
	}
	covered, err := coveredColumns(ctx, db.readers)
	if err != nil {
		return "", err
	}
	newest := keys[len(keys)-1]
	all := !slices.ContainsFunc(db.opts.encryptedColumns(), func(c string) bool { return !slices.Contains(covered, c) })
	if all && newest.CoveredAt != nil {
		return "", nil
	}
	return newest.ID, nil
}

// encryptedRow is the key of a row, what its places are made of, and what its
// encrypted columns hold, as it is stored.
type encryptedRow struct {
	key, bound []any
	stored     []string
}

// rows selects the key, bound and the columns of an encrypted table.
func (t EncryptedTable) rows() string {
	list := slices.Concat(t.Key, t.bound)
	for _, c := range t.Columns {
		list = append(list, `coalesce(`+c+`, '')`)
	}
	return `SELECT ` + strings.Join(list, ", ") + ` FROM ` + t.Name + t.join
}

// scan scans a row of rows.
func (t EncryptedTable) scan(s Scanner) (encryptedRow, error) {
	r := encryptedRow{make([]any, len(t.Key)), make([]any, len(t.bound)), make([]string, len(t.Columns))}
	var to []any
	for i := range r.key {
		to = append(to, &r.key[i])
	}
	for i := range r.bound {
		to = append(to, &r.bound[i])
	}
	for i := range r.stored {
		to = append(to, &r.stored[i])
	}
	err := s.Scan(to...)
	if len(t.bound) == 0 {
		r.bound = r.key
	}
	return r, err
}

func (db *DB) reencrypt(ctx context.Context, t EncryptedTable) (changed int, cleared bool, err error) {
	var after []any
	for {
		w := Where{}
		if after != nil {
			params := make([]string, len(after))
			for i := range after {
				params[i] = "?"
			}
			w.Add(`(`+strings.Join(t.Key, ", ")+`) > (`+strings.Join(params, ", ")+`)`, after...)
		}
		rows, err := Collect(ctx, db.readers, t.scan, t.rows()+w.SQL()+` ORDER BY `+strings.Join(t.Key, ", ")+` LIMIT `+w.Param(reencryptBatch), w.Args...)
		if err != nil || len(rows) == 0 {
			return changed, cleared, err
		}
		after = rows[len(rows)-1].key
		n, clear, err := db.encryptAgain(ctx, t, rows)
		if err != nil {
			return changed, cleared, err
		}
		changed, cleared = changed+n, cleared || clear
	}
}

// encryptAgain writes the values of rows that must be encrypted again. A row that was
// written meanwhile is left as it is: it has been encrypted with the newest key.
// cleared reports whether any of them was unencrypted.
func (db *DB) encryptAgain(ctx context.Context, t EncryptedTable, rows []encryptedRow) (changed int, cleared bool, err error) {
	type update struct {
		statement string
		args      []any
	}
	var updates []update
	for _, r := range rows {
		for i, column := range t.Columns {
			if !db.opts.vault.Stale(r.stored[i]) {
				continue
			}
			place := t.place(column, r.bound)
			text, err := db.opts.vault.Decrypt(place, r.stored[i])
			if err != nil { // told, and left: the rest must not wait for it
				db.opts.Log.Error("cannot encrypt anew", "error", err)
				continue
			}
			cleared = cleared || !vault.IsEncrypted(r.stored[i])
			u := update{statement: `UPDATE ` + t.Name + ` SET ` + column + ` = $1 WHERE ` + column + ` = $2`, args: []any{db.opts.vault.Encrypt(place, text), r.stored[i]}}
			for j, k := range t.Key {
				u.statement += fmt.Sprintf(` AND %s = $%d`, k, j+3)
				u.args = append(u.args, r.key[j])
			}
			updates = append(updates, u)
		}
	}
	if len(updates) == 0 {
		return 0, false, nil
	}
	bounded, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = db.write.InTx(bounded, func(tx *Tx) error {
		for _, u := range updates {
			if err := tx.Exec(u.statement, u.args...); err != nil {
				return err
			}
		}
		return nil
	})
	return len(updates), cleared, err
}
