package notification

import (
	"encoding/json"
	"fmt"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/billing"
	"wenzhen/rooms/call"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/record"
	"wenzhen/rooms/schedule"
)

// rule tells whom an event concerns.
type rule func(t *telling) error

// rules are what notifications are made of. A new event that should reach
// people is one line here, one topic, and its words.
var rules = map[string]rule{
	chat.Created.Name:                   on(chat.Created, messageCreated),
	chat.WasRead.Name:                   on(chat.WasRead, roomRead),
	consultation.Updated.Name:           on(consultation.Updated, consultationUpdated),
	consultation.Entered.Name:           on(consultation.Entered, participantJoined),
	consultation.InvitationUpdated.Name: on(consultation.InvitationUpdated, invitationUpdated),
	consultation.InvitationCame.Name:    on(consultation.InvitationCame, invitationCame),
	record.RecordUpdated.Name:           on(record.RecordUpdated, recordUpdated),
	record.RecordEntered.Name:           on(record.RecordEntered, recordEntered),
	call.Updated.Name:                   on(call.Updated, callUpdated),
	record.DiagnosisSigned.Name:         on(record.DiagnosisSigned, diagnosisSigned),
	record.PrescriptionUpdated.Name:     on(record.PrescriptionUpdated, prescriptionUpdated),
	schedule.AppointmentUpdated.Name:    on(schedule.AppointmentUpdated, appointmentUpdated),
	schedule.WaitUpdated.Name:           on(schedule.WaitUpdated, waitUpdated),
	billing.OrderUpdated.Name:           on(billing.OrderUpdated, orderUpdated),
	account.ReviewDue.Name:              on(account.ReviewDue, reviewDue),
	account.Reviewed.Name:               on(account.Reviewed, reviewed),
}

func on[D any](event rooms.EventType[D], follow func(*telling, D) error) rule {
	return func(t *telling) error {
		var d D
		if err := json.Unmarshal(t.event.Data, &d); err != nil {
			return fmt.Errorf("%s: %w: %w", event.Name, rooms.ErrDamaged, err)
		}
		return follow(t, d)
	}
}

// messageCreated notifies the other participants of a message, except those who
// are looking at the consultation, have read it already, or joined later.
func messageCreated(t *telling, m chat.Message) error {
	people, err := t.tx.Participants(m.ConsultationID)
	if err != nil {
		return err
	}
	switch m.Kind {
	case chat.Text, chat.Image, chat.File, chat.Audio:
	case chat.System:
		return glassBroken(t, m, people)
	default:
		return nil // the event of the other feature is notified
	}
	name, topic := "", MessageCame
	if len(m.Peaks) > 0 {
		topic = VoiceCame
	}
	for _, p := range people {
		if p.UserID == m.SenderID {
			name = p.Name
		}
	}
	for _, p := range people {
		if p.JoinedAt.After(m.CreatedAt) || p.ReadUpTo >= m.Seq || t.s.looks(t.event.Room, p.UserID) {
			continue
		}
		if err := t.tell(p.UserID, about{topic: topic, facts: Facts{Name: name}}); err != nil {
			return err
		}
	}
	return nil
}

// glassBroken tells the patient that an admin looked.
func glassBroken(t *telling, m chat.Message, people []consultation.Participant) error {
	if !record.TellsOfGlass(m.ClientID) {
		return nil
	}
	for _, p := range people {
		if p.Role != consultation.PartPatient {
			continue
		}
		if err := t.tell(p.UserID, about{topic: ConsultationEntered}); err != nil {
			return err
		}
	}
	return nil
}

// roomRead takes what was read in a consultation for read in the inbox.
func roomRead(t *telling, r chat.Receipt) error {
	_, err := t.s.markRead(t.tx, rooms.Actor{UserID: r.UserID}, r.UserID, Which{Room: t.event.Room, UpTo: r.UpToSeq})
	return err
}

// previous is the same thing as the event before left it; the zero D if this
// is the first.
func previous[D any](t *telling) (D, error) {
	var d D
	data, err := t.tx.Previous(t.event.Room, t.event.Name, t.event.Seq)
	if err != nil || data == nil {
		return d, err
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("%s before: %w: %w", t.event.Name, rooms.ErrDamaged, err)
	}
	return d, nil
}

// consultationUpdated tells the other side when the state has changed. Of one
// that has an appointment, the appointment tells most.
func consultationUpdated(t *telling, c consultation.Consultation) error {
	was, err := previous[consultation.Consultation](t)
	before := was.Status
	if err != nil || before == c.Status {
		return err
	}
	if c.ScheduledAt != nil && (c.Status == consultation.Waiting || c.Status.Final() && (c.Status != consultation.Terminated || c.EndedBy == consultation.EndedByClinic)) {
		return nil
	}
	patient, doctor := Facts{Name: c.PatientName, Start: c.ScheduledAt}, Facts{Name: c.DoctorName, Start: c.ScheduledAt}
	if c.EndedBy == consultation.EndedByClinic {
		return closedByClinic(t, was, c, patient, doctor)
	}
	if before == consultation.PendingPayment && c.Status != consultation.Waiting {
		if c.Status != consultation.Expired {
			return nil // the doctor has not heard of it yet
		}
		return t.tell(c.UserID, about{topic: PaymentExpired, facts: doctor})
	}
	switch c.Status {
	case consultation.Waiting:
		return t.tell(c.DoctorID, about{topic: ConsultationRequested, facts: patient})
	case consultation.Active:
		switch before {
		case consultation.Waiting:
			return t.tell(c.UserID, about{topic: ConsultationAccepted, facts: doctor})
		case consultation.OnHold:
			return t.tell(c.UserID, about{topic: ConsultationResumed, facts: doctor})
		}
		return t.tell(c.DoctorID, about{topic: ConsultationReopened, facts: patient})
	case consultation.OnHold:
		return t.tell(c.UserID, about{topic: ConsultationOnHold, facts: doctor})
	case consultation.Declined:
		return t.tell(c.UserID, about{topic: ConsultationDeclined, facts: doctor})
	case consultation.Ended:
		return t.tell(c.UserID, about{topic: ConsultationEnded, facts: doctor})
	case consultation.Terminated:
		return t.tell(c.UserID, about{topic: ConsultationTerminated, facts: doctor})
	case consultation.Expired:
		return t.tell(c.UserID, about{topic: ConsultationExpired, facts: doctor})
	case consultation.Cancelled:
		return t.tell(c.DoctorID, about{topic: ConsultationCancelled, facts: patient})
	}
	return nil
}

// closedByClinic tells both sides, unless the doctor has not heard of it yet.
func closedByClinic(t *telling, was, c consultation.Consultation, patient, doctor Facts) error {
	if was.EndedBy == consultation.EndedByClinic {
		return nil // its time for questions is up
	}
	if err := t.tell(c.UserID, about{topic: ConsultationClosed, facts: doctor}); err != nil || was.Status == consultation.PendingPayment {
		return err
	}
	return t.tell(c.DoctorID, about{topic: ConsultationClosed, facts: patient})
}

// reviewDue tells the admins of a doctor who is to be reviewed.
func reviewDue(t *telling, r account.DoctorReview) error {
	admins, err := t.tx.Admins()
	if err != nil {
		return err
	}
	for _, admin := range admins {
		if err := t.tell(admin, about{topic: DoctorReviewDue, facts: Facts{Name: r.Name}}); err != nil {
			return err
		}
	}
	return nil
}

func reviewed(t *telling, r account.DoctorReview) error {
	topic := DoctorUnverified
	if r.Verified {
		topic = DoctorVerified
	}
	return t.tell(r.DoctorID, about{topic: topic})
}

func participantJoined(t *telling, p consultation.Participant) error {
	if p.Role == consultation.PartDoctor {
		return nil // the event of the appointment is notified
	}
	by, err := t.tx.User(t.event.ActorID)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return nil
	} else if err != nil {
		return err
	}
	return t.tell(p.UserID, about{topic: ConsultationInvited, facts: Facts{Name: by.Name}})
}

// invitationUpdated tells the patient that the doctor proposes to let someone in.
func invitationUpdated(t *telling, inv consultation.Invitation) error {
	if inv.Status != consultation.InvitationProposed {
		return nil
	}
	return t.tell(rooms.UserID(t.event.Room.Subject()), about{topic: ConsultationProposed, facts: Facts{Name: inv.ByName, Consultation: inv.ConsultationID}})
}

// invitationCame tells who was invited by address.
func invitationCame(t *telling, r consultation.Received) error {
	return t.tell(rooms.UserID(t.event.Room.Subject()), about{topic: ConsultationInvited, facts: Facts{Name: r.ByName, Consultation: r.ConsultationID}})
}

// recordUpdated tells the user who cares for a patient that another has changed
// the record.
func recordUpdated(t *telling, r record.RecordChange) error {
	return t.tell(rooms.UserID(t.event.Room.Subject()), about{topic: RecordChanged, facts: Facts{Name: r.ByName, Patient: r.PatientID}})
}

// recordEntered notifies the user who cares for a patient that an admin has
// looked at the record, and why.
func recordEntered(t *telling, r record.RecordEntry) error {
	return t.tell(rooms.UserID(t.event.Room.Subject()), about{topic: RecordEntered, facts: Facts{Name: r.PatientName, Reason: r.Reason, Patient: r.PatientID}})
}

// appointmentUpdated tells both sides what calendars have to know, and each
// what the other did.
func appointmentUpdated(t *telling, a schedule.Appointment) error {
	was, err := previous[schedule.Appointment](t)
	if err != nil || (was.Status == a.Status && was.Start.Equal(a.Start) && was.DoctorID == a.DoctorID) {
		return err
	}
	patient, doctor := Facts{Name: a.PatientName, Start: &a.Start}, Facts{Name: a.DoctorName, Start: &a.Start}
	both := func(topic Topic) error {
		if err := t.tell(a.UserID, about{topic: topic, facts: doctor, own: true}); err != nil {
			return err
		}
		return t.tell(a.DoctorID, about{topic: topic, facts: patient, own: true})
	}
	switch a.Status {
	case schedule.Booked:
		if was.Status == "" || was.Status == schedule.Held {
			return both(AppointmentBooked)
		}
		return both(AppointmentMoved)
	case schedule.Cancelled:
		return both(AppointmentCancelled)
	case schedule.NoShow:
		return both(AppointmentMissed)
	case schedule.HoldExpired:
		return t.tell(a.UserID, about{topic: AppointmentUnpaid, facts: doctor})
	case schedule.CheckedIn:
		return t.tell(a.DoctorID, about{topic: AppointmentCheckedIn, facts: patient})
	case schedule.ReassignPending:
		if a.Offer != nil {
			return t.tell(a.UserID, about{topic: AppointmentOffered, facts: Facts{Name: a.Offer.DoctorName, Start: &a.Offer.Start}})
		}
	}
	return nil
}

func waitUpdated(t *telling, w schedule.Wait) error {
	if w.Status == schedule.WaitClosed {
		return t.tell(w.UserID, about{topic: WaitlistClosed})
	}
	if w.Status != schedule.WaitOffered || w.Offer == nil {
		return nil
	}
	return t.tell(w.UserID, about{topic: WaitlistOffered, facts: Facts{Name: w.Offer.DoctorName, Start: &w.Offer.Start}})
}

// callUpdated tells those whose ringing nobody answered.
func callUpdated(t *telling, c call.Call) error {
	was, err := previous[call.Call](t)
	if err != nil {
		return err
	}
	missed, name := map[rooms.UserID]bool{}, ""
	for _, m := range was.Members {
		missed[m.UserID] = m.Status == call.MemberMissed && was.ID == c.ID
	}
	for _, m := range c.Members {
		if m.UserID == c.CallerID {
			name = m.Name
		}
	}
	for _, m := range c.Members {
		if m.Status != call.MemberMissed || missed[m.UserID] {
			continue
		}
		if err := t.tell(m.UserID, about{topic: CallMissed, facts: Facts{Name: name}}); err != nil {
			return err
		}
	}
	return nil
}

func diagnosisSigned(t *telling, d record.Diagnosis) error {
	topic := DiagnosisSigned
	if d.Supersedes != "" {
		topic = DiagnosisAmended
	}
	return t.tell(d.UserID, about{topic: topic, facts: Facts{Name: d.DoctorName}})
}

// prescriptionUpdated tells the patient of what can be used, and the doctor of
// what was rejected.
func prescriptionUpdated(t *telling, p record.Prescription) error {
	doctor := Facts{Name: p.DoctorName}
	switch p.Status {
	case record.Signed:
		return t.tell(p.UserID, about{topic: PrescriptionSigned, facts: doctor})
	case record.Approved:
		return t.tell(p.UserID, about{topic: PrescriptionApproved, facts: doctor})
	case record.Rejected:
		return t.tell(p.DoctorID, about{topic: PrescriptionRejected, facts: Facts{Name: p.PatientName}})
	case record.Void:
		return t.tell(p.UserID, about{topic: PrescriptionVoid, facts: doctor})
	}
	return nil
}
