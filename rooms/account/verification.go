package account

import (
	"context"
	"errors"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

// The commands of verification.
var (
	Applicants = rooms.Command[ApplicantFilter, ApplicantList]{Name: "doctor:applicants", For: rooms.Admins, Access: rooms.All,
		Doc: "List doctors, verified or not: first those awaiting a review, then those rejected."}
	VerifyDoctor = rooms.Command[VerifyDoctorInput, Doctor]{Name: "doctor:verify", For: rooms.Admins, Access: rooms.All,
		Doc: "Verify a doctor's name, title, department and licence as they are now: the doctor is listed until one of " +
			"them changes. Entered in the audit log; the doctor gets a mail."}
	UnverifyDoctor = rooms.Command[UnverifyDoctorInput, Doctor]{Name: "doctor:unverify", For: rooms.Admins, Access: rooms.All,
		Doc: "Reject a doctor's data, or withdraw the verification, with a reason that the doctor can read. " +
			"Appointments and consultations are cancelled or ended as if the doctor was suspended, with a full refund of " +
			"what was not delivered, and a second doctor is removed where invited. Entered in the audit log; the doctor gets a mail."}
)

// What happens to verification, in the doctor's own room.
var (
	ReviewDue = rooms.EventType[DoctorReview]{Name: "doctor:review-due", Doc: "A doctor registered or changed verified " +
		"data; an admin must review it."}
	Reviewed = rooms.EventType[DoctorReview]{Name: "doctor:reviewed", Doc: "An admin verified or rejected a doctor, or " +
		"withdrew the verification."}
)

// DoctorCredentials are what verification covers.
type DoctorCredentials struct {
	Name       string `json:"name"`
	Title      string `json:"title"`
	Department string `json:"department"`
	Licence    string `json:"licence"`
}

// Credentials are what an admin reviews of a profile.
func (d Doctor) Credentials() DoctorCredentials {
	return DoctorCredentials{Name: d.Name, Title: d.Title, Department: d.Department, Licence: d.Licence}
}

// DoctorReview is where the verification of a doctor stands.
type DoctorReview struct {
	DoctorID rooms.UserID `json:"doctorId"`
	Name     string       `json:"name"`
	Verified bool         `json:"verified"`
	// Reason is why it was rejected or withdrawn.
	Reason string `json:"reason,omitempty"`
}

// Applicant is a doctor as an admin reviews them.
type Applicant struct {
	Doctor
	Email         string `json:"email"`
	EmailVerified bool   `json:"emailVerified"`
	// Checked is what was verified last; nil if nothing ever was.
	Checked *DoctorCredentials `json:"checked,omitempty"`
}

// ApplicantList is a page of doctors; NextCursor is empty on the last.
type ApplicantList struct {
	Items      []Applicant `json:"items"`
	NextCursor string      `json:"nextCursor"`
}

// ApplicantQuery is a page of all doctors, after a cursor.
type ApplicantQuery struct {
	After *rooms.Cursor
	Limit int
}

// Rank is the place of a doctor in the list of applicants: those who wait for a
// review, those who were rejected, the rest.
func (d Doctor) Rank() int64 {
	switch {
	case d.Verified:
		return 2
	case d.Rejection != "":
		return 1
	}
	return 0
}

// VerifyDoctorInput names a doctor. Revision, if given, is that of the profile which
// was reviewed: if it has changed meanwhile, that is a conflict.
type VerifyDoctorInput struct {
	DoctorID rooms.UserID `json:"doctorId"`
	Revision *int64       `json:"revision,omitempty" limit:"0..1000000000"`
}

// UnverifyDoctorInput names a doctor and says why, in 1 to 1000 characters.
type UnverifyDoctorInput struct {
	UserID rooms.UserID `json:"userId"`
	Reason string       `json:"reason" limit:"1..1000"`
}

// NotReviewed refuses a doctor who is not verified what only a verified one may do.
func NotReviewed() error {
	e := rooms.Forbidden("an admin has to review your name, title, department and licence first; until then you cannot sign or take patients")
	e.Field = "verified"
	return e
}

func (s *Service) applicants(ctx context.Context, _ rooms.Actor, in ApplicantFilter) (ApplicantList, error) {
	limit, err := rooms.PageSize(in.Limit, 20, 100)
	if err != nil {
		return ApplicantList{}, err
	}
	q := ApplicantQuery{Limit: limit + 1}
	if q.After, err = rooms.ParseCursor(in.Cursor); err != nil {
		return ApplicantList{}, err
	}
	list, err := s.store.Applicants(ctx, q)
	if err != nil {
		return ApplicantList{}, err
	}
	items, next := rooms.CutPage(list, limit, func(a Applicant) rooms.Cursor {
		return rooms.Cursor{Num: a.Rank(), Key: a.Name, ID: string(a.ID)}
	})
	return ApplicantList{Items: items, NextCursor: next}, nil
}

// reviewAgain ends the verification of a doctor whose credentials are no longer
// those of before, and asks for a review unless one is due already.
func (s *Service) reviewAgain(tx Tx, actor rooms.Actor, before Doctor, d *Doctor) error {
	if d.Credentials() == before.Credentials() {
		return nil
	}
	d.Revision++
	due := before.Verified || before.Rejection != ""
	d.Verified, d.Rejection = false, ""
	if before.Verified {
		if err := audit.Append(tx, actor, s.now(), UnverifyDoctor.Name, "user:"+string(d.ID), nil); err != nil {
			return err
		}
		if err := s.endVerification(tx, actor, d.ID); err != nil {
			return err
		}
	}
	if !due {
		return nil
	}
	return s.askReview(tx, actor, *d)
}

// endVerification ends what a doctor could do only with the verification: at once what
// gives access, and by the timer what is open.
func (s *Service) endVerification(tx Tx, actor rooms.Actor, doctor rooms.UserID) error {
	observer := s.cfg.VerificationObserver()
	if observer == nil {
		return errors.New("account: a verification ends, and Options.VerificationObserver is missing")
	}
	if err := observer.VerificationEnded(tx, actor, doctor); err != nil {
		return err
	}
	return s.plantUnwinding(tx, doctor)
}

// askReview tells the admins that a doctor waits for a review.
func (s *Service) askReview(tx Tx, actor rooms.Actor, d Doctor) error {
	return s.recordReview(tx, ReviewDue, actor, d)
}

func (s *Service) recordReview(tx Tx, event rooms.EventType[DoctorReview], actor rooms.Actor, d Doctor) error {
	_, err := event.Record(tx, rooms.UserRoom(d.ID), actor, s.now(), nil, func(rooms.Seq) (DoctorReview, error) {
		return DoctorReview{DoctorID: d.ID, Name: d.Name, Verified: d.Verified, Reason: d.Rejection}, nil
	})
	return err
}

func (s *Service) verifyDoctor(ctx context.Context, actor rooms.Actor, in VerifyDoctorInput) (Doctor, error) {
	d, err := rooms.InTx(ctx, s.store, func(tx Tx) (Doctor, error) {
		d, err := tx.AnyDoctor(in.DoctorID)
		if err != nil {
			return Doctor{}, err
		}
		if in.Revision != nil && *in.Revision != d.Revision {
			e := rooms.Conflict("", "the profile has changed since you looked at it; review it again")
			e.Field = "revision"
			return Doctor{}, e
		}
		if d.Verified {
			return d, nil
		}
		d.Verified, d.Rejection, d.Withdrawn = true, "", false
		if err := tx.CheckDoctor(d); err != nil {
			return Doctor{}, err
		}
		if err := s.plantUnwinding(tx, d.ID); err != nil { // patients who wait for the review learn of it
			return Doctor{}, err
		}
		return d, s.reviewed(tx, actor, d, VerifyDoctor.Name, letterVerified)
	})
	if err == nil {
		s.unwindNow(ctx, d.ID)
	}
	return d, err
}

func (s *Service) unverifyDoctor(ctx context.Context, actor rooms.Actor, in UnverifyDoctorInput) (Doctor, error) {
	d, err := rooms.InTx(ctx, s.store, func(tx Tx) (Doctor, error) {
		d, err := tx.AnyDoctor(in.UserID)
		if err != nil {
			return Doctor{}, err
		}
		d.Verified, d.Rejection, d.Withdrawn = false, in.Reason, true
		if err := s.endVerification(tx, actor, d.ID); err != nil {
			return Doctor{}, err
		}
		return d, s.reviewed(tx, actor, d, UnverifyDoctor.Name, letterUnverified)
	})
	if err == nil {
		s.unwindNow(ctx, d.ID)
	}
	return d, err
}

// reviewed writes what an admin has decided about a doctor, and whom it concerns.
func (s *Service) reviewed(tx Tx, actor rooms.Actor, d Doctor, action, letter string) error {
	if err := tx.SaveDoctor(d); err != nil {
		return err
	}
	if err := s.recordReview(tx, Reviewed, actor, d); err != nil {
		return err
	}
	if err := s.post(tx, letter, string(d.ID)); err != nil {
		return err
	}
	return audit.Append(tx, actor, s.now(), action, "user:"+string(d.ID), func(e *audit.LogEntry) { e.Reason = d.Rejection })
}
