package chat

import (
	"context"
	"errors"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/consultation"
)

// timerRetention is when it is next looked for consultations whose time is up.
const timerRetention = "retention"

const (
	retentionEvery = 24 * time.Hour
	retentionFirst = time.Minute // a start has more urgent things to do
	retentionBatch = 20
	// blobsRest is how long a file must have lain untouched before it is
	// removed: an upload of the same content may be under way.
	blobsRest = time.Hour
)

// retentionTx is what the end of messages needs.
type retentionTx interface {
	// Outlived are consultations that ended before a time, whose messages are
	// still there, and of whose participants none is under a legal hold.
	Outlived(before time.Time, limit int) ([]consultation.ID, error)
	// PersonalMessages are what people said in a consultation, as far as it is
	// there.
	PersonalMessages(id consultation.ID) ([]Message, error)
	// EraseMessage makes left, which is recalled, all that is kept of a message.
	EraseMessage(left Message) error
	// Purge removes what people sent and drew in a consultation, and
	// returns the SHA-256 of the files that nothing refers to any more.
	Purge(id consultation.ID, at time.Time) (files []string, err error)
}

// Timers are the timers that the service fires.
func (s *Service) Timers() map[string]rooms.TimerFunc {
	return map[string]rooms.TimerFunc{timerRetention: s.retain}
}

// PlantRetention has the service look soon, and then every day, for
// consultations whose messages are to be kept no longer.
func (s *Service) PlantRetention(ctx context.Context) error {
	if s.cfg.KeepMessages == 0 {
		return nil
	}
	return s.store.InTx(ctx, func(tx Tx) error {
		return tx.SetTimer(rooms.Timer{Kind: timerRetention, Due: s.now().Add(retentionFirst)})
	})
}

// retain ends messages whose time is up. The log keeps its events without what
// was said in them, as if it had been taken back; what was signed stays.
func (s *Service) retain(ctx context.Context, t rooms.Timer) error {
	now := s.now()
	t.Due = now.Add(retentionEvery)
	if err := s.store.InTx(ctx, func(tx Tx) error { return tx.SetTimer(t) }); err != nil || s.cfg.KeepMessages == 0 {
		return err
	}
	for {
		ids, err := rooms.InTx(ctx, s.store, func(tx Tx) ([]consultation.ID, error) {
			return tx.Outlived(now.Add(-s.cfg.KeepMessages), retentionBatch)
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := s.purge(ctx, id, now); err != nil {
				return err
			}
		}
	}
}

func (s *Service) purge(ctx context.Context, id consultation.ID, now time.Time) error {
	files, err := rooms.InTx(ctx, s.store, func(tx Tx) ([]string, error) {
		said, err := tx.PersonalMessages(id)
		if err != nil {
			return nil, err
		}
		for _, m := range said {
			at := now
			if m.RecalledAt != nil {
				at = *m.RecalledAt
			}
			if err := tx.EraseMessage(m.Recalled(at)); err != nil {
				return nil, err
			}
		}
		subject := "consultation:" + string(id)
		if err := audit.Append(tx, rooms.System, now, audit.MessagesExpired, subject, nil); err != nil {
			return nil, err
		}
		return tx.Purge(id, now)
	})
	if err != nil {
		return err
	}
	for _, sum := range files {
		err = errors.Join(err, s.blobs.Remove(ctx, sum, now.Add(-blobsRest)))
	}
	return err
}
