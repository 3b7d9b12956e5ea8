package board

import (
	"context"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/consultation"
)

// Service carries out the commands of the whiteboard.
type Service struct {
	store Store
	hub   *rooms.Hub
	now   func() time.Time
}

// New makes the service.
func New(store Store, hub *rooms.Hub, now func() time.Time) *Service {
	return &Service{store: store, hub: hub, now: now}
}

// Commands are the commands that the service carries out.
func (s *Service) Commands() []rooms.Bound {
	return []rooms.Bound{
		Read.Bind(s.read), Commit.Bind(s.commit), Undo.Bind(s.undo), Clear.Bind(s.clear),
		SetBackground.Bind(s.background), Sketch.Bind(s.sketch),
	}
}

// read shows the board to any participant, in any state of the consultation; to
// an invited person what was drawn since they were let in.
func (s *Service) read(ctx context.Context, actor rooms.Actor, in BoardRef) (Board, error) {
	me, err := s.store.Speaker(ctx, in.ConsultationID, actor.UserID)
	if err != nil {
		return Board{}, err
	}
	return s.store.Board(ctx, in.ConsultationID, me.Since)
}

// draw runs f in a transaction if the actor may draw now: as long as there may
// be talk.
func (s *Service) draw(ctx context.Context, actor rooms.Actor, id consultation.ID, f func(tx Tx, me consultation.Speaker, now time.Time) error) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		me, err := tx.Speaker(id, actor.UserID)
		if err == nil {
			err = me.May()
		}
		if err != nil {
			return err
		}
		return f(tx, me, s.now())
	})
}

func (s *Service) commit(ctx context.Context, actor rooms.Actor, in CommitInput) (Stroke, error) {
	var drawn Stroke
	err := s.draw(ctx, actor, in.ConsultationID, func(tx Tx, _ consultation.Speaker, now time.Time) error {
		stroke := in.stroke()
		stroke.AuthorID, stroke.CreatedAt = actor.UserID, now
		first, err := tx.Stroke(in.ConsultationID, in.ID)
		if err == nil {
			drawn = first
			if !first.same(stroke) {
				e := rooms.Conflict("", "this id has been used for another stroke")
				e.Field = "id"
				return e
			}
			return nil
		} else if rooms.CodeOf(err) != rooms.CodeNotFound {
			return err
		}
		if n, err := tx.CountStrokes(in.ConsultationID); err != nil {
			return err
		} else if n >= strokesMost {
			return rooms.TooLarge("", "the board is full: at most %d strokes; clear it", strokesMost)
		}
		drawn, err = Committed.Record(tx, in.ConsultationID.Room(), actor, now, nil, func(seq rooms.Seq) (Stroke, error) {
			stroke.Seq = seq
			return stroke, tx.InsertStroke(in.ConsultationID, stroke)
		})
		return err
	})
	return drawn, err
}

func (s *Service) undo(ctx context.Context, actor rooms.Actor, in BoardRef) (Undone, error) {
	undone := Undone{ConsultationID: in.ConsultationID}
	err := s.draw(ctx, actor, in.ConsultationID, func(tx Tx, _ consultation.Speaker, now time.Time) error {
		undone.StrokeID = ""
		last, err := tx.LatestStroke(in.ConsultationID, actor.UserID)
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return nil // nothing to undo
		} else if err != nil {
			return err
		}
		undone.StrokeID = last.ID
		if err := tx.RemoveStroke(in.ConsultationID, last.ID); err != nil {
			return err
		}
		_, err = WasUndone.Record(tx, in.ConsultationID.Room(), actor, now, nil, func(rooms.Seq) (Undone, error) { return undone, nil })
		return err
	})
	return undone, err
}

func (s *Service) clear(ctx context.Context, actor rooms.Actor, in BoardRef) (Cleared, error) {
	var cleared Cleared
	err := s.draw(ctx, actor, in.ConsultationID, func(tx Tx, _ consultation.Speaker, now time.Time) error {
		if err := tx.ClearBoard(in.ConsultationID); err != nil {
			return err
		}
		var err error
		cleared, err = WasCleared.Record(tx, in.ConsultationID.Room(), actor, now, nil, func(seq rooms.Seq) (Cleared, error) {
			return Cleared{ConsultationID: in.ConsultationID, Seq: seq}, nil
		})
		return err
	})
	return cleared, err
}

func (s *Service) background(ctx context.Context, actor rooms.Actor, in Background) (Background, error) {
	err := s.draw(ctx, actor, in.ConsultationID, func(tx Tx, me consultation.Speaker, now time.Time) error {
		if in.AttachmentID != "" {
			if picture, err := tx.IsPicture(in.ConsultationID, in.AttachmentID, actor.UserID, me.Since); err != nil {
				return err
			} else if !picture {
				return rooms.Invalid("attachmentId", "no such picture in this consultation")
			}
		}
		_, err := BackgroundChanged.Record(tx, in.ConsultationID.Room(), actor, now, nil, func(seq rooms.Seq) (Background, error) {
			return in, tx.SetBackground(in.ConsultationID, in.AttachmentID, seq)
		})
		return err
	})
	return in, err
}

// sketch tells the room; what is lost comes with the finished stroke.
func (s *Service) sketch(ctx context.Context, actor rooms.Actor, in SketchInput) (rooms.Nothing, error) {
	me, err := s.store.Speaker(ctx, in.ConsultationID, actor.UserID)
	if err != nil {
		return rooms.Nothing{}, err
	}
	if err := me.May(); err != nil {
		return rooms.Nothing{}, err
	}
	Sketched.Send(s.hub, in.ConsultationID.Room(), Sketching{SketchInput: in, UserID: actor.UserID})
	return rooms.Nothing{}, nil
}
