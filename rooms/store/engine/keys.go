package engine

import (
	"context"
	"errors"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/vault"
)

// dataKeys implements vault.Store. The keys are in the database, each wrapped
// by the master key, so a backup has everything that is needed to read it
// except the master key.
type dataKeys struct {
	readers Querier
	write   committer
}

// Keys implements vault.Store.
func (s dataKeys) Keys(ctx context.Context) ([]vault.Key, error) {
	return Collect(ctx, s.readers, func(row Scanner) (vault.Key, error) {
		var k vault.Key
		return k, row.Scan(&k.ID, &k.Wrapped, (*At)(&k.CreatedAt), AtOrNil(&k.CoveredAt))
	}, `SELECT id, wrapped, created_at, covered_at FROM data_keys ORDER BY created_at, id`)
}

// AddKey implements vault.Store.
func (s dataKeys) AddKey(ctx context.Context, k vault.Key) error {
	return s.write.InTx(ctx, func(tx *Tx) error {
		return tx.Exec(`INSERT INTO data_keys (id, wrapped, created_at) VALUES ($1, $2, $3)`, k.ID, k.Wrapped, Micros(k.CreatedAt))
	})
}

// SaveWrapped implements vault.Store. It fails with conflict if there is a key
// that is not among them: it would be lost.
func (s dataKeys) SaveWrapped(ctx context.Context, keys []vault.Key) error {
	return s.write.InTx(ctx, func(tx *Tx) error {
		var n int
		if err := tx.Row(context.Background(), `SELECT count(*) FROM data_keys`).Scan(&n); err != nil {
			return err
		}
		if n != len(keys) {
			return rooms.Conflict("", "a data key was made just now; do it again")
		}
		for _, k := range keys {
			if err := tx.Exec(`UPDATE data_keys SET wrapped = $2 WHERE id = $1`, k.ID, k.Wrapped); err != nil {
				return err
			}
		}
		return nil
	})
}

// keysEvery is how often another process's new data key is looked for.
const keysEvery = 10 * time.Second

// loadKeys opens the vault of a database that is being opened.
func loadKeys(ctx context.Context, opts Options, readers Querier, write committer) error {
	from := dataKeys{readers, write}
	now := time.Now
	if opts.Now != nil {
		now = opts.Now
	}
	if err := opts.vault.Attach(ctx, from, now); err != nil {
		return err
	}
	return requireEncrypted(ctx, readers, opts.vault)
}

// requireEncrypted has the vault refuse plain text in the columns where all is encrypted.
func requireEncrypted(ctx context.Context, q Querier, v *vault.Vault) error {
	columns, err := coveredColumns(ctx, q)
	if err == nil {
		v.Require(columns)
	}
	return err
}

func coveredColumns(ctx context.Context, q Querier) ([]string, error) {
	return Collect(ctx, q, func(s Scanner) (name string, err error) { return name, s.Scan(&name) }, `SELECT name FROM sealed_columns`)
}

// reloadKeys takes over data keys that another process has made.
func (db *DB) reloadKeys(ctx context.Context) {
	if db.opts.Master == nil {
		return
	}
	tick := time.NewTicker(keysEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := db.opts.vault.Load(ctx, db.dataKeys(), db.opts.Now())
		if err == nil {
			err = requireEncrypted(ctx, db.readers, db.opts.vault)
		}
		if err != nil && ctx.Err() == nil {
			db.opts.Log.Error("data keys", "error", err)
		}
	}
}

func (db *DB) dataKeys() dataKeys { return dataKeys{db.readers, db.write} }

// Vault is what the database's content is encrypted with, for what belongs to it
// and lies elsewhere.
func (db *DB) Vault() *vault.Vault { return db.opts.vault }

// DataKeys lists the data keys, the newest last.
func (db *DB) DataKeys(ctx context.Context) ([]vault.Key, error) { return db.dataKeys().Keys(ctx) }

// RotateKey makes a new data key. Other processes use it within seconds.
func (db *DB) RotateKey(ctx context.Context) (vault.Key, error) {
	return db.opts.vault.Rotate(ctx, db.dataKeys(), db.opts.Now())
}

// RewrapKeys has all data keys wrapped by another master key, and tells how many.
func (db *DB) RewrapKeys(ctx context.Context, by vault.Master) (int, error) {
	if !db.opts.vault.On() {
		return 0, errors.New("nothing is encrypted: there is no encryption key")
	}
	return db.opts.vault.Rewrap(ctx, db.dataKeys(), by)
}

// Unlock is the vault of the SQLite database at path, which nobody needs to
// have open; off if nothing is encrypted there, or if master is nil.
func Unlock(ctx context.Context, path string, master vault.Master) (*vault.Vault, error) {
	v := vault.New(master)
	if master == nil {
		return v, nil
	}
	db, err := connect(path, "query_only(1)")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	r := newReader(db, v)
	if encrypted, err := hasDataKeys(ctx, r); err != nil || !encrypted {
		return v, err
	}
	return v, v.Load(ctx, dataKeys{readers: r}, time.Time{})
}
