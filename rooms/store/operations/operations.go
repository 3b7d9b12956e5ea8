// Package operations reads for the admin dashboard, and writes what admins do there to
// the audit log.
package operations

import (
	"context"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	auditstore "wenzhen.example/rooms/store/audit"
	"wenzhen.example/rooms/store/engine"
)

// Store implements operations.Store.
type Store struct{ *engine.DB }

// Audit implements operations.Store.
func (s Store) Audit(ctx context.Context, f func(audit.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(auditstore.In(tx)) })
}

// Names implements operations.Store.
func (s Store) Names(ctx context.Context, users []rooms.UserID) (map[rooms.UserID]string, error) {
	names := map[rooms.UserID]string{}
	if len(users) == 0 {
		return names, nil
	}
	w := engine.Where{}
	params := make([]string, len(users))
	for i, id := range users {
		params[i] = w.Param(id)
	}
	_, err := engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (struct{}, error) {
		var id rooms.UserID
		var name string
		err := row.Scan(&id, &name)
		names[id] = name
		return struct{}{}, err
	}, `SELECT id, name FROM users WHERE id IN (`+strings.Join(params, ", ")+`)`, w.Args...)
	return names, err
}
