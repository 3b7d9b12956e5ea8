// Code generated from the features' declarations by `go generate ./server/spec`. DO NOT EDIT.

package spec

import (
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

// events carry a seq in the log of their room.
func events() []outgoing {
	return []outgoing{
		event(account.NewDevice),
		event(account.ReviewDue),
		event(account.Reviewed),
		event(billing.OrderUpdated),
		event(board.Committed),
		event(board.WasUndone),
		event(board.WasCleared),
		event(board.BackgroundChanged),
		event(call.Updated),
		event(chat.Created),
		event(chat.WasRecalled),
		event(chat.WasRead),
		event(chat.Delivered),
		event(consultation.Updated),
		event(consultation.Entered),
		event(consultation.Left),
		event(consultation.InvitationUpdated),
		event(consultation.InvitationCame),
		event(notification.Created),
		event(notification.WasRead),
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
		signal(call.Rings),
		signal(call.AnsweredElsewhere),
		signal(call.Signalled),
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
