package account

import (
	"context"
	"fmt"

	"wenzhen.example/rooms"
)

func (s *Service) doctors(ctx context.Context, _ rooms.Actor, in DoctorFilter) (DoctorList, error) {
	limit, err := rooms.PageSize(in.Limit, 20, 100)
	if err != nil {
		return DoctorList{}, err
	}
	q := DoctorQuery{Filter: in, Limit: limit + 1}
	if q.After, err = rooms.ParseCursor(in.Cursor); err != nil {
		return DoctorList{}, err
	}
	list, err := s.store.Doctors(ctx, q)
	if err != nil {
		return DoctorList{}, err
	}
	items, next := rooms.CutPage(list, limit, func(d Doctor) rooms.Cursor {
		return rooms.Cursor{Key: d.Name, ID: string(d.ID)}
	})
	return DoctorList{Items: items, NextCursor: next}, nil
}

func (s *Service) readDoctor(ctx context.Context, _ rooms.Actor, in DoctorInput) (Doctor, error) {
	d, err := s.store.Doctor(ctx, in.DoctorID)
	if err == nil && !d.Verified {
		return Doctor{}, rooms.NotFound("doctor")
	}
	return d, err
}

func (s *Service) updateDoctor(ctx context.Context, actor rooms.Actor, in DoctorChange) (Doctor, error) {
	done, err := rooms.InTx(ctx, s.store, func(tx Tx) (profileChange, error) {
		before, err := tx.Doctor(actor.UserID)
		if err != nil {
			return profileChange{}, err
		}
		d := before
		set(&d.Title, in.Title)
		set(&d.Department, in.Department)
		set(&d.Licence, in.Licence)
		set(&d.Bio, in.Bio)
		set(&d.Languages, in.Languages)
		set(&d.Services, in.Services)
		set(&d.OnDuty, in.OnDuty)
		if err := s.reviewAgain(tx, actor, before, &d); err != nil {
			return profileChange{}, err
		}
		if err := s.enterInLog(tx, actor, UpdateDoctor.Name, d.ID); err != nil {
			return profileChange{}, err
		}
		return profileChange{d, before.Verified && !d.Verified}, tx.SaveDoctor(d)
	})
	if err == nil && done.verificationEnded {
		s.unwindNow(ctx, actor.UserID)
	}
	return done.doctor, err
}

// profileChange is a doctor whose profile was changed, and whether that has ended
// the verification.
type profileChange struct {
	doctor            Doctor
	verificationEnded bool
}

// rename changes the name of a doctor, which is verified with the rest, and
// reports whether that has ended the verification.
func (s *Service) rename(tx Tx, actor rooms.Actor, name string) (verificationEnded bool, err error) {
	before, err := tx.Doctor(actor.UserID)
	if err != nil {
		return false, err
	}
	d := before
	d.Name = name
	if err := s.reviewAgain(tx, actor, before, &d); err != nil {
		return false, err
	}
	return before.Verified && !d.Verified, tx.SaveDoctor(d)
}

// Validate implements rooms.Validator.
func (in DoctorChange) Validate() error {
	if in.Languages != nil {
		for _, l := range *in.Languages {
			if l == "" || validLocale(l) != nil {
				return rooms.Invalid("languages", "languages are tags such as zh or en-GB")
			}
		}
	}
	if in.Services != nil {
		return validServices(*in.Services)
	}
	return nil
}

func validServices(list []DoctorService) error {
	offered := map[string]bool{}
	for i, v := range list {
		at := func(field string) string { return fmt.Sprintf("services[%d].%s", i, field) }
		switch {
		case v.Service != Advice && v.Service != Followup:
			return rooms.Invalid(at("service"), "service must be advice or followup")
		case v.Medium != Text && v.Medium != Voice && v.Medium != Video:
			return rooms.Invalid(at("medium"), "medium must be text, voice or video")
		case offered[string(v.Service)+"/"+string(v.Medium)]:
			return rooms.Invalid(at("medium"), "%s by %s is there twice", v.Service, v.Medium)
		}
		offered[string(v.Service)+"/"+string(v.Medium)] = true
	}
	return nil
}

func (s *Service) users(ctx context.Context, _ rooms.Actor, in UserFilter) (UserList, error) {
	limit, err := rooms.PageSize(in.Limit, 20, 100)
	if err != nil {
		return UserList{}, err
	}
	after, err := rooms.ParseCursor(in.Cursor)
	if err != nil {
		return UserList{}, err
	}
	list, err := s.store.Users(ctx, UserQuery{Filter: in, After: after, Limit: limit + 1})
	if err != nil {
		return UserList{}, err
	}
	items, next := rooms.CutPage(list, limit, func(u User) rooms.Cursor {
		return rooms.Cursor{Num: u.CreatedAt.UnixMicro(), ID: string(u.ID)}
	})
	return UserList{Items: items, NextCursor: next}, nil
}
