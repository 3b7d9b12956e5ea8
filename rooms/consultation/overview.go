package consultation

import (
	"context"

	"wenzhen.example/rooms"
)

// CountAll shows an admin how consultations stand.
var CountAll = rooms.Command[rooms.Nothing, StatusCounts]{Name: "consultation:count", For: rooms.Admins, Access: rooms.All,
	Doc: "Count the consultations of all users by state."}

// StatusCounts are of all consultations.
type StatusCounts struct {
	// Items are the states that any consultation is in.
	Items []StatusCount `json:"items"`
}

// StatusCount is how many consultations are in a state.
type StatusCount struct {
	Status Status `json:"status"`
	Count  int    `json:"count"`
}

func (s *Service) count(ctx context.Context, _ rooms.Actor, _ rooms.Nothing) (StatusCounts, error) {
	list, err := s.store.CountByStatus(ctx)
	if list == nil {
		list = []StatusCount{}
	}
	return StatusCounts{Items: list}, err
}
