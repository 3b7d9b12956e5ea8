package consultation

import (
	"context"

	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/store/engine"
)

// CountByStatus implements consultation.Store.
func (s Store) CountByStatus(ctx context.Context) ([]consultation.StatusCount, error) {
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (consultation.StatusCount, error) {
		var c consultation.StatusCount
		return c, row.Scan(&c.Status, &c.Count)
	}, `SELECT status, count(*) FROM consultations GROUP BY status ORDER BY status`)
}
