package spec

import (
	"reflect"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/billing"
	"wenzhen/rooms/board"
	"wenzhen/rooms/call"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/lobby"
	"wenzhen/rooms/notification"
	"wenzhen/rooms/operations"
	"wenzhen/rooms/record"
	"wenzhen/rooms/schedule"
)

// told is an event or a signal: its name and the type of its data.
type told struct {
	name, doc, namespace string
	data                 reflect.Type
	// durable events are in the log of their room.
	durable bool
}

func event[D any](e rooms.Event[D]) told {
	return told{name: e.Name, doc: e.Doc, namespace: e.Namespace, data: reflect.TypeFor[D]()}
}

func signal[D any](s rooms.Signal[D]) told {
	return told{name: s.Name, doc: s.Doc, namespace: s.Namespace, data: reflect.TypeFor[D]()}
}

// in tells whether the namespace is the one it is declared for.
func (t told) in(namespace string) bool {
	return t.namespace == namespace || (t.namespace == "" && namespace == rooms.Consultations)
}

// events carry a seq in the log of their room.
func events() []told {
	return []told{
		event(billing.OrderUpdated),
		event(notification.Created), event(notification.WasRead),
		event(account.NewDevice), event(account.ReviewDue), event(account.Reviewed), event(schedule.AppointmentUpdated), event(schedule.WaitUpdated),
		event(consultation.Updated), event(consultation.Entered), event(consultation.Left),
		event(consultation.InvitationUpdated), event(consultation.InvitationCame), event(record.RecordUpdated), event(record.RecordEntered),
		event(record.DiagnosisSigned), event(record.PrescriptionUpdated),
		event(chat.Created), event(chat.WasRecalled), event(chat.WasRead), event(chat.Delivered),
		event(call.Updated),
		event(board.Committed), event(board.WasUndone), event(board.WasCleared), event(board.BackgroundChanged),
	}
}

// signals carry their data alone.
func signals() []told {
	return []told{
		signal(operations.Updated),
		signal(lobby.Welcome), signal(lobby.Said), signal(lobby.Presence),
		signal(schedule.SlotUpdated), signal(schedule.ScheduleUpdated),
		signal(consultation.QueueUpdated), signal(consultation.PresenceUpdated),
		signal(chat.TypingStarted), signal(chat.TypingStopped), signal(account.SessionRevoked),
		signal(call.Rings), signal(call.AnsweredElsewhere), signal(call.Signalled), signal(call.StateChanged), signal(board.Sketched),
	}
}

// refresh is the one command that is not in the catalogue: it concerns the
// socket alone, on every namespace.
var refresh = rooms.Bound{Name: "auth:refresh", Doc: "Renew the login of this socket.", For: rooms.Users,
	In: reflect.TypeFor[AuthInput](), Out: reflect.TypeFor[account.Expiry]()}

// AuthInput is what auth:refresh takes.
type AuthInput struct {
	// Token is an access token of the same user.
	Token string `json:"token"`
}

// enums are the string types whose values are a fixed set.
func enums() map[reflect.Type][]string {
	return map[reflect.Type][]string{
		reflect.TypeFor[rooms.Role](): {string(rooms.RolePatient), string(rooms.RoleDoctor), string(rooms.RoleAdmin)},
		reflect.TypeFor[rooms.Code](): {
			string(rooms.CodeInvalid), string(rooms.CodeUnauthenticated), string(rooms.CodeForbidden), string(rooms.CodeNotFound),
			string(rooms.CodeConflict), string(rooms.CodeClosed), string(rooms.CodePaymentRequired), string(rooms.CodeRateLimited),
			string(rooms.CodeTooLarge), string(rooms.CodeUnavailable), string(rooms.CodeInternal),
		},
		reflect.TypeFor[account.Medium]():      {string(account.Text), string(account.Voice), string(account.Video)},
		reflect.TypeFor[account.Method]():      {string(account.ByPassword), string(account.ByPasskey), string(account.ByProvider)},
		reflect.TypeFor[account.Obstacle]():    values(account.ObstacleConsultations, account.ObstacleAppointments, account.ObstacleMoney, account.ObstacleHold, account.ObstacleLastAdmin),
		reflect.TypeFor[account.ServiceKind](): {string(account.Advice), string(account.Followup)},
		reflect.TypeFor[consultation.Status](): {
			string(consultation.PendingPayment), string(consultation.Waiting), string(consultation.Active), string(consultation.OnHold),
			string(consultation.Ended), string(consultation.Closed), string(consultation.Cancelled), string(consultation.Declined),
			string(consultation.Expired), string(consultation.Terminated),
		},
		reflect.TypeFor[consultation.Part](): {
			string(consultation.PartPatient), string(consultation.PartDoctor), string(consultation.PartColleague),
			string(consultation.PartRelative), string(consultation.PartInterpreter),
		},
		reflect.TypeFor[consultation.LeaveReason](): values(consultation.LeftReassigned, consultation.LeftRemoved, consultation.LeftQuit),
		reflect.TypeFor[consultation.InvitationStatus](): values(consultation.InvitationProposed, consultation.InvitationAccepted, consultation.InvitationEntered,
			consultation.InvitationDeclined, consultation.InvitationWithdrawn, consultation.InvitationLeft),
		reflect.TypeFor[consultation.Refund](): {string(consultation.NoRefund), string(consultation.FullRefund), string(consultation.PartialRefund)},
		reflect.TypeFor[consultation.OrderStatus](): {
			string(consultation.OrderCreated), string(consultation.OrderFailed), string(consultation.OrderPaid), string(consultation.OrderRefunding),
			string(consultation.OrderRefunded), string(consultation.OrderPartiallyRefunded), string(consultation.OrderClosed),
		},
		reflect.TypeFor[consultation.RefundStatus](): {string(consultation.RefundPending), string(consultation.RefundSucceeded), string(consultation.RefundFailed)},
		reflect.TypeFor[consultation.RefundReason](): {
			string(consultation.ForCancelled), string(consultation.ForDeclined), string(consultation.ForExpired), string(consultation.ForUnanswered),
			string(consultation.ForTerminated), string(consultation.ForLate), string(consultation.ForTwice), string(consultation.ForGoodwill),
		},
		reflect.TypeFor[billing.PaymentStatus](): {string(billing.PaymentOpen), string(billing.PaymentPaid), string(billing.PaymentFailed), string(billing.PaymentClosed)},
		reflect.TypeFor[billing.PaymentState](): {
			string(billing.StateUnknown), string(billing.StateOpen), string(billing.StatePaid), string(billing.StateFailed), string(billing.StateClosed),
		},
		reflect.TypeFor[billing.Play](): {
			string(billing.PlayPay), string(billing.PlayFail), string(billing.PlayDelay), string(billing.PlayTwice),
			string(billing.PlayRepeat), string(billing.PlayReorder), string(billing.PlayLate),
		},
		reflect.TypeFor[schedule.ExceptionKind](): {string(schedule.TimeOff), string(schedule.Extra)},
		reflect.TypeFor[schedule.AppointmentStatus](): {
			string(schedule.Held), string(schedule.Booked), string(schedule.CheckedIn), string(schedule.InProgress), string(schedule.Fulfilled),
			string(schedule.HoldExpired), string(schedule.Cancelled), string(schedule.NoShow), string(schedule.ReassignPending),
		},
		reflect.TypeFor[notification.NoticeKind](): {string(notification.Messages), string(notification.Consultations), string(notification.Appointments), string(notification.Calls),
			string(notification.Diagnoses), string(notification.Prescriptions), string(notification.Payments), string(notification.Accounts)},
		reflect.TypeFor[notification.Topic](): {
			string(notification.MessageCame), string(notification.VoiceCame), string(notification.ConsultationRequested), string(notification.ConsultationAccepted), string(notification.ConsultationDeclined),
			string(notification.ConsultationCancelled), string(notification.ConsultationOnHold), string(notification.ConsultationResumed), string(notification.ConsultationEnded),
			string(notification.ConsultationTerminated), string(notification.ConsultationExpired), string(notification.ConsultationReopened), string(notification.ConsultationInvited), string(notification.ConsultationProposed), string(notification.ConsultationEntered),
			string(notification.AppointmentBooked), string(notification.AppointmentMoved), string(notification.AppointmentCancelled), string(notification.AppointmentMissed),
			string(notification.AppointmentUnpaid), string(notification.AppointmentCheckedIn), string(notification.AppointmentOffered), string(notification.WaitlistOffered),
			string(notification.CallMissed), string(notification.DiagnosisSigned), string(notification.DiagnosisAmended), string(notification.RecordChanged), string(notification.RecordEntered),
			string(notification.PrescriptionSigned), string(notification.PrescriptionApproved), string(notification.PrescriptionRejected), string(notification.PrescriptionVoid),
			string(notification.PaymentReceived), string(notification.PaymentExpired), string(notification.PaymentLate), string(notification.PaymentTwice),
			string(notification.PaymentRefunded), string(notification.PaymentRefundFailed), string(notification.PaymentGivenBack),
			string(notification.ConsultationClosed), string(notification.WaitlistClosed),
			string(notification.DoctorReviewDue), string(notification.DoctorVerified), string(notification.DoctorUnverified),
		},
		reflect.TypeFor[schedule.Party]():      {string(schedule.ThePatient), string(schedule.TheDoctor), string(schedule.TheSystem)},
		reflect.TypeFor[schedule.WaitStatus](): {string(schedule.WaitWaiting), string(schedule.WaitOffered), string(schedule.WaitTaken), string(schedule.WaitLeft), string(schedule.WaitClosed)},
		reflect.TypeFor[board.Tool](): {
			string(board.Pen), string(board.Eraser), string(board.Line), string(board.Arrow), string(board.Rectangle), string(board.Ellipse), string(board.Label),
		},
		reflect.TypeFor[call.CallStatus](): {
			string(call.Ringing), string(call.Active), string(call.Ended), string(call.Declined), string(call.Missed), string(call.Busy), string(call.Failed),
		},
		reflect.TypeFor[call.MemberStatus](): {
			string(call.MemberRinging), string(call.MemberJoined), string(call.MemberDeclined), string(call.MemberMissed), string(call.MemberBusy),
			string(call.MemberLeft), string(call.MemberVanished),
		},
		reflect.TypeFor[record.DocumentKind]():   values(record.KindDiagnosis, record.KindPrescription, record.KindSummary),
		reflect.TypeFor[record.DocumentStatus](): values(record.Draft, record.Signed, record.Approved, record.Rejected, record.Void, record.Amended),
		reflect.TypeFor[record.Integrity]():      values(record.Intact, record.Altered, record.UnknownKey),
		reflect.TypeFor[record.Route]():          values(record.Routes()...),
		reflect.TypeFor[record.Freq]():           values(record.Freqs()...),
		reflect.TypeFor[record.Policy]():         values(record.PolicyChina, record.PolicyNone),
		reflect.TypeFor[operations.CheckState](): values(operations.CheckOK, operations.CheckOff, operations.CheckFailing),
		reflect.TypeFor[chat.Kind](): {
			string(chat.Text), string(chat.Image), string(chat.File), string(chat.Audio),
			string(chat.System), string(chat.Call), string(chat.Diagnosis), string(chat.Prescription),
		},
	}
}

// values are those of an enum, as strings.
func values[T ~string](list ...T) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = string(v)
	}
	return all
}
