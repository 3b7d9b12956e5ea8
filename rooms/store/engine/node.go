package engine

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Kinds of server keys. What has been made with a seal, an account or an audit
// key cannot be used, or not be verified, without it.
const (
	SealKey    = "seal"    // signed documents
	AccountKey = "account" // second factors
	TokenKey   = "token"
	AuditKey   = "audit"  // signs the end of the audit log
	FolderID   = "folder" // no key: which data folder a node has
)

// ServerKey is a key that servers of a database use or have used, by its
// fingerprint.
type ServerKey struct {
	Kind   string
	ID     string
	Public string // the public key in base64, if it is one that signs
	Since  time.Time
	// RetiredAt is when another took its place; nil while it is in use.
	RetiredAt *time.Time
}

// Node is a server that joins those of the same database.
type Node struct {
	ID   string
	Name string // for people
	Keys []ServerKey
	// Shared is what all nodes must have in common: a value by the name of its
	// setting. What only one of two nodes names is not compared: they may be of
	// two versions.
	Shared map[string]string
	// Sealed reports whether the seal key made a seal of a hash. It is asked where
	// documents were signed before fingerprints were kept.
	Sealed func(hash, seal string) bool
	// Renew are the kinds of keys that may be others than those before, although
	// what was made with those cannot be used any more.
	Renew []string
}

// KeyLost is why a node cannot start: its key is not the one that what is in the
// database was made with.
type KeyLost struct {
	Kind string
	Want string // the fingerprint of the key that is missing; "" if it is not known
}

// Error implements error.
func (e *KeyLost) Error() string { return "the " + e.Kind + " key is not the one in use before" }

// Unlike is why a node cannot join: another node, which may be running, differs.
type Unlike struct {
	Node, Setting string
	Here, There   string
	id            string
	beats         int64
}

// Error implements error.
func (e *Unlike) Error() string { return e.Setting + " differs from that of node " + e.Node }

// Running reports whether the node that was unlike has sent a heartbeat since.
func (db *DB) Running(ctx context.Context, e *Unlike) (bool, error) {
	var beats int64
	err := db.readers.Row(ctx, `SELECT beats FROM nodes WHERE id = $1`, e.id).Scan(&beats)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return beats != e.beats, err
}

// ForgetNode removes a node that has ended.
func (db *DB) ForgetNode(ctx context.Context, id string) error {
	return db.write.InTx(ctx, func(tx *Tx) error { return tx.Exec(`DELETE FROM nodes WHERE id = $1`, id) })
}

// Gone removes the node that was unlike, unless it has sent a heartbeat since.
func (db *DB) Gone(ctx context.Context, e *Unlike) error {
	return db.write.InTx(ctx, func(tx *Tx) error { return tx.Exec(`DELETE FROM nodes WHERE id = $1 AND beats = $2`, e.id, e.beats) })
}

// ServerKeys lists the keys of a kind, those that are not in use any more first.
func (db *DB) ServerKeys(ctx context.Context, kind string) ([]ServerKey, error) {
	return Collect(ctx, db.readers, scanServerKey, `SELECT kind, id, public, since, retired_at FROM server_keys WHERE kind = $1
		ORDER BY CASE WHEN retired_at IS NULL THEN 1 ELSE 0 END, since, id`, kind)
}

func scanServerKey(s Scanner) (ServerKey, error) {
	var k ServerKey
	return k, s.Scan(&k.Kind, &k.ID, &k.Public, (*At)(&k.Since), AtOrNil(&k.RetiredAt))
}

// dependents count what cannot be used without a key of a kind.
var dependents = map[string]string{
	SealKey:    `SELECT count(*) FROM documents WHERE signed_at IS NOT NULL`,
	AccountKey: `SELECT count(*) FROM totp`,
	AuditKey:   `SELECT count(*) FROM audit_head WHERE num > 0 AND signature <> ''`,
}

// NeedsKey reports, by a *KeyLost, whether a new key of a kind would be one with
// which something in the database cannot be used.
func (db *DB) NeedsKey(ctx context.Context, kind string) error {
	lost, err := keyLost(ctx, db.readers, kind)
	if err != nil || lost == nil {
		return err
	}
	return lost
}

func keyLost(ctx context.Context, q Querier, kind string) (*KeyLost, error) {
	count, ok := dependents[kind]
	if !ok {
		return nil, nil
	}
	var n int
	if err := q.Row(ctx, count).Scan(&n); err != nil || n == 0 {
		return nil, err
	}
	lost := &KeyLost{Kind: kind}
	err := q.Row(ctx, `SELECT id FROM server_keys WHERE kind = $1 AND retired_at IS NULL`, kind).Scan(&lost.Want)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return lost, err
}

// Join has a node join those that run. It fails with *Unlike if one of them has
// something else where all must have the same, and with *KeyLost if the node's
// key is another than that of before and is needed. Otherwise its keys are those
// in use from now on. alone says that no other node can be running.
func (db *DB) Join(ctx context.Context, n Node, alone bool) error {
	shared, err := json.Marshal(n.Shared)
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	now := db.opts.Now()
	return db.write.InTx(ctx, func(tx *Tx) error {
		if alone {
			if err := tx.Exec(`DELETE FROM nodes`); err != nil {
				return err
			}
		}
		if err := tx.agree(n); err != nil {
			return err
		}
		for _, k := range n.Keys {
			k.Since = now
			if err := tx.useKey(n, k); err != nil {
				return err
			}
		}
		return tx.Exec(`INSERT INTO nodes (id, name, shared, since, seen_at) VALUES ($1, $2, $3, $4, $4)`,
			n.ID, n.Name, string(shared), Micros(now))
	})
}

// agree compares a node with all that may be running.
func (tx *Tx) agree(n Node) error {
	type other struct {
		Unlike
		shared map[string]string
	}
	others, err := Collect(context.Background(), tx, func(s Scanner) (other, error) {
		var o other
		var shared string
		if err := s.Scan(&o.id, &o.Node, &shared, &o.beats); err != nil {
			return o, err
		}
		return o, json.Unmarshal([]byte(shared), &o.shared)
	}, `SELECT id, name, shared, beats FROM nodes WHERE id <> $1 ORDER BY id`, n.ID)
	if err != nil {
		return err
	}
	for _, o := range others {
		for _, setting := range slices.Sorted(maps.Keys(n.Shared)) {
			if there, ok := o.shared[setting]; ok && there != n.Shared[setting] {
				o.Setting, o.Here, o.There = setting, n.Shared[setting], there
				return &o.Unlike
			}
		}
	}
	return nil
}

// useKey makes k the key of its kind that is in use.
func (tx *Tx) useKey(n Node, k ServerKey) error {
	var current string
	err := tx.Row(context.Background(), `SELECT id FROM server_keys WHERE kind = $1 AND retired_at IS NULL`, k.Kind).Scan(&current)
	first := errors.Is(err, sql.ErrNoRows)
	switch {
	case err != nil && !first:
		return err
	case current == k.ID:
		return nil
	}
	lost, err := keyLost(context.Background(), tx, k.Kind)
	if err == nil && lost != nil {
		var fits bool
		if fits, err = tx.fits(n, k, first); fits {
			lost = nil
		}
	}
	if err != nil {
		return err
	}
	if lost != nil && !slices.Contains(n.Renew, k.Kind) {
		return lost
	}
	return FirstOf(
		tx.Exec(`UPDATE server_keys SET retired_at = $2 WHERE kind = $1 AND retired_at IS NULL`, k.Kind, Micros(k.Since)),
		tx.Exec(`INSERT INTO server_keys (kind, id, public, since) VALUES ($1, $2, $3, $4)
			ON CONFLICT (kind, id) DO UPDATE SET retired_at = NULL`, k.Kind, k.ID, k.Public, Micros(k.Since)))
}

// fits reports whether a key may follow the one in use although that is needed:
// a seal key that was in use before, of which the database has all public keys;
// and the first whose fingerprint is kept, unless the latest seal is another's.
func (tx *Tx) fits(n Node, k ServerKey, first bool) (bool, error) {
	if k.Kind != SealKey {
		return first, nil
	}
	if !first {
		var known int
		err := tx.Row(context.Background(), `SELECT count(*) FROM server_keys WHERE kind = $1 AND id = $2`, k.Kind, k.ID).Scan(&known)
		return known > 0, err
	}
	if n.Sealed == nil {
		return true, nil
	}
	var hash, seal string
	err := tx.Row(context.Background(), `SELECT sha256, seal FROM documents WHERE signed_at IS NOT NULL ORDER BY signed_at DESC LIMIT 1`).Scan(&hash, &seal)
	return err == nil && n.Sealed(hash, seal), err
}

// Beat says that a node runs. It is called again and again, and puts a node back
// that others have taken for ended.
func (db *DB) Beat(ctx context.Context, n Node) error {
	shared, err := json.Marshal(n.Shared)
	if err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	now := Micros(db.opts.Now())
	return db.write.InTx(ctx, func(tx *Tx) error {
		return tx.Exec(`INSERT INTO nodes (id, name, shared, since, seen_at) VALUES ($1, $2, $3, $4, $4)
			ON CONFLICT (id) DO UPDATE SET beats = nodes.beats + 1, seen_at = excluded.seen_at`, n.ID, n.Name, string(shared), now)
	})
}
