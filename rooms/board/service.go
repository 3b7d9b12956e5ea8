package board

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// Service executes the commands of the whiteboard.
type Service struct {
	store Store
	hub   *rooms.Hub
	now   func() time.Time
}

// Options are what the service needs.
type Options struct {
	Store Store
	Hub   *rooms.Hub
	Now   func() time.Time
}

// New makes the service.
func New(o Options) *Service {
	return &Service{store: o.Store, hub: o.Hub, now: o.Now}
}

// Commands returns the commands that the service executes.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{
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

// drawer is the actor, who may draw now: as long as there may be talk.
func drawer(tx Tx, actor rooms.Actor, id consultation.ID) (consultation.Speaker, error) {
	me, err := tx.Speaker(id, actor.UserID)
	if err != nil {
		return me, err
	}
	return me, me.May()
}

func (s *Service) commit(ctx context.Context, actor rooms.Actor, in CommitInput) (Stroke, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Stroke, error) {
		if _, err := drawer(tx, actor, in.ConsultationID); err != nil {
			return Stroke{}, err
		}
		stroke := in.stroke()
		stroke.AuthorID, stroke.CreatedAt = actor.UserID, s.now()
		first, err := tx.Stroke(in.ConsultationID, in.ID)
		if err == nil {
			if !first.same(stroke) {
				e := rooms.Conflict("", "this id has been used for another stroke")
				e.Field = "id"
				return Stroke{}, e
			}
			return first, nil
		} else if rooms.CodeOf(err) != rooms.CodeNotFound {
			return Stroke{}, err
		}
		if n, err := tx.CountStrokes(in.ConsultationID); err != nil {
			return Stroke{}, err
		} else if n >= strokesMost {
			return Stroke{}, rooms.TooLarge("", "the board is full: at most %d strokes; clear it", strokesMost)
		}
		return StrokeCommitted.Record(tx, in.ConsultationID.Room(), actor, stroke.CreatedAt, nil, func(seq rooms.Seq) (Stroke, error) {
			stroke.Seq = seq
			return stroke, tx.InsertStroke(in.ConsultationID, stroke)
		})
	})
}

func (s *Service) undo(ctx context.Context, actor rooms.Actor, in BoardRef) (Undone, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Undone, error) {
		if _, err := drawer(tx, actor, in.ConsultationID); err != nil {
			return Undone{}, err
		}
		undone := Undone{ConsultationID: in.ConsultationID}
		last, err := tx.LatestStroke(in.ConsultationID, actor.UserID)
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return undone, nil // nothing to undo
		} else if err != nil {
			return Undone{}, err
		}
		undone.StrokeID = last.ID
		if err := tx.RemoveStroke(in.ConsultationID, last.ID); err != nil {
			return Undone{}, err
		}
		return StrokeUndone.Record(tx, in.ConsultationID.Room(), actor, s.now(), nil, func(rooms.Seq) (Undone, error) { return undone, nil })
	})
}

func (s *Service) clear(ctx context.Context, actor rooms.Actor, in BoardRef) (Cleared, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Cleared, error) {
		if _, err := drawer(tx, actor, in.ConsultationID); err != nil {
			return Cleared{}, err
		}
		if err := tx.ClearBoard(in.ConsultationID); err != nil {
			return Cleared{}, err
		}
		return BoardCleared.Record(tx, in.ConsultationID.Room(), actor, s.now(), nil, func(seq rooms.Seq) (Cleared, error) {
			return Cleared{ConsultationID: in.ConsultationID, Seq: seq}, nil
		})
	})
}

func (s *Service) background(ctx context.Context, actor rooms.Actor, in Background) (Background, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Background, error) {
		me, err := drawer(tx, actor, in.ConsultationID)
		if err != nil {
			return Background{}, err
		}
		if in.AttachmentID != "" {
			if picture, err := tx.IsPicture(in.ConsultationID, in.AttachmentID, actor.UserID, me.Since); err != nil {
				return Background{}, err
			} else if !picture {
				return Background{}, rooms.Invalid("attachmentId", "no such picture in this consultation")
			}
		}
		return BackgroundChanged.Record(tx, in.ConsultationID.Room(), actor, s.now(), nil, func(seq rooms.Seq) (Background, error) {
			return in, tx.SetBackground(in.ConsultationID, in.AttachmentID, seq)
		})
	})
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
