package account

import (
	"context"
	"fmt"

	"wenzhen/rooms"
)

func (s *Service) doctors(ctx context.Context, _ rooms.Actor, in DoctorFilter) (DoctorList, error) {
	return s.listDoctors(ctx, DoctorQuery{Filter: in})
}

func (s *Service) applicants(ctx context.Context, _ rooms.Actor, in ApplicantFilter) (DoctorList, error) {
	return s.listDoctors(ctx, DoctorQuery{Filter: DoctorFilter{Limit: in.Limit, Cursor: in.Cursor}, Unverified: true})
}

func (s *Service) listDoctors(ctx context.Context, q DoctorQuery) (DoctorList, error) {
	limit, err := rooms.PageSize(q.Filter.Limit, 20, 100)
	if err != nil {
		return DoctorList{}, err
	}
	if q.After, err = rooms.ParseCursor(q.Filter.Cursor); err != nil {
		return DoctorList{}, err
	}
	q.Limit = limit + 1
	list, err := s.store.Doctors(ctx, q)
	if err != nil {
		return DoctorList{}, err
	}
	items, next := rooms.CutPage(list, limit, func(d Doctor) rooms.Cursor {
		c := rooms.Cursor{Key: d.Name, ID: string(d.ID)}
		if d.Verified {
			c.Num = 1
		}
		return c
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
	return s.changeDoctor(ctx, actor.UserID, func(d *Doctor) error {
		set(&d.Title, in.Title)
		set(&d.Department, in.Department)
		set(&d.Bio, in.Bio)
		set(&d.Languages, in.Languages)
		set(&d.Services, in.Services)
		set(&d.OnDuty, in.OnDuty)
		return nil
	})
}

func (s *Service) verifyDoctor(ctx context.Context, _ rooms.Actor, in DoctorInput) (Doctor, error) {
	return s.changeDoctor(ctx, in.DoctorID, func(d *Doctor) error {
		d.Verified = true
		return nil
	})
}

func (s *Service) changeDoctor(ctx context.Context, id rooms.UserID, change func(*Doctor) error) (Doctor, error) {
	var d Doctor
	err := s.store.InTx(ctx, func(tx Tx) (err error) {
		if d, err = tx.Doctor(id); err != nil {
			return err
		}
		if err := change(&d); err != nil {
			return err
		}
		return tx.SaveDoctor(d)
	})
	return d, err
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

func (s *Service) suspendUser(ctx context.Context, actor rooms.Actor, in UserInput) (User, error) {
	if in.UserID == actor.UserID {
		return User{}, rooms.Invalid("userId", "you cannot suspend yourself")
	}
	var (
		user    User
		revoked []rooms.SessionID
	)
	err := s.store.InTx(ctx, func(tx Tx) (err error) {
		if user, err = tx.User(in.UserID); err != nil {
			return err
		}
		user.Suspended = true
		if err := tx.SaveUser(user); err != nil {
			return err
		}
		revoked, err = tx.RevokeSessions(user.ID, "", s.now())
		return err
	})
	if err != nil {
		return User{}, err
	}
	s.forgetAll(revoked)
	return user, nil
}
