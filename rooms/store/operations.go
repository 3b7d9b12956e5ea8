package store

import (
	"context"
	"strings"

	"wenzhen/rooms"
	"wenzhen/rooms/audit"
)

// Operations carries out operations.Store.
type Operations struct{ *DB }

// Audit implements operations.Store.
func (s Operations) Audit(ctx context.Context, f func(audit.Tx) error) error {
	return s.write.InTx(ctx, func(tx *Tx) error { return f(tx) })
}

// Names implements operations.Store.
func (s Operations) Names(ctx context.Context, users []rooms.UserID) (map[rooms.UserID]string, error) {
	names := map[rooms.UserID]string{}
	if len(users) == 0 {
		return names, nil
	}
	w := where{}
	params := make([]string, len(users))
	for i, id := range users {
		params[i] = w.param(id)
	}
	_, err := collect(ctx, s.readers, func(row scanner) (struct{}, error) {
		var id rooms.UserID
		var name string
		err := row.Scan(&id, &name)
		names[id] = name
		return struct{}{}, err
	}, `SELECT id, name FROM users WHERE id IN (`+strings.Join(params, ", ")+`)`, w.args...)
	return names, err
}
