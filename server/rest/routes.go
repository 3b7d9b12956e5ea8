package rest

import (
	"encoding/json"
	"net/http"

	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/board"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
)

// Route is an HTTP route under /api/v1 and the command behind it. Parameters
// of the path and of the query are fields of the command's input, by name.
type Route struct {
	Method, Path, Command string
	// Status is that of success; 204 has no body.
	Status int
	// Anonymous routes take no notice of an Authorization header: they are how
	// one gets in, and must work with a stale token at hand.
	Anonymous bool
	// versioned routes answer with an ETag, and take If-Match, of the answer's version.
	versioned bool
	// idempotent routes take an Idempotency-Key as the id of what they create.
	idempotent bool
	// text routes answer with a string of this type, as a file of this name.
	text, file string
	// later answers with 202 Accepted instead of Status if the command's answer
	// says that nothing has come of it yet.
	later func(answer json.RawMessage) bool
	// body of the answer, where it is not the command's answer as JSON
	content content
}

// content is what a route sends or takes instead of JSON.
type content int

const (
	asJSON content = iota
	upload
	download
	thumbnail
	browser  // JSON, for a browser that is known by a cookie
	redirect // the browser is sent on; it is known by a cookie
	form     // the input is a form, as others' standards have it
	printed
	archived
)

// Versioned reports whether the route answers with an ETag and takes If-Match.
func (r Route) Versioned() bool { return r.versioned }

// Later reports whether the route may answer with 202 Accepted too.
func (r Route) Later() bool { return r.later != nil }

// proposed reports whether an invitation waits for the patient.
func proposed(answer json.RawMessage) bool {
	var out consultation.Admission
	return json.Unmarshal(answer, &out) == nil && out.Invitation.Status == consultation.InvitationProposed
}

// Idempotent reports whether the route takes an Idempotency-Key.
func (r Route) Idempotent() bool { return r.idempotent }

// Media are the types of what the route takes and gives, where it is not JSON.
func (r Route) Media() (takes, gives string) {
	switch r.content {
	case upload:
		return "multipart/form-data", ""
	case download, thumbnail:
		return "", "application/octet-stream"
	case form:
		return formType, ""
	case printed:
		return "", "application/pdf"
	case archived:
		return "", "application/zip"
	}
	if r.text != "" {
		return "", r.text
	}
	return "", ""
}

// Routes are all routes that ask for commands.
func Routes() []Route {
	return []Route{
		{Method: "POST", Path: "/auth/register", Command: account.Register.Name, Status: http.StatusCreated, Anonymous: true},
		{Method: "POST", Path: "/auth/login", Command: account.LogIn.Name, Status: http.StatusOK, Anonymous: true},
		{Method: "POST", Path: "/auth/refresh", Command: account.Refresh.Name, Status: http.StatusOK, Anonymous: true},
		{Method: "POST", Path: "/auth/logout", Command: account.LogOut.Name, Status: http.StatusNoContent, Anonymous: true},
		{Method: "POST", Path: "/auth/password/forgot", Command: account.ForgotPassword.Name, Status: http.StatusNoContent, Anonymous: true},
		{Method: "POST", Path: "/auth/password/reset", Command: account.ResetPassword.Name, Status: http.StatusOK, Anonymous: true},
		{Method: "POST", Path: "/auth/email/verify", Command: account.VerifyEmail.Name, Status: http.StatusNoContent, Anonymous: true},
		{Method: "GET", Path: "/auth/oidc/:provider/start", Command: account.StartProvider.Name, Status: http.StatusFound, Anonymous: true, content: redirect},
		{Method: "GET", Path: "/auth/oidc/:provider/callback", Command: account.ProviderCallback.Name, Status: http.StatusFound, Anonymous: true, content: redirect},
		{Method: "POST", Path: "/auth/oidc/:provider/logout", Command: account.BackChannelLogout.Name, Status: http.StatusOK, Anonymous: true, content: form},
		{Method: "POST", Path: "/auth/oidc/finish", Command: account.FinishProvider.Name, Status: http.StatusOK, Anonymous: true, content: browser},
		{Method: "POST", Path: "/auth/oidc/logout", Command: account.LogOutProvider.Name, Status: http.StatusOK, Anonymous: true},
		{Method: "POST", Path: "/auth/passkey/ask", Command: account.AskPasskey.Name, Status: http.StatusOK, Anonymous: true},
		{Method: "POST", Path: "/auth/passkey/use", Command: account.UsePasskey.Name, Status: http.StatusOK, Anonymous: true},
		{Method: "POST", Path: "/auth/sessions/confirm", Command: account.Confirm.Name, Status: http.StatusNoContent},
		{Method: "POST", Path: "/auth/sessions/keep", Command: account.KeepSession.Name, Status: http.StatusNoContent},
		{Method: "DELETE", Path: "/auth/sessions", Command: account.RevokeOthers.Name, Status: http.StatusNoContent},
		{Method: "GET", Path: "/auth/sessions", Command: account.Sessions.Name, Status: http.StatusOK},
		{Method: "DELETE", Path: "/auth/sessions/:sessionId", Command: account.RevokeSession.Name, Status: http.StatusNoContent},

		{Method: "GET", Path: "/me", Command: account.Me.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/me/export", Command: account.Export.Name, Status: http.StatusOK, content: archived},
		{Method: "GET", Path: "/me/erasure", Command: account.ReadErasure.Name, Status: http.StatusOK},
		{Method: "DELETE", Path: "/me", Command: account.Erase.Name, Status: http.StatusOK},
		{Method: "PATCH", Path: "/me", Command: account.UpdateMe.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/me/security", Command: account.ReadSecurity.Name, Status: http.StatusOK},
		{Method: "PUT", Path: "/me/password", Command: account.ChangePassword.Name, Status: http.StatusNoContent},
		{Method: "POST", Path: "/me/email/verification", Command: account.SendVerification.Name, Status: http.StatusNoContent},
		{Method: "POST", Path: "/me/totp", Command: account.BeginTOTP.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/me/totp/confirm", Command: account.ConfirmTOTP.Name, Status: http.StatusOK},
		{Method: "DELETE", Path: "/me/totp", Command: account.RemoveTOTP.Name, Status: http.StatusNoContent},
		{Method: "POST", Path: "/me/recovery-codes", Command: account.RenewRecoveryCodes.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/me/passkeys/begin", Command: account.BeginPasskey.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/me/passkeys", Command: account.AddPasskey.Name, Status: http.StatusCreated},
		{Method: "DELETE", Path: "/me/passkeys/:passkeyId", Command: account.RemovePasskey.Name, Status: http.StatusNoContent},
		{Method: "POST", Path: "/me/identities/:provider", Command: account.LinkProvider.Name, Status: http.StatusOK, content: browser},
		{Method: "DELETE", Path: "/me/identities/:identityId", Command: account.Unlink.Name, Status: http.StatusNoContent},
		{Method: "PATCH", Path: "/me/doctor", Command: account.UpdateDoctor.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/me/patients", Command: account.Patients.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/me/patients", Command: account.AddPatient.Name, Status: http.StatusCreated},
		{Method: "PATCH", Path: "/me/patients/:patientId", Command: account.UpdatePatient.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/me/quick-replies", Command: chat.QuickReplies.Name, Status: http.StatusOK},
		{Method: "PUT", Path: "/me/quick-replies", Command: chat.SaveQuickReplies.Name, Status: http.StatusOK},

		{Method: "GET", Path: "/doctors", Command: account.Doctors.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/doctors/:doctorId", Command: account.ReadDoctor.Name, Status: http.StatusOK},

		{Method: "POST", Path: "/consultations", Command: consultation.Open.Name, Status: http.StatusCreated, idempotent: true},
		{Method: "GET", Path: "/consultations", Command: consultation.List.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/consultations/:consultationId", Command: consultation.Read.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/accept", Command: consultation.Accept.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/decline", Command: consultation.Decline.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/cancel", Command: consultation.Cancel.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/hold", Command: consultation.Hold.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/resume", Command: consultation.Resume.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/end", Command: consultation.End.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/terminate", Command: consultation.Terminate.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/reopen", Command: consultation.Reopen.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/invitations", Command: consultation.Invite.Name, Status: http.StatusCreated, later: proposed},
		{Method: "GET", Path: "/consultations/:consultationId/invitations", Command: consultation.ListInvitations.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/invitations/:invitationId/answer", Command: consultation.AnswerInvitation.Name, Status: http.StatusOK},
		{Method: "DELETE", Path: "/consultations/:consultationId/invitations/:invitationId", Command: consultation.WithdrawInvitation.Name, Status: http.StatusOK},
		{Method: "DELETE", Path: "/consultations/:consultationId/participants/:userId", Command: consultation.RemoveParticipant.Name, Status: http.StatusNoContent},
		{Method: "POST", Path: "/consultations/:consultationId/quit", Command: consultation.Quit.Name, Status: http.StatusNoContent},
		{Method: "GET", Path: "/consultations/:consultationId/events", Command: consultation.Events.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/consultations/:consultationId/messages", Command: chat.History.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/messages", Command: chat.Send.Name, Status: http.StatusCreated},
		{Method: "POST", Path: "/consultations/:consultationId/messages/:messageId/recall", Command: chat.Recall.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/read", Command: chat.MarkRead.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/receive", Command: chat.MarkDelivered.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/attachments", Command: chat.Upload.Name, Status: http.StatusCreated, content: upload},
		{Method: "GET", Path: "/attachments/:attachmentId", Command: chat.Download.Name, Status: http.StatusOK, content: download},
		{Method: "GET", Path: "/attachments/:attachmentId/thumbnail", Command: chat.Download.Name, Status: http.StatusOK, content: thumbnail},
		{Method: "GET", Path: "/messages", Command: chat.Search.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/consultations/:consultationId/board", Command: board.Read.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/calls", Command: call.List.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/ice-servers", Command: call.ReadServers.Name, Status: http.StatusOK},

		{Method: "POST", Path: "/me/calendar", Command: account.RotateCalendar.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/me/schedule", Command: schedule.ReadSchedule.Name, Status: http.StatusOK, versioned: true},
		{Method: "PUT", Path: "/me/schedule", Command: schedule.SaveSchedule.Name, Status: http.StatusOK, versioned: true},
		{Method: "POST", Path: "/me/schedule/exceptions", Command: schedule.AddException.Name, Status: http.StatusCreated},
		{Method: "POST", Path: "/me/schedule/exceptions/preview", Command: schedule.PreviewException.Name, Status: http.StatusOK},
		{Method: "DELETE", Path: "/me/schedule/exceptions/:exceptionId", Command: schedule.RemoveException.Name, Status: http.StatusNoContent},
		{Method: "GET", Path: "/doctors/:doctorId/slots", Command: schedule.Slots.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/appointments", Command: schedule.Book.Name, Status: http.StatusCreated, idempotent: true},
		{Method: "GET", Path: "/appointments", Command: schedule.Appointments.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/appointments/:appointmentId", Command: schedule.ReadAppointment.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/appointments/:appointmentId/reschedule", Command: schedule.Reschedule.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/appointments/:appointmentId/cancel", Command: schedule.Cancel.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/appointments/:appointmentId/check-in", Command: schedule.CheckIn.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/appointments/:appointmentId/accept", Command: schedule.AcceptOffer.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/appointments/:appointmentId/decline", Command: schedule.DeclineOffer.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/waitlist", Command: schedule.Waitlist.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/waitlist", Command: schedule.JoinWaitlist.Name, Status: http.StatusCreated},
		{Method: "POST", Path: "/waitlist/:waitId/accept", Command: schedule.TakeOffer.Name, Status: http.StatusCreated},
		{Method: "DELETE", Path: "/waitlist/:waitId", Command: schedule.LeaveWaitlist.Name, Status: http.StatusOK},

		{Method: "GET", Path: "/orders", Command: billing.Orders.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/orders/:orderId", Command: billing.ReadOrder.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/orders/:orderId/checkout", Command: billing.Checkout.Name, Status: http.StatusOK, idempotent: true},
		{Method: "GET", Path: "/me/income", Command: billing.Income.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/me/income.csv", Command: billing.ExportIncome.Name, Status: http.StatusOK, text: "text/csv; charset=utf-8", file: "income.csv"},
		{Method: "GET", Path: "/sandbox/:reference", Command: billing.SandboxRead.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/sandbox/:reference", Command: billing.SandboxPlay.Name, Status: http.StatusOK},

		{Method: "GET", Path: "/admin/orders", Command: billing.AllOrders.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/admin/orders/:orderId", Command: billing.OrderFile.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/orders/:orderId/refund", Command: billing.RefundOrder.Name, Status: http.StatusOK, idempotent: true},
		{Method: "GET", Path: "/admin/reconciliations", Command: billing.Reconciliations.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/reconciliations", Command: billing.Reconcile.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/notifications", Command: notification.List.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/notifications/read", Command: notification.Read.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/notifications/see", Command: notification.See.Name, Status: http.StatusNoContent},
		{Method: "GET", Path: "/notifications/preferences", Command: notification.ReadPreferences.Name, Status: http.StatusOK},
		{Method: "PUT", Path: "/notifications/preferences", Command: notification.SavePreferences.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/push-subscriptions", Command: notification.Subscribe.Name, Status: http.StatusCreated},
		{Method: "DELETE", Path: "/push-subscriptions/:subscriptionId", Command: notification.Unsubscribe.Name, Status: http.StatusNoContent},
		{Method: "GET", Path: "/icd10", Command: record.SearchCodes.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/drugs", Command: record.SearchDrugs.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/prescriptions/check", Command: record.CheckPrescription.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/consultations/:consultationId/diagnoses", Command: record.DraftDiagnosis.Name, Status: http.StatusCreated},
		{Method: "GET", Path: "/consultations/:consultationId/diagnoses", Command: record.Diagnoses.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/diagnoses/:diagnosisId/pdf", Command: record.PrintDiagnosis.Name, Status: http.StatusOK, content: printed},
		{Method: "GET", Path: "/prescriptions/:prescriptionId/pdf", Command: record.PrintPrescription.Name, Status: http.StatusOK, content: printed},
		{Method: "GET", Path: "/consultations/:consultationId/summary/pdf", Command: record.PrintSummary.Name, Status: http.StatusOK, content: printed},
		{Method: "GET", Path: "/diagnoses/:diagnosisId", Command: record.ReadDiagnosis.Name, Status: http.StatusOK},
		{Method: "PUT", Path: "/diagnoses/:diagnosisId", Command: record.ReviseDiagnosis.Name, Status: http.StatusOK},
		{Method: "DELETE", Path: "/diagnoses/:diagnosisId", Command: record.DiscardDiagnosis.Name, Status: http.StatusNoContent},
		{Method: "POST", Path: "/diagnoses/:diagnosisId/sign", Command: record.SignDiagnosis.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/diagnoses/:diagnosisId/amend", Command: record.AmendDiagnosis.Name, Status: http.StatusCreated},
		{Method: "POST", Path: "/consultations/:consultationId/prescriptions", Command: record.DraftPrescription.Name, Status: http.StatusCreated},
		{Method: "GET", Path: "/consultations/:consultationId/prescriptions", Command: record.Prescriptions.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/prescriptions/queue", Command: record.PrescriptionQueue.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/prescriptions/:prescriptionId", Command: record.ReadPrescription.Name, Status: http.StatusOK},
		{Method: "PUT", Path: "/prescriptions/:prescriptionId", Command: record.RevisePrescription.Name, Status: http.StatusOK},
		{Method: "DELETE", Path: "/prescriptions/:prescriptionId", Command: record.DiscardPrescription.Name, Status: http.StatusNoContent},
		{Method: "POST", Path: "/prescriptions/:prescriptionId/sign", Command: record.SignPrescription.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/prescriptions/:prescriptionId/amend", Command: record.AmendPrescription.Name, Status: http.StatusCreated},
		{Method: "POST", Path: "/prescriptions/:prescriptionId/approve", Command: record.ApprovePrescription.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/prescriptions/:prescriptionId/reject", Command: record.RejectPrescription.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/prescriptions/:prescriptionId/void", Command: record.VoidPrescription.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/me/templates", Command: record.Templates.Name, Status: http.StatusOK},
		{Method: "PUT", Path: "/me/templates", Command: record.SaveTemplates.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/me/duties", Command: record.Duty.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/verify", Command: record.VerifyDocument.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/patients", Command: record.TreatedPatients.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/patients/:patientId/record", Command: record.ReadRecord.Name, Status: http.StatusOK, versioned: true},
		{Method: "PUT", Path: "/patients/:patientId/record", Command: record.UpdateRecord.Name, Status: http.StatusOK, versioned: true},
		{Method: "GET", Path: "/admin/pharmacists", Command: record.Pharmacists.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/pharmacists/:userId", Command: record.AppointPharmacist.Name, Status: http.StatusNoContent},
		{Method: "DELETE", Path: "/admin/pharmacists/:userId", Command: record.DismissPharmacist.Name, Status: http.StatusNoContent},
		{Method: "GET", Path: "/admin/consultations", Command: consultation.Cases.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/consultations/:consultationId/close", Command: consultation.Close.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/consultations/:consultationId/break-glass", Command: record.EnterConsultation.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/patients/:patientId/break-glass", Command: record.EnterRecord.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/admin/audit", Command: audit.List.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/audit/break-glass", Command: audit.Enter.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/audit/verify", Command: audit.Verify.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/admin/consultations/counts", Command: consultation.CountAll.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/admin/stats", Command: operations.Read.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/admin/sockets", Command: operations.Sockets.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/sockets/:socketId/disconnect", Command: operations.Disconnect.Name, Status: http.StatusNoContent},
		{Method: "GET", Path: "/admin/rooms", Command: operations.Rooms.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/users/:userId/disconnect", Command: operations.DisconnectUser.Name, Status: http.StatusNoContent},
		{Method: "GET", Path: "/admin/health", Command: operations.Health.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/admin/settings", Command: operations.Settings.Name, Status: http.StatusOK},

		{Method: "GET", Path: "/admin/users", Command: account.Users.Name, Status: http.StatusOK},
		{Method: "GET", Path: "/admin/holds", Command: account.LegalHolds.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/users/:userId/hold", Command: account.PlaceLegalHold.Name, Status: http.StatusCreated},
		{Method: "DELETE", Path: "/admin/users/:userId/hold", Command: account.ReleaseLegalHold.Name, Status: http.StatusNoContent},
		{Method: "POST", Path: "/admin/users/:userId/suspend", Command: account.SuspendUser.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/users/:userId/unsuspend", Command: account.UnsuspendUser.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/users/:userId/unverify", Command: account.UnverifyDoctor.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/users/:userId/reset-second-factor", Command: account.ResetSecondFactor.Name, Status: http.StatusNoContent},
		{Method: "GET", Path: "/admin/doctors", Command: account.Applicants.Name, Status: http.StatusOK},
		{Method: "POST", Path: "/admin/doctors/:doctorId/verify", Command: account.VerifyDoctor.Name, Status: http.StatusOK},
	}
}
