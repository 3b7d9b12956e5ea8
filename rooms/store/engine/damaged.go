package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/vault"
)

// damaged counts what cannot be read, and says once of each thing that it was
// passed over.
type damaged struct {
	log   *slog.Logger
	count atomic.Uint64
	mu    sync.Mutex
	said  map[string]bool
}

// saidMost bounds what is remembered to have been said; past it all is forgotten.
const saidMost = 10_000

// pass passes a thing over.
func (d *damaged) pass(what string, err error) {
	d.mu.Lock()
	again := d.said[what]
	if !again {
		if d.said == nil || len(d.said) >= saidMost {
			d.said = map[string]bool{}
		}
		d.said[what] = true
	}
	d.mu.Unlock()
	if !again {
		d.count.Add(1)
		d.log.Error("something stored cannot be read, and is passed over", "what", what, "error", err)
	}
}

// Damaged is how many things were passed over because they cannot be read:
// events, messages in a search, notifications.
func (db *DB) Damaged() uint64 { return db.opts.damaged.count.Load() }

// PassOver notes that a thing is passed over, because it cannot be read.
func (db *DB) PassOver(what string, err error) { db.opts.damaged.pass(what, err) }

// openAt opens a stored value. An error that stays is rooms.ErrDamaged.
func openAt(v *vault.Vault, place, stored string) (string, error) {
	text, err := v.Decrypt(place, stored)
	if errors.Is(err, vault.ErrDamaged) {
		err = fmt.Errorf("%w: %w", rooms.ErrDamaged, err)
	}
	return text, err
}

// openJSON is openAt for a value that has to be JSON.
func openJSON(v *vault.Vault, place, stored string) (json.RawMessage, error) {
	text, err := openAt(v, place, stored)
	if err == nil && !json.Valid([]byte(text)) {
		err = fmt.Errorf("%s: %w: it is no JSON", place, rooms.ErrDamaged)
	}
	return json.RawMessage(text), err
}

// Intact is a scan of one row that passes over rows that are damaged: what
// names the row, which is scanned as far as it can be.
func Intact[T any](db *DB, what func(T) string, scan func(Scanner) (T, error)) func(Scanner) (*T, error) {
	return func(s Scanner) (*T, error) {
		row, err := scan(s)
		if errors.Is(err, rooms.ErrDamaged) {
			db.PassOver(what(row), err)
			return nil, nil
		}
		return &row, err
	}
}

// FullPage is a page of rows that were not passed over: read reads up to so many
// rows, and is asked for more where some were.
func FullPage[T any](limit int, read func(limit int) ([]*T, error)) ([]T, error) {
	for want := limit; ; {
		rows, err := read(want)
		if err != nil {
			return nil, err
		}
		list := Present(rows)
		if len(list) >= limit || len(rows) < want {
			return list[:min(len(list), limit)], nil
		}
		want += len(rows) - len(list)
	}
}

// Present are the rows that were not passed over.
func Present[T any](rows []*T) []T {
	list := make([]T, 0, len(rows))
	for _, r := range rows {
		if r != nil {
			list = append(list, *r)
		}
	}
	return list
}
