package client

import (
	"wenzhen/rooms/account"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/billing"
	"wenzhen/rooms/board"
	"wenzhen/rooms/call"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/notification"
	"wenzhen/rooms/record"
	"wenzhen/rooms/schedule"
)

// Route is where REST offers a command, under /api/v1. A test of the server's
// compares this table with its own.
type Route struct {
	Method, Path, Command string
	// Anonymous routes are how one gets in; they take no access token.
	Anonymous bool
}

// Routes are all routes that ask for commands.
func Routes() []Route { return append([]Route(nil), routes...) }

var routes = []Route{
	{Method: "POST", Path: "/auth/register", Command: account.Register.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/login", Command: account.LogIn.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/refresh", Command: account.Refresh.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/logout", Command: account.LogOut.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/password/forgot", Command: account.ForgotPassword.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/password/reset", Command: account.ResetPassword.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/email/verify", Command: account.VerifyEmail.Name, Anonymous: true},
	{Method: "GET", Path: "/auth/oidc/:provider/start", Command: account.StartProvider.Name, Anonymous: true},
	{Method: "GET", Path: "/auth/oidc/:provider/callback", Command: account.ProviderCallback.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/oidc/:provider/logout", Command: account.BackChannelLogout.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/oidc/finish", Command: account.FinishProvider.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/oidc/logout", Command: account.LogOutProvider.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/passkey/ask", Command: account.AskPasskey.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/passkey/use", Command: account.UsePasskey.Name, Anonymous: true},
	{Method: "POST", Path: "/auth/sessions/confirm", Command: account.Confirm.Name},
	{Method: "POST", Path: "/auth/sessions/keep", Command: account.KeepSession.Name},
	{Method: "DELETE", Path: "/auth/sessions", Command: account.RevokeOthers.Name},
	{Method: "GET", Path: "/auth/sessions", Command: account.Sessions.Name},
	{Method: "DELETE", Path: "/auth/sessions/:sessionId", Command: account.RevokeSession.Name},
	{Method: "GET", Path: "/me", Command: account.Me.Name},
	{Method: "PATCH", Path: "/me", Command: account.UpdateMe.Name},
	{Method: "GET", Path: "/me/security", Command: account.ReadSecurity.Name},
	{Method: "PUT", Path: "/me/password", Command: account.ChangePassword.Name},
	{Method: "POST", Path: "/me/email/verification", Command: account.SendVerification.Name},
	{Method: "POST", Path: "/me/totp", Command: account.BeginTOTP.Name},
	{Method: "POST", Path: "/me/totp/confirm", Command: account.ConfirmTOTP.Name},
	{Method: "DELETE", Path: "/me/totp", Command: account.RemoveTOTP.Name},
	{Method: "POST", Path: "/me/recovery-codes", Command: account.RenewRecoveryCodes.Name},
	{Method: "POST", Path: "/me/passkeys/begin", Command: account.BeginPasskey.Name},
	{Method: "POST", Path: "/me/passkeys", Command: account.AddPasskey.Name},
	{Method: "DELETE", Path: "/me/passkeys/:passkeyId", Command: account.RemovePasskey.Name},
	{Method: "POST", Path: "/me/identities/:provider", Command: account.LinkProvider.Name},
	{Method: "DELETE", Path: "/me/identities/:identityId", Command: account.Unlink.Name},
	{Method: "PATCH", Path: "/me/doctor", Command: account.UpdateDoctor.Name},
	{Method: "GET", Path: "/me/patients", Command: account.Patients.Name},
	{Method: "POST", Path: "/me/patients", Command: account.AddPatient.Name},
	{Method: "PATCH", Path: "/me/patients/:patientId", Command: account.UpdatePatient.Name},
	{Method: "GET", Path: "/me/quick-replies", Command: chat.QuickReplies.Name},
	{Method: "PUT", Path: "/me/quick-replies", Command: chat.SaveQuickReplies.Name},
	{Method: "GET", Path: "/doctors", Command: account.Doctors.Name},
	{Method: "GET", Path: "/doctors/:doctorId", Command: account.ReadDoctor.Name},
	{Method: "POST", Path: "/consultations", Command: consultation.Open.Name},
	{Method: "GET", Path: "/consultations", Command: consultation.List.Name},
	{Method: "GET", Path: "/consultations/:consultationId", Command: consultation.Read.Name},
	{Method: "POST", Path: "/consultations/:consultationId/accept", Command: consultation.Accept.Name},
	{Method: "POST", Path: "/consultations/:consultationId/decline", Command: consultation.Decline.Name},
	{Method: "POST", Path: "/consultations/:consultationId/cancel", Command: consultation.Cancel.Name},
	{Method: "POST", Path: "/consultations/:consultationId/hold", Command: consultation.Hold.Name},
	{Method: "POST", Path: "/consultations/:consultationId/resume", Command: consultation.Resume.Name},
	{Method: "POST", Path: "/consultations/:consultationId/end", Command: consultation.End.Name},
	{Method: "POST", Path: "/consultations/:consultationId/terminate", Command: consultation.Terminate.Name},
	{Method: "POST", Path: "/consultations/:consultationId/reopen", Command: consultation.Reopen.Name},
	{Method: "POST", Path: "/consultations/:consultationId/invitations", Command: consultation.Invite.Name},
	{Method: "GET", Path: "/consultations/:consultationId/events", Command: consultation.Events.Name},
	{Method: "GET", Path: "/consultations/:consultationId/messages", Command: chat.History.Name},
	{Method: "POST", Path: "/consultations/:consultationId/messages", Command: chat.Send.Name},
	{Method: "POST", Path: "/consultations/:consultationId/messages/:messageId/recall", Command: chat.Recall.Name},
	{Method: "POST", Path: "/consultations/:consultationId/read", Command: chat.MarkRead.Name},
	{Method: "POST", Path: "/consultations/:consultationId/receive", Command: chat.MarkDelivered.Name},
	{Method: "POST", Path: "/consultations/:consultationId/attachments", Command: chat.Upload.Name},
	{Method: "GET", Path: "/attachments/:attachmentId", Command: chat.Download.Name},
	{Method: "GET", Path: thumbnailPath, Command: chat.Download.Name},
	{Method: "GET", Path: "/messages", Command: chat.Search.Name},
	{Method: "GET", Path: "/consultations/:consultationId/board", Command: board.Read.Name},
	{Method: "GET", Path: "/calls", Command: call.List.Name},
	{Method: "GET", Path: "/ice-servers", Command: call.ReadServers.Name},
	{Method: "POST", Path: "/me/calendar", Command: account.RotateCalendar.Name},
	{Method: "GET", Path: "/me/schedule", Command: schedule.ReadSchedule.Name},
	{Method: "PUT", Path: "/me/schedule", Command: schedule.SaveSchedule.Name},
	{Method: "POST", Path: "/me/schedule/exceptions", Command: schedule.AddException.Name},
	{Method: "POST", Path: "/me/schedule/exceptions/preview", Command: schedule.PreviewException.Name},
	{Method: "DELETE", Path: "/me/schedule/exceptions/:exceptionId", Command: schedule.RemoveException.Name},
	{Method: "GET", Path: "/doctors/:doctorId/slots", Command: schedule.Slots.Name},
	{Method: "POST", Path: "/appointments", Command: schedule.Book.Name},
	{Method: "GET", Path: "/appointments", Command: schedule.Appointments.Name},
	{Method: "GET", Path: "/appointments/:appointmentId", Command: schedule.ReadAppointment.Name},
	{Method: "POST", Path: "/appointments/:appointmentId/reschedule", Command: schedule.Reschedule.Name},
	{Method: "POST", Path: "/appointments/:appointmentId/cancel", Command: schedule.Cancel.Name},
	{Method: "POST", Path: "/appointments/:appointmentId/check-in", Command: schedule.CheckIn.Name},
	{Method: "POST", Path: "/appointments/:appointmentId/accept", Command: schedule.AcceptOffer.Name},
	{Method: "POST", Path: "/appointments/:appointmentId/decline", Command: schedule.DeclineOffer.Name},
	{Method: "GET", Path: "/waitlist", Command: schedule.Waitlist.Name},
	{Method: "POST", Path: "/waitlist", Command: schedule.JoinWaitlist.Name},
	{Method: "POST", Path: "/waitlist/:waitId/accept", Command: schedule.TakeOffer.Name},
	{Method: "DELETE", Path: "/waitlist/:waitId", Command: schedule.LeaveWaitlist.Name},
	{Method: "GET", Path: "/orders", Command: billing.Orders.Name},
	{Method: "GET", Path: "/orders/:orderId", Command: billing.ReadOrder.Name},
	{Method: "POST", Path: "/orders/:orderId/checkout", Command: billing.Checkout.Name},
	{Method: "GET", Path: "/me/income", Command: billing.Income.Name},
	{Method: "GET", Path: "/me/income.csv", Command: billing.ExportIncome.Name},
	{Method: "GET", Path: "/sandbox/:reference", Command: billing.SandboxRead.Name},
	{Method: "POST", Path: "/sandbox/:reference", Command: billing.SandboxPlay.Name},
	{Method: "GET", Path: "/admin/orders", Command: billing.AllOrders.Name},
	{Method: "GET", Path: "/admin/orders/:orderId", Command: billing.OrderFile.Name},
	{Method: "POST", Path: "/admin/orders/:orderId/refund", Command: billing.GiveBack.Name},
	{Method: "GET", Path: "/admin/reconciliations", Command: billing.Reconciliations.Name},
	{Method: "POST", Path: "/admin/reconciliations", Command: billing.Reconcile.Name},
	{Method: "GET", Path: "/notifications", Command: notification.List.Name},
	{Method: "POST", Path: "/notifications/read", Command: notification.Read.Name},
	{Method: "POST", Path: "/notifications/see", Command: notification.See.Name},
	{Method: "GET", Path: "/notifications/preferences", Command: notification.ReadPreferences.Name},
	{Method: "PUT", Path: "/notifications/preferences", Command: notification.SavePreferences.Name},
	{Method: "POST", Path: "/push-subscriptions", Command: notification.Subscribe.Name},
	{Method: "DELETE", Path: "/push-subscriptions/:subscriptionId", Command: notification.Unsubscribe.Name},
	{Method: "GET", Path: "/icd10", Command: record.SearchCodes.Name},
	{Method: "POST", Path: "/consultations/:consultationId/diagnoses", Command: record.DraftDiagnosis.Name},
	{Method: "GET", Path: "/consultations/:consultationId/diagnoses", Command: record.Diagnoses.Name},
	{Method: "GET", Path: "/diagnoses/:diagnosisId/pdf", Command: record.PrintDiagnosis.Name},
	{Method: "GET", Path: "/prescriptions/:prescriptionId/pdf", Command: record.PrintPrescription.Name},
	{Method: "GET", Path: "/consultations/:consultationId/summary/pdf", Command: record.PrintSummary.Name},
	{Method: "GET", Path: "/diagnoses/:diagnosisId", Command: record.ReadDiagnosis.Name},
	{Method: "PUT", Path: "/diagnoses/:diagnosisId", Command: record.ReviseDiagnosis.Name},
	{Method: "DELETE", Path: "/diagnoses/:diagnosisId", Command: record.DiscardDiagnosis.Name},
	{Method: "POST", Path: "/diagnoses/:diagnosisId/sign", Command: record.SignDiagnosis.Name},
	{Method: "POST", Path: "/diagnoses/:diagnosisId/amend", Command: record.AmendDiagnosis.Name},
	{Method: "POST", Path: "/consultations/:consultationId/prescriptions", Command: record.DraftPrescription.Name},
	{Method: "GET", Path: "/consultations/:consultationId/prescriptions", Command: record.Prescriptions.Name},
	{Method: "GET", Path: "/prescriptions/queue", Command: record.PrescriptionQueue.Name},
	{Method: "GET", Path: "/prescriptions/:prescriptionId", Command: record.ReadPrescription.Name},
	{Method: "PUT", Path: "/prescriptions/:prescriptionId", Command: record.RevisePrescription.Name},
	{Method: "DELETE", Path: "/prescriptions/:prescriptionId", Command: record.DiscardPrescription.Name},
	{Method: "POST", Path: "/prescriptions/:prescriptionId/sign", Command: record.SignPrescription.Name},
	{Method: "POST", Path: "/prescriptions/:prescriptionId/amend", Command: record.AmendPrescription.Name},
	{Method: "POST", Path: "/prescriptions/:prescriptionId/approve", Command: record.ApprovePrescription.Name},
	{Method: "POST", Path: "/prescriptions/:prescriptionId/reject", Command: record.RejectPrescription.Name},
	{Method: "POST", Path: "/prescriptions/:prescriptionId/void", Command: record.VoidPrescription.Name},
	{Method: "GET", Path: "/me/templates", Command: record.Templates.Name},
	{Method: "PUT", Path: "/me/templates", Command: record.SaveTemplates.Name},
	{Method: "GET", Path: "/me/duties", Command: record.Duty.Name},
	{Method: "GET", Path: "/verify", Command: record.VerifyDocument.Name},
	{Method: "GET", Path: "/patients", Command: record.TreatedPatients.Name},
	{Method: "GET", Path: "/patients/:patientId/record", Command: record.ReadRecord.Name},
	{Method: "PUT", Path: "/patients/:patientId/record", Command: record.UpdateRecord.Name},
	{Method: "GET", Path: "/admin/pharmacists", Command: record.Pharmacists.Name},
	{Method: "POST", Path: "/admin/pharmacists/:userId", Command: record.AppointPharmacist.Name},
	{Method: "DELETE", Path: "/admin/pharmacists/:userId", Command: record.DismissPharmacist.Name},
	{Method: "POST", Path: "/admin/consultations/:consultationId/break-glass", Command: record.EnterConsultation.Name},
	{Method: "POST", Path: "/admin/patients/:patientId/break-glass", Command: record.EnterRecord.Name},
	{Method: "GET", Path: "/admin/audit", Command: audit.List.Name},
	{Method: "POST", Path: "/admin/audit/verify", Command: audit.Verify.Name},
	{Method: "GET", Path: "/admin/users", Command: account.Users.Name},
	{Method: "POST", Path: "/admin/users/:userId/suspend", Command: account.SuspendUser.Name},
	{Method: "GET", Path: "/admin/doctors", Command: account.Applicants.Name},
	{Method: "POST", Path: "/admin/doctors/:doctorId/verify", Command: account.VerifyDoctor.Name},
}

const thumbnailPath = "/attachments/:attachmentId/thumbnail"

// routeOf is the first route of a command.
func routeOf(command string) (Route, bool) {
	for _, r := range routes {
		if r.Command == command {
			return r, true
		}
	}
	return Route{}, false
}
