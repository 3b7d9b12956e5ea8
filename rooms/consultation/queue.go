package consultation

import (
	"context"
	"math"
	"time"

	"wenzhen.example/rooms"
)

// The estimate of a wait: the usual pause between a doctor's latest
// admissions, within bounds, and a guess for a doctor who has too few.
const (
	pauseSample = 20
	pauseGuess  = 10 * time.Minute
	pauseLeast  = time.Minute
	pauseMost   = time.Hour
)

// AnnounceQueue tells everyone who waits for doctor the place in the queue.
// It is a signal: a failure is no reason to fail the command that moved it.
func (s *Service) AnnounceQueue(ctx context.Context, doctor rooms.UserID) {
	places, err := s.queue(ctx, doctor)
	if err != nil {
		return // the next change, or the next join, tells it
	}
	for _, place := range places {
		QueueUpdated.Send(s.hub, place.ConsultationID.Room(), place)
	}
}

func (s *Service) queueOf(ctx context.Context, c Consultation) (*Queue, error) {
	places, err := s.queue(ctx, c.DoctorID)
	if err != nil {
		return nil, err
	}
	for _, place := range places {
		if place.ConsultationID == c.ID {
			return &place, nil
		}
	}
	return nil, nil // admitted this very moment
}

func (s *Service) queue(ctx context.Context, doctor rooms.UserID) ([]Queue, error) {
	waiting, err := s.store.Queue(ctx, doctor)
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	accepts, err := s.store.LastAccepts(ctx, doctor, pauseSample)
	if err != nil {
		return nil, err
	}
	pause := pauseGuess
	if n := len(accepts); n >= 3 {
		pause = min(max(accepts[0].Sub(accepts[n-1])/time.Duration(n-1), pauseLeast), pauseMost)
	}
	places := make([]Queue, len(waiting))
	for i, id := range waiting {
		places[i] = Queue{ConsultationID: id, Position: i + 1,
			EstimateMinutes: int(math.Ceil((time.Duration(i+1) * pause).Minutes()))}
	}
	return places, nil
}
