// Code generated from the features' declarations by `go generate ./server/spec`. DO NOT EDIT.

package spec

import (
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/board"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
)

// events carry a seq in the log of their room.
func events() []outgoing {
	return []outgoing{
		event(account.SessionOpened),
		event(account.ReviewDue),
		event(account.Reviewed),
		event(billing.OrderUpdated),
		event(board.StrokeCommitted),
		event(board.StrokeUndone),
		event(board.BoardCleared),
		event(board.BackgroundChanged),
		event(call.CallUpdated),
		event(chat.MessageCreated),
		event(chat.MessageRecalled),
		event(chat.MessageRead),
		event(chat.MessageDelivered),
		event(consultation.ConsultationUpdated),
		event(consultation.ParticipantJoined),
		event(consultation.ParticipantLeft),
		event(consultation.InvitationUpdated),
		event(consultation.InvitationReceived),
		event(notification.NotificationCreated),
		event(notification.NotificationRead),
		event(record.DiagnosisSigned),
		event(record.PrescriptionUpdated),
		event(record.RecordEntered),
		event(record.RecordUpdated),
		event(schedule.AppointmentUpdated),
		event(schedule.WaitUpdated),
	}
}

// signals carry their data alone.
func signals() []outgoing {
	return []outgoing{
		signal(account.SessionRevoked),
		signal(board.Sketched),
		signal(call.CallRinging),
		signal(call.AnsweredElsewhere),
		signal(call.SignalSent),
		signal(call.StateChanged),
		signal(chat.TypingStarted),
		signal(chat.TypingStopped),
		signal(consultation.QueueUpdated),
		signal(consultation.PresenceUpdated),
		signal(lobby.Welcome),
		signal(lobby.Said),
		signal(lobby.Presence),
		signal(operations.Updated),
		signal(schedule.SlotUpdated),
		signal(schedule.ScheduleUpdated),
	}
}
