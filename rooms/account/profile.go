package account

import (
	"context"
	"crypto/rand"
	"regexp"
	"strings"
	"time"
	"unicode"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

func (s *Service) me(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (Self, error) {
	user, err := s.store.User(ctx, actor.UserID)
	if err != nil {
		return Self{}, err
	}
	self := Self{User: user}
	if user.Role == rooms.RoleDoctor {
		doctor, err := s.store.Doctor(ctx, user.ID)
		if err != nil {
			return Self{}, err
		}
		self.Doctor = &doctor
	}
	token, err := s.store.CalendarToken(ctx, user.ID)
	if err != nil {
		return Self{}, err
	}
	if token == "" { // the first time that anyone asks
		err := s.store.InTx(ctx, func(tx Tx) error { return tx.SetCalendarToken(actor.UserID, rand.Text()) })
		if err != nil {
			return Self{}, err
		}
		return s.me(ctx, actor, rooms.Nothing{})
	}
	self.CalendarURL = "/calendar/" + s.signTicket(calendarFeed, token) + ".ics"
	return self, nil
}

// CalendarOwner returns the user whose calendar feed has a secret: the part of
// its address between /calendar/ and .ics. The database has only its first half,
// so that a copy of the database opens no feed. Errors: not_found.
func (s *Service) CalendarOwner(ctx context.Context, _ rooms.Actor, secret string) (User, error) {
	id, ok := s.ticketID(calendarFeed, secret)
	if !ok {
		return User{}, rooms.NotFound("calendar")
	}
	return s.store.CalendarOwner(ctx, id)
}

func (s *Service) rotateCalendar(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (Self, error) {
	err := s.store.InTx(ctx, func(tx Tx) error {
		if err := s.enterInLog(tx, actor, RotateCalendar.Name, actor.UserID); err != nil {
			return err
		}
		return tx.SetCalendarToken(actor.UserID, rand.Text())
	})
	if err != nil {
		return Self{}, err
	}
	return s.me(ctx, actor, rooms.Nothing{})
}

// enterInLog enters in the audit log what was done to an account.
func (s *Service) enterInLog(tx Tx, actor rooms.Actor, action string, user rooms.UserID) error {
	return audit.Append(tx, actor, s.now(), action, "user:"+string(user), nil)
}

// enterPatient enters in the audit log what was done to a patient's profile.
func (s *Service) enterPatient(tx Tx, actor rooms.Actor, action string, id PatientID) error {
	return audit.Append(tx, actor, s.now(), action, "patient:"+string(id), nil)
}

// Validate implements rooms.Validator.
func (in MeInput) Validate() error {
	if in.Name != nil {
		if err := validName("name", *in.Name); err != nil {
			return err
		}
	}
	if in.Locale != nil {
		if err := validLocale(*in.Locale); err != nil {
			return err
		}
	}
	if in.TimeZone != nil {
		return validZone(*in.TimeZone)
	}
	return nil
}

func (s *Service) updateMe(ctx context.Context, actor rooms.Actor, in MeInput) (Self, error) {
	verificationEnded, err := rooms.InTx(ctx, s.store, func(tx Tx) (fell bool, err error) {
		user, err := tx.User(actor.UserID)
		if err != nil {
			return false, err
		}
		set(&user.Name, in.Name)
		set(&user.Locale, in.Locale)
		set(&user.TimeZone, in.TimeZone)
		if in.Name != nil && user.Role == rooms.RoleDoctor {
			if fell, err = s.rename(tx, actor, user.Name); err != nil {
				return false, err
			}
		}
		if err := s.enterInLog(tx, actor, UpdateMe.Name, user.ID); err != nil {
			return false, err
		}
		return fell, tx.SaveUser(user)
	})
	if err != nil {
		return Self{}, err
	}
	if verificationEnded {
		s.unwindNow(ctx, actor.UserID)
	}
	return s.me(ctx, actor, rooms.Nothing{})
}

// Validate implements rooms.Validator.
func (in PatientInput) Validate() error {
	return validPatient(in.patient())
}

func (in PatientInput) patient() Patient {
	return Patient{Name: in.Name, BirthDate: in.BirthDate, Sex: in.Sex, Relation: in.Relation}
}

func (s *Service) patients(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (PatientList, error) {
	list, err := s.store.Patients(ctx, actor.UserID)
	return PatientList{Items: orEmpty(list)}, err
}

// patientsMost bounds the profiles of one user.
const patientsMost = 50

func (s *Service) addPatient(ctx context.Context, actor rooms.Actor, in PatientInput) (Patient, error) {
	if err := rooms.PastDate("birthDate", in.BirthDate, false, s.now()); err != nil {
		return Patient{}, err
	}
	have, err := s.store.Patients(ctx, actor.UserID)
	if err != nil {
		return Patient{}, err
	}
	if len(have) >= patientsMost {
		return Patient{}, rooms.TooLarge("", "at most %d patient profiles", patientsMost)
	}
	p := in.patient()
	p.ID, p.UserID = PatientID(rooms.NewID(s.now())), actor.UserID
	return rooms.InTx(ctx, s.store, func(tx Tx) (Patient, error) {
		if err := tx.InsertPatient(p); err != nil {
			return Patient{}, err
		}
		return p, s.enterPatient(tx, actor, AddPatient.Name, p.ID)
	})
}

func (s *Service) updatePatient(ctx context.Context, actor rooms.Actor, in PatientChange) (Patient, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Patient, error) {
		p, err := tx.Patient(in.PatientID)
		if err != nil {
			return Patient{}, err
		}
		if p.UserID != actor.UserID {
			return Patient{}, rooms.NotFound("patient")
		}
		set(&p.Name, in.Name)
		set(&p.BirthDate, in.BirthDate)
		set(&p.Sex, in.Sex)
		set(&p.Relation, in.Relation)
		if err := validPatient(p); err != nil {
			return Patient{}, err
		}
		if in.BirthDate != nil { // one that was accepted by an earlier version does not keep the rest from being changed
			if err := rooms.PastDate("birthDate", p.BirthDate, false, s.now()); err != nil {
				return Patient{}, err
			}
		}
		if err := s.enterPatient(tx, actor, UpdatePatient.Name, p.ID); err != nil {
			return Patient{}, err
		}
		return p, tx.SavePatient(p)
	})
}

func validPatient(p Patient) error {
	if err := validName("name", p.Name); err != nil {
		return err
	}
	switch p.Sex {
	case "", "male", "female", "other", "unknown":
	default:
		return rooms.Invalid("sex", "sex must be male, female, other or unknown")
	}
	switch p.Relation {
	case "self", "child", "parent", "spouse", "other":
		return nil
	}
	return rooms.Invalid("relation", "relation must be self, child, parent, spouse or other")
}

func validName(field, s string) error {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return rooms.Invalid(field, "%s must have no control characters", field)
	}
	return nil
}

var localePattern = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

func validLocale(s string) error {
	if s != "" && !localePattern.MatchString(s) {
		return rooms.Invalid("locale", "locale must be a language tag such as zh-CN or en")
	}
	return nil
}

func validZone(s string) error {
	if s == "" {
		return nil
	}
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return rooms.Invalid("timeZone", "timeZone must be an IANA name such as Asia/Shanghai")
	}
	return nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// cut returns at most so many bytes of a text from outside, as UTF-8.
func cut(s string, most int) string {
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
