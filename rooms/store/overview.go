package store

import (
	"context"

	"wenzhen/rooms/consultation"
)

// CountByStatus implements consultation.Store.
func (s Consultations) CountByStatus(ctx context.Context) ([]consultation.StatusCount, error) {
	return collect(ctx, s.readers, func(row scanner) (consultation.StatusCount, error) {
		var c consultation.StatusCount
		return c, row.Scan(&c.Status, &c.Count)
	}, `SELECT status, count(*) FROM consultations GROUP BY status ORDER BY status`)
}
