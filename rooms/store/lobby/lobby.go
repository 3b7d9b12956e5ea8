// Package lobby keeps the latest lines of the lobby.
package lobby

import (
	"context"
	"slices"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/store/engine"
)

// Tx implements lobby.Tx.
type Tx struct{ *engine.Tx }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{tx} }

// Store implements lobby.Store.
type Store struct{ *engine.DB }

// InTx implements lobby.Store.
func (s Store) InTx(ctx context.Context, f func(lobby.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

// Lines implements lobby.Tx.
func (tx Tx) Lines(most int) ([]lobby.Line, error) {
	lines, err := engine.Collect(context.Background(), tx, func(s engine.Scanner) (lobby.Line, error) {
		var l lobby.Line
		return l, s.Scan(&l.ID, &l.Nickname, &l.Text, (*engine.At)(&l.At))
	}, `SELECT id, nickname, text, at FROM lobby_lines ORDER BY seq DESC LIMIT $1`, most)
	slices.Reverse(lines)
	if lines == nil {
		lines = []lobby.Line{}
	}
	return lines, err
}

// KeepLine implements lobby.Tx.
func (tx Tx) KeepLine(seq rooms.Seq, line lobby.Line, most int) error {
	err := tx.Exec(`INSERT INTO lobby_lines (seq, id, nickname, text, at) VALUES ($1, $2, $3, $4, $5)`,
		seq, line.ID, line.Nickname, line.Text, engine.Micros(line.At))
	if err != nil {
		return err
	}
	return tx.Exec(`DELETE FROM lobby_lines WHERE seq <= (SELECT seq FROM lobby_lines ORDER BY seq DESC LIMIT 1 OFFSET $1)`, most)
}
