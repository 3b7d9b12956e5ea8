package notification

import (
	"encoding/json"
	"fmt"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
)

// rule says who is notified of an event, and of what. It writes no notification:
// it returns them.
type rule func(t *telling) ([]inboxEntry, error)

// rules are what notifications are made of. A new event that should reach
// people is one line here, one topic, and its words.
var rules = map[string]rule{
	chat.MessageCreated.Name:              on(chat.MessageCreated, messageCreated),
	chat.MessageRead.Name:                 on(chat.MessageRead, roomRead),
	consultation.ConsultationUpdated.Name: on(consultation.ConsultationUpdated, consultationUpdated),
	consultation.ParticipantJoined.Name:   on(consultation.ParticipantJoined, participantJoined),
	consultation.ParticipantLeft.Name:     on(consultation.ParticipantLeft, participantLeft),
	consultation.InvitationUpdated.Name:   on(consultation.InvitationUpdated, invitationUpdated),
	consultation.InvitationReceived.Name:  on(consultation.InvitationReceived, invitationCame),
	record.RecordUpdated.Name:             on(record.RecordUpdated, recordUpdated),
	record.RecordEntered.Name:             on(record.RecordEntered, recordEntered),
	call.CallUpdated.Name:                 on(call.CallUpdated, callUpdated),
	record.DiagnosisSigned.Name:           on(record.DiagnosisSigned, diagnosisSigned),
	record.PrescriptionUpdated.Name:       on(record.PrescriptionUpdated, prescriptionUpdated),
	schedule.AppointmentUpdated.Name:      on(schedule.AppointmentUpdated, appointmentUpdated),
	schedule.WaitUpdated.Name:             on(schedule.WaitUpdated, waitUpdated),
	billing.OrderUpdated.Name:             on(billing.OrderUpdated, orderUpdated),
	account.ReviewDue.Name:                on(account.ReviewDue, reviewDue),
	account.Reviewed.Name:                 on(account.Reviewed, reviewed),
}

func on[D any](event rooms.EventType[D], apply func(*telling, D) ([]inboxEntry, error)) rule {
	return func(t *telling) ([]inboxEntry, error) {
		var d D
		if err := json.Unmarshal(t.event.Data, &d); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", event.Name, rooms.ErrDamaged, err)
		}
		return apply(t, d)
	}
}

// messageCreated notifies the other participants of a message, except those who
// are viewing the consultation, have read it already, or joined later.
func messageCreated(t *telling, m chat.Message) ([]inboxEntry, error) {
	people, err := t.tx.Participants(m.ConsultationID)
	if err != nil {
		return nil, err
	}
	switch m.Kind {
	case chat.Text, chat.Image, chat.File, chat.Audio:
	case chat.System:
		return breakGlassAccess(m, people), nil
	default:
		return nil, nil // the event of the other feature is notified
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
	var list []inboxEntry
	for _, p := range people {
		if p.JoinedAt.After(m.CreatedAt) || p.ReadUpTo >= m.Seq || t.s.isViewing(t.event.Room, p.UserID) {
			continue
		}
		list = append(list, inboxEntry{to: p.UserID, topic: topic, facts: Facts{Name: name}})
	}
	return list, nil
}

// breakGlassAccess notifies the patient of break-glass access by an admin.
func breakGlassAccess(m chat.Message, people []consultation.Participant) (list []inboxEntry) {
	if !record.IsBreakGlassMessage(m.ClientID) {
		return nil
	}
	for _, p := range people {
		if p.Role == consultation.PartPatient {
			list = append(list, inboxEntry{to: p.UserID, topic: ConsultationEntered})
		}
	}
	return list
}

// roomRead takes what was read in a consultation for read in the inbox.
func roomRead(t *telling, r chat.Receipt) ([]inboxEntry, error) {
	_, err := t.s.markRead(t.tx, rooms.Actor{UserID: r.UserID}, r.UserID, Which{Room: t.event.Room, UpTo: r.UpToSeq})
	return nil, err
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

// consultationUpdated notifies the other side when the state has changed. Of one
// that has an appointment, the appointment says most.
func consultationUpdated(t *telling, c consultation.Consultation) ([]inboxEntry, error) {
	was, err := previous[consultation.Consultation](t)
	if err != nil {
		return nil, err
	}
	var all []inboxEntry
	if c.DoctorReview && !was.DoctorReview {
		all = append(all, inboxEntry{to: c.UserID, topic: ConsultationReview, facts: Facts{Name: c.DoctorName}})
	}
	if was.Status != c.Status {
		all = append(all, statusChanged(t, was, c)...)
	}
	return all, nil
}

// statusChanged notifies the other side of a new state.
func statusChanged(t *telling, was, c consultation.Consultation) []inboxEntry {
	before := was.Status
	if c.ScheduledAt != nil && (c.Status == consultation.Waiting || c.Status.Final() && (c.Status != consultation.Terminated || c.EndedBy == consultation.EndedByClinic)) {
		return nil
	}
	patient, doctor := Facts{Name: c.PatientName, Start: c.ScheduledAt}, Facts{Name: c.DoctorName, Start: c.ScheduledAt}
	if c.EndedBy == consultation.EndedByClinic {
		return closedByClinic(was, c, patient, doctor)
	}
	if before == consultation.PendingPayment && c.Status != consultation.Waiting {
		if c.Status != consultation.Expired {
			return nil // the doctor does not know of it yet
		}
		return []inboxEntry{{to: c.UserID, topic: PaymentExpired, facts: doctor}}
	}
	switch c.Status {
	case consultation.Waiting:
		return []inboxEntry{{to: c.DoctorID, topic: ConsultationRequested, facts: patient}}
	case consultation.Active:
		switch before {
		case consultation.Waiting:
			return []inboxEntry{{to: c.UserID, topic: ConsultationAccepted, facts: doctor}}
		case consultation.OnHold:
			return []inboxEntry{{to: c.UserID, topic: ConsultationResumed, facts: doctor}}
		}
		return []inboxEntry{{to: c.DoctorID, topic: ConsultationReopened, facts: patient}}
	case consultation.OnHold:
		return []inboxEntry{{to: c.UserID, topic: ConsultationOnHold, facts: doctor}}
	case consultation.Declined:
		return []inboxEntry{{to: c.UserID, topic: ConsultationDeclined, facts: doctor}}
	case consultation.Ended:
		if t.event.ActorID == c.UserID {
			return []inboxEntry{{to: c.DoctorID, topic: ConsultationFinished, facts: patient}}
		}
		return []inboxEntry{{to: c.UserID, topic: ConsultationEnded, facts: doctor}}
	case consultation.Terminated:
		return []inboxEntry{{to: c.UserID, topic: ConsultationTerminated, facts: doctor}}
	case consultation.Expired:
		return []inboxEntry{{to: c.UserID, topic: ConsultationExpired, facts: doctor}}
	case consultation.Cancelled:
		return []inboxEntry{{to: c.DoctorID, topic: ConsultationCancelled, facts: patient}}
	}
	return nil
}

// closedByClinic notifies both sides, unless the doctor does not know of it yet.
func closedByClinic(was, c consultation.Consultation, patient, doctor Facts) []inboxEntry {
	toPatient := inboxEntry{to: c.UserID, topic: ConsultationClosed, facts: doctor}
	switch {
	case was.EndedBy == consultation.EndedByClinic:
		return nil // its time for questions is up
	case was.Status == consultation.PendingPayment:
		return []inboxEntry{toPatient}
	}
	return []inboxEntry{toPatient, {to: c.DoctorID, topic: ConsultationClosed, facts: patient}}
}

// reviewDue notifies the admins of a doctor who is to be reviewed.
func reviewDue(t *telling, r account.DoctorReview) ([]inboxEntry, error) {
	admins, err := t.tx.Admins()
	if err != nil {
		return nil, err
	}
	list := make([]inboxEntry, len(admins))
	for i, admin := range admins {
		list[i] = inboxEntry{to: admin, topic: DoctorReviewDue, facts: Facts{Name: r.Name}}
	}
	return list, nil
}

func reviewed(t *telling, r account.DoctorReview) ([]inboxEntry, error) {
	topic := DoctorUnverified
	if r.Verified {
		topic = DoctorVerified
	}
	return []inboxEntry{{to: r.DoctorID, topic: topic}}, nil
}

func participantJoined(t *telling, p consultation.Participant) ([]inboxEntry, error) {
	if p.Role == consultation.PartDoctor {
		return nil, nil // the event of the appointment is notified
	}
	by, err := t.tx.User(t.event.ActorID)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return []inboxEntry{{to: p.UserID, topic: ConsultationInvited, facts: Facts{Name: by.Name}}}, nil
}

// participantLeft notifies patient and doctor of a second doctor who had to leave.
func participantLeft(t *telling, d consultation.Departure) ([]inboxEntry, error) {
	if d.Reason != consultation.LeftUnverified {
		return nil, nil
	}
	who, err := t.tx.User(d.UserID)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	people, err := t.tx.Participants(consultation.ID(t.event.Room.Subject()))
	var all []inboxEntry
	for _, p := range people {
		if !p.Invited() {
			all = append(all, inboxEntry{to: p.UserID, topic: ConsultationLeft, facts: Facts{Name: who.Name}})
		}
	}
	return all, err
}

// invitationUpdated notifies the patient that the doctor proposes to let someone in.
func invitationUpdated(t *telling, inv consultation.Invitation) ([]inboxEntry, error) {
	if inv.Status != consultation.InvitationProposed {
		return nil, nil
	}
	return []inboxEntry{{to: rooms.UserID(t.event.Room.Subject()), topic: ConsultationProposed, facts: Facts{Name: inv.ByName, Consultation: inv.ConsultationID}}}, nil
}

// invitationCame notifies who was invited by address.
func invitationCame(t *telling, r consultation.Received) ([]inboxEntry, error) {
	return []inboxEntry{{to: rooms.UserID(t.event.Room.Subject()), topic: ConsultationInvited, facts: Facts{Name: r.ByName, Consultation: r.ConsultationID}}}, nil
}

// recordUpdated notifies the user who cares for a patient that another has changed
// the record.
func recordUpdated(t *telling, r record.RecordChange) ([]inboxEntry, error) {
	return []inboxEntry{{to: rooms.UserID(t.event.Room.Subject()), topic: RecordChanged, facts: Facts{Name: r.ByName, Patient: r.PatientID}}}, nil
}

// recordEntered notifies the user who cares for a patient that an admin has
// looked at the record, and why.
func recordEntered(t *telling, r record.RecordEntry) ([]inboxEntry, error) {
	return []inboxEntry{{to: rooms.UserID(t.event.Room.Subject()), topic: RecordEntered, facts: Facts{Name: r.PatientName, Reason: r.Reason, Patient: r.PatientID}}}, nil
}

// appointmentUpdated notifies both sides of what calendars have to know, and each
// what the other did.
func appointmentUpdated(t *telling, a schedule.Appointment) ([]inboxEntry, error) {
	was, err := previous[schedule.Appointment](t)
	if err != nil || (was.Status == a.Status && was.Start.Equal(a.Start) && was.DoctorID == a.DoctorID) {
		return nil, err
	}
	patient, doctor := Facts{Name: a.PatientName, Start: &a.Start}, Facts{Name: a.DoctorName, Start: &a.Start}
	both := func(topic Topic) ([]inboxEntry, error) {
		return []inboxEntry{{to: a.UserID, topic: topic, facts: doctor, own: true}, {to: a.DoctorID, topic: topic, facts: patient, own: true}}, nil
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
		return []inboxEntry{{to: a.UserID, topic: AppointmentUnpaid, facts: doctor}}, nil
	case schedule.CheckedIn:
		return []inboxEntry{{to: a.DoctorID, topic: AppointmentCheckedIn, facts: patient}}, nil
	case schedule.ReassignPending:
		if a.Offer != nil {
			return []inboxEntry{{to: a.UserID, topic: AppointmentOffered, facts: Facts{Name: a.Offer.DoctorName, Start: &a.Offer.Start}}}, nil
		}
	}
	return nil, nil
}

func waitUpdated(t *telling, w schedule.Wait) ([]inboxEntry, error) {
	if w.Status == schedule.WaitClosed {
		return []inboxEntry{{to: w.UserID, topic: WaitlistClosed}}, nil
	}
	if w.Status != schedule.WaitOffered || w.Offer == nil {
		return nil, nil
	}
	return []inboxEntry{{to: w.UserID, topic: WaitlistOffered, facts: Facts{Name: w.Offer.DoctorName, Start: &w.Offer.Start}}}, nil
}

// callUpdated notifies those whose ringing nobody answered.
func callUpdated(t *telling, c call.Call) ([]inboxEntry, error) {
	was, err := previous[call.Call](t)
	if err != nil {
		return nil, err
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
	var list []inboxEntry
	for _, m := range c.Members {
		if m.Status != call.MemberMissed || missed[m.UserID] {
			continue
		}
		list = append(list, inboxEntry{to: m.UserID, topic: CallMissed, facts: Facts{Name: name}})
	}
	return list, nil
}

func diagnosisSigned(t *telling, d record.Diagnosis) ([]inboxEntry, error) {
	topic := DiagnosisSigned
	if d.Supersedes != "" {
		topic = DiagnosisAmended
	}
	return []inboxEntry{{to: d.UserID, topic: topic, facts: Facts{Name: d.DoctorName}}}, nil
}

// prescriptionUpdated notifies the patient of what can be used, and the doctor of
// what was rejected.
func prescriptionUpdated(t *telling, p record.Prescription) ([]inboxEntry, error) {
	doctor := Facts{Name: p.DoctorName}
	switch p.Status {
	case record.Signed:
		return []inboxEntry{{to: p.UserID, topic: PrescriptionSigned, facts: doctor}}, nil
	case record.Approved:
		return []inboxEntry{{to: p.UserID, topic: PrescriptionApproved, facts: doctor}}, nil
	case record.Rejected:
		return []inboxEntry{{to: p.DoctorID, topic: PrescriptionRejected, facts: Facts{Name: p.PatientName}}}, nil
	case record.Void:
		return []inboxEntry{{to: p.UserID, topic: PrescriptionVoid, facts: doctor}}, nil
	}
	return nil, nil
}
