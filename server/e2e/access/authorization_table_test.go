package access_test

import (
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/board"
	calls "wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/e2e"
)

// stranger is who has no business with bo's things.
type stranger int

// The strangers. The suspended one took part before, and the revoked session
// is bo's own: nothing but that stands in their way.
const (
	guest stranger = iota
	otherPatient
	otherDoctor
	suspended
	revoked
	strangers
)

func (s stranger) String() string {
	return [...]string{"guest", "other patient", "other doctor", "suspended user", "revoked session"}[s]
}

// belongings name bo's things, and an unverified doctor.
type belongings struct {
	consultation consultation.ID
	message      chat.MessageID
	attachment   chat.AttachmentID
	profile      account.PatientID
	session      rooms.SessionID
	user         rooms.UserID
	doctor       rooms.UserID // whom the consultation is with
	unverified   rooms.UserID
	appointment  schedule.AppointmentID
	exception    schedule.ExceptionID // the doctor's
	wait         schedule.WaitID
	call         calls.ID
	order        billing.OrderID   // of another consultation, not paid
	slot         time.Time         // of the appointment
	diagnosis    record.DocumentID // signed
	prescription record.DocumentID // signed
	draft        record.DocumentID // of a diagnosis
	drugs        record.DocumentID // a draft of a prescription
	patient      account.PatientID // whom the consultation is about
}

// nothing has the names of things that do not exist.
var nothing = belongings{"00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002", "00000000-0000-7000-8000-000000000003",
	"00000000-0000-7000-8000-000000000004", "00000000-0000-7000-8000-000000000005", "00000000-0000-7000-8000-000000000006",
	"00000000-0000-7000-8000-000000000007", "00000000-0000-7000-8000-000000000008", "00000000-0000-7000-8000-000000000009",
	"00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b", "00000000-0000-7000-8000-00000000000c", "00000000-0000-7000-8000-000000000012", time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	"00000000-0000-7000-8000-000000000011", "00000000-0000-7000-8000-00000000000d", "00000000-0000-7000-8000-00000000000e",
	"00000000-0000-7000-8000-00000000000f", "00000000-0000-7000-8000-000000000010"}

// row is one command, aimed at bo's things, and what each stranger is answered;
// "" is success. What is nil follows from the declaration.
type row struct {
	in   func(b belongings) any
	want answers
	// everyone says that bo too is answered so: there is nothing to own.
	everyone bool
}

const (
	ok     = rooms.Code("")
	login  = rooms.CodeUnauthenticated
	role   = rooms.CodeForbidden
	absent = rooms.CodeNotFound
)

// What strangers are answered, by the kind of command.
var (
	theirs   = answers{login, absent, absent, login, login} // someone else's thing
	patients = answers{login, ok, role, login, login}
	doctors  = answers{login, role, ok, login, login}
	admins   = answers{login, role, role, login, login}
	public   = answers{ok, ok, ok, login, login}
	entrance = answers{ok, ok, ok, ok, ok} // takes no notice of who asks
	// prescribers are doctors; another one may not know what there is
	prescribers = answers{login, role, absent, login, login}
	refusing    = answers{login, login, login, login, login}
)

// everyone is answered the same.
func everyone(c rooms.Code) answers { return answers{c, c, c, c, c} }

// users are those who are logged in.
func users(c rooms.Code) answers {
	return answers{login, c, c, login, login}
}

func empty(belongings) any { return rooms.Nothing{} }

func because(b belongings) any {
	return consultation.ReasonInput{ConsultationID: b.consultation, Reason: "I say so"}
}

func drugs(b belongings) any { return record.PrescriptionRef{PrescriptionID: b.prescription} }

func within(b belongings) any { return record.InConsultation{ConsultationID: b.consultation} }

func visit(b belongings) any { return schedule.AppointmentRef{AppointmentID: b.appointment} }

// authorization has the rows that the declarations do not give (rowOf): inputs
// that need more than ids, and answers written by hand. These are of commands
// for guests, with a secret, and for some of the roles only: the catalogue
// enforces the audience from the same declaration, so a wrong one would agree
// with itself.
var authorization = map[string]row{
	account.Register.Name: {want: entrance, everyone: true, in: func(belongings) any {
		return account.RegisterInput{Role: rooms.RolePatient, Name: "new", Email: e2e.NewEmail(), Password: e2e.Password}
	}},
	account.LogIn.Name: {want: refusing, everyone: true, in: func(belongings) any {
		return account.LoginInput{Email: e2e.NewEmail(), Password: "a wrong password"}
	}},
	account.Refresh.Name: {want: refusing, everyone: true, in: func(belongings) any { return account.RefreshInput{RefreshToken: "nonsense"} }},
	account.LogOut.Name:  {want: entrance, everyone: true, in: func(belongings) any { return account.RefreshInput{RefreshToken: "nonsense"} }},

	account.ForgotPassword.Name: {want: everyone(rooms.CodeConflict), everyone: true, in: func(belongings) any { return account.ForgotInput{Email: e2e.NewEmail()} }}, // no mail here
	account.ResetPassword.Name: {want: everyone(rooms.CodeInvalid), everyone: true, in: func(belongings) any {
		return account.ResetInput{Token: "a guess", Password: e2e.Password}
	}},
	account.VerifyEmail.Name:      {want: everyone(rooms.CodeInvalid), everyone: true, in: func(belongings) any { return account.VerifyEmailInput{Token: "a guess"} }},
	account.StartProvider.Name:    {want: entrance, everyone: true, in: func(belongings) any { return account.ProviderInput{Provider: "none"} }}, // leads to a page
	account.ProviderCallback.Name: {want: entrance, everyone: true, in: func(belongings) any { return account.CallbackInput{Provider: "none", State: "a guess"} }},
	account.FinishProvider.Name:   {want: everyone(rooms.CodeInvalid), everyone: true, in: func(belongings) any { return account.FinishInput{Ticket: "a guess"} }},
	account.LogOutProvider.Name:   {want: entrance, everyone: true, in: func(belongings) any { return account.RefreshInput{RefreshToken: "nonsense"} }},
	account.BackChannelLogout.Name: {want: everyone(rooms.CodeInvalid), everyone: true, in: func(belongings) any {
		return account.LogoutTokenInput{Provider: "none", LogoutToken: "a guess"}
	}},
	account.AskPasskey.Name: {want: entrance, everyone: true, in: empty},
	account.UsePasskey.Name: {want: everyone(rooms.CodeInvalid), everyone: true, in: func(belongings) any { return account.PasskeyLoginInput{Ticket: "a guess"} }},

	account.Confirm.Name:            {in: func(belongings) any { return account.ConfirmInput{Password: e2e.Password} }},
	account.ChangePassword.Name:     {in: func(belongings) any { return account.PasswordInput{Password: e2e.Password} }},
	account.SendVerification.Name:   {want: users(rooms.CodeConflict), everyone: true, in: empty}, // no mail here
	account.ConfirmTOTP.Name:        {want: users(rooms.CodeInvalid), everyone: true, in: func(belongings) any { return account.TOTPInput{OTP: "a guess"} }},
	account.RenewRecoveryCodes.Name: {want: users(rooms.CodeConflict), everyone: true, in: empty},
	account.AddPasskey.Name: {want: users(rooms.CodeInvalid), everyone: true, in: func(belongings) any {
		return account.NewPasskeyInput{Ticket: "a guess", Name: "mine"}
	}},
	account.RemovePasskey.Name: {everyone: true, in: func(belongings) any { return account.PasskeyInput{PasskeyID: "a guess"} }},
	account.LinkProvider.Name:  {want: users(absent), everyone: true, in: func(belongings) any { return account.ProviderInput{Provider: "none"} }},
	account.Unlink.Name:        {everyone: true, in: func(belongings) any { return account.IdentityInput{IdentityID: "a guess"} }},

	account.UpdateMe.Name:   {in: func(belongings) any { return account.MeInput{Locale: new("en")} }},
	account.Patients.Name:   {want: patients, in: empty},
	account.AddPatient.Name: {want: patients, in: func(belongings) any { return account.PatientInput{Name: "child", Relation: "child"} }},
	account.UpdatePatient.Name: {want: answers{login, absent, role, login, login},
		in: func(b belongings) any { return account.PatientChange{PatientID: b.profile, Name: new("changed")} }},

	account.Doctors.Name: {want: public, in: func(belongings) any { return account.DoctorFilter{Limit: 5} }},
	account.ReadDoctor.Name: {want: answers{absent, absent, absent, login, login}, everyone: true,
		in: func(b belongings) any { return account.DoctorInput{DoctorID: b.unverified} }},
	account.UpdateDoctor.Name: {want: doctors, in: func(belongings) any { return account.DoctorChange{Title: new("Dr")} }},

	account.Users.Name:        {want: admins, in: func(belongings) any { return account.UserFilter{Q: "bo"} }},
	account.Applicants.Name:   {want: admins, in: func(belongings) any { return account.ApplicantFilter{} }},
	account.VerifyDoctor.Name: {want: admins, in: func(b belongings) any { return account.VerifyDoctorInput{DoctorID: b.unverified} }},
	account.UnverifyDoctor.Name: {want: admins, in: func(b belongings) any {
		return account.UnverifyDoctorInput{UserID: b.unverified, Reason: "the licence has expired"}
	}},
	account.UnsuspendUser.Name:    {want: admins, in: func(b belongings) any { return account.UserInput{UserID: b.user} }},
	account.Erase.Name:            {want: users(rooms.CodeConflict), everyone: true, in: empty}, // all of them have consultations open
	account.LegalHolds.Name:       {want: admins, in: empty},
	account.PlaceLegalHold.Name:   {want: admins, in: func(b belongings) any { return account.LegalHoldInput{UserID: b.user, Reason: "a lawsuit"} }},
	account.ReleaseLegalHold.Name: {want: admins, in: func(b belongings) any { return account.UserInput{UserID: b.user} }},
	account.SuspendUser.Name:      {want: admins, in: func(b belongings) any { return account.UserInput{UserID: b.user} }},

	account.ResetSecondFactor.Name: {want: admins, in: func(b belongings) any { return account.UserInput{UserID: b.user} }},

	consultation.Open.Name: {want: answers{login, absent, role, login, login}, in: func(b belongings) any {
		return consultation.OpenInput{DoctorID: b.doctor, PatientID: b.profile, Service: account.Advice, Medium: account.Text, Complaint: "in bo's name"}
	}},
	consultation.Close.Name: {want: admins, in: func(b belongings) any {
		return consultation.CloseInput{ConsultationID: b.consultation, Reason: "it is stuck"}
	}},
	consultation.Decline.Name:   {in: because},
	consultation.Cancel.Name:    {in: because},
	consultation.Hold.Name:      {in: because},
	consultation.Terminate.Name: {in: because},
	consultation.Invite.Name: {in: func(b belongings) any {
		return consultation.InviteInput{ConsultationID: b.consultation, UserID: b.user, Role: consultation.PartRelative}
	}},
	consultation.AnswerInvitation.Name: {everyone: true, in: func(b belongings) any { // bo has none to answer
		return consultation.InvitationAnswer{ConsultationID: b.consultation, InvitationID: "none", Accept: true}
	}},
	consultation.WithdrawInvitation.Name: {everyone: true, in: func(b belongings) any {
		return consultation.InvitationRef{ConsultationID: b.consultation, InvitationID: "none"}
	}},

	chat.Send.Name: {in: func(b belongings) any {
		return chat.SendInput{ConsultationID: b.consultation, ClientID: "x", Kind: chat.Text, Text: "let me in"}
	}},
	chat.MarkRead.Name:      {in: func(b belongings) any { return chat.ReceiptInput{ConsultationID: b.consultation, UpToSeq: 1} }},
	chat.MarkDelivered.Name: {in: func(b belongings) any { return chat.ReceiptInput{ConsultationID: b.consultation, UpToSeq: 1} }},
	chat.Search.Name:        {in: func(b belongings) any { return chat.SearchInput{Q: "secret", ConsultationID: b.consultation} }},

	schedule.ReadSchedule.Name: {want: doctors, in: empty},
	schedule.SaveSchedule.Name: {want: doctors, in: func(belongings) any { return schedule.ScheduleInput{TimeZone: "UTC", Rules: []schedule.Rule{}} }},
	schedule.AddException.Name: {want: doctors, in: func(belongings) any {
		return schedule.ExceptionInput{Kind: schedule.TimeOff, Start: time.Now(), End: time.Now().Add(time.Hour)}
	}},
	schedule.PreviewException.Name: {want: doctors, in: func(belongings) any {
		return schedule.ExceptionInput{Kind: schedule.TimeOff, Start: time.Now(), End: time.Now().Add(time.Hour)}
	}},
	schedule.RemoveException.Name: {want: answers{login, role, absent, login, login}, everyone: true,
		in: func(b belongings) any { return schedule.ExceptionRef{ExceptionID: b.exception} }},
	schedule.Slots.Name:   {want: answers{absent, absent, absent, login, login}, everyone: true, in: func(b belongings) any { return schedule.SlotsInput{DoctorID: b.unverified} }},
	schedule.Watch.Name:   {want: answers{absent, absent, absent, login, login}, everyone: true, in: func(b belongings) any { return schedule.SlotsInput{DoctorID: b.unverified} }},
	schedule.Unwatch.Name: {want: public, in: func(b belongings) any { return schedule.DoctorRef{DoctorID: b.doctor} }},
	schedule.Book.Name: {want: answers{login, absent, role, login, login}, everyone: true, in: func(b belongings) any {
		return schedule.BookInput{DoctorID: b.doctor, PatientID: b.profile, Start: time.Now().UTC().Truncate(time.Hour).Add(96 * time.Hour), Medium: account.Text, Service: account.Advice, Complaint: "in bo's name"}
	}},
	schedule.Appointments.Name:    {want: answers{login, ok, ok, login, login}, in: func(belongings) any { return schedule.AppointmentFilter{} }},
	schedule.ReadAppointment.Name: {want: theirs, in: visit},
	schedule.Reschedule.Name: {want: answers{login, absent, role, login, login}, in: func(b belongings) any {
		return schedule.RescheduleInput{AppointmentID: b.appointment, Start: b.slot.Add(5 * time.Hour)}
	}},
	schedule.Cancel.Name:       {want: theirs, in: func(b belongings) any { return schedule.CancelInput{AppointmentID: b.appointment} }},
	schedule.CheckIn.Name:      {want: answers{login, absent, role, login, login}, in: visit},
	schedule.AcceptOffer.Name:  {want: answers{login, absent, role, login, login}, in: visit},
	schedule.DeclineOffer.Name: {want: answers{login, absent, role, login, login}, in: visit},
	schedule.Waitlist.Name:     {want: patients, in: empty},
	schedule.JoinWaitlist.Name: {want: answers{login, absent, role, login, login}, everyone: true, in: func(b belongings) any {
		return schedule.WaitInput{DoctorID: b.doctor, PatientID: b.profile, From: time.Now(), To: time.Now().Add(time.Hour), Medium: account.Text, Service: account.Advice, Complaint: "in bo's name"}
	}},
	schedule.LeaveWaitlist.Name: {want: answers{login, absent, role, login, login}, in: func(b belongings) any { return schedule.WaitRef{WaitID: b.wait} }},
	schedule.TakeOffer.Name:     {want: answers{login, absent, role, login, login}, in: func(b belongings) any { return schedule.WaitRef{WaitID: b.wait} }},
	schedule.Calendar.Name:      {want: answers{absent, absent, absent, login, login}, everyone: true, in: func(belongings) any { return schedule.CalendarInput{Token: "a guess"} }},

	board.Commit.Name: {in: func(b belongings) any {
		return board.CommitInput{ConsultationID: b.consultation, ID: "x", Tool: board.Pen, Colour: "#000000", Width: 1, Points: []float64{1, 1, 1}}
	}},
	board.Sketch.Name: {in: func(b belongings) any { return board.SketchInput{ConsultationID: b.consultation, X: 1, Y: 1} }},

	calls.Invite.Name: {in: func(b belongings) any {
		return calls.CallInvitation{ConsultationID: b.consultation, Medium: account.Voice}
	}},
	calls.Signal.Name: {in: func(b belongings) any {
		return calls.SignalInput{CallID: b.call, To: b.doctor, Candidate: &calls.ICECandidate{}}
	}},
	billing.Orders.Name:    {want: patients, in: func(belongings) any { return billing.OrderFilter{} }},
	billing.ReadOrder.Name: {want: answers{login, absent, role, login, login}, in: func(b belongings) any { return billing.OrderRef{OrderID: b.order} }},
	billing.Checkout.Name: {want: answers{login, absent, role, login, login}, in: func(b belongings) any {
		return billing.CheckoutInput{OrderID: b.order, Gateway: "sandbox"}
	}},
	billing.Income.Name:       {want: doctors, in: func(belongings) any { return billing.IncomeInput{} }},
	billing.ExportIncome.Name: {want: doctors, in: func(belongings) any { return billing.IncomeSpan{} }},
	billing.AllOrders.Name:    {want: admins, in: func(belongings) any { return billing.OrderFilter{Q: "bo"} }},
	billing.OrderFile.Name:    {want: admins, in: func(b belongings) any { return billing.OrderRef{OrderID: b.order} }},
	billing.RefundOrder.Name: {want: admins, in: func(b belongings) any {
		return billing.RefundInput{OrderID: b.order, Reason: "I say so"}
	}},
	billing.Reconciliations.Name: {want: admins, in: empty},
	billing.Reconcile.Name:       {want: admins, in: func(belongings) any { return billing.DayInput{Day: "2026-11-01"} }},
	billing.SandboxRead.Name: {want: answers{absent, absent, absent, login, login}, everyone: true,
		in: func(belongings) any { return billing.SandboxRef{Reference: "a-guess"} }},
	billing.SandboxPlay.Name: {want: answers{absent, absent, absent, login, login}, everyone: true, in: func(belongings) any {
		return billing.SandboxPlayInput{Reference: "a-guess", Play: billing.PlayPay}
	}},

	notification.Read.Name:      {everyone: true, in: func(belongings) any { return notification.MarkReadInput{UpToID: "not mine"} }},
	notification.See.Name:       {in: func(belongings) any { return notification.MarkSeenInput{IDs: []notification.ID{"not mine"}} }},
	notification.Subscribe.Name: {in: func(belongings) any { return roomstest.Browser("https://push.example/" + e2e.NewEmail()) }},
	notification.Unsubscribe.Name: {everyone: true,
		in: func(belongings) any { return notification.SubscriptionInput{SubscriptionID: "not mine"} }},
	lobby.Enter.Name:  {want: public, in: func(belongings) any { return lobby.NicknameInput{Nickname: "a stranger"} }},
	lobby.Say.Name:    {want: public, in: func(belongings) any { return lobby.SayInput{Text: "hello"} }},
	lobby.Rename.Name: {want: public, in: func(belongings) any { return lobby.NicknameInput{Nickname: "another"} }},

	record.SearchCodes.Name: {in: func(belongings) any { return record.CodeQuery{Q: "cold"} }},
	record.SearchDrugs.Name: {in: func(belongings) any { return record.DrugQuery{Q: "aspirin"} }},
	record.CheckPrescription.Name: {want: prescribers, in: func(b belongings) any {
		return record.PrescriptionCheck{ConsultationID: b.consultation, PrescriptionInput: e2e.Remedy()}
	}},
	record.DraftDiagnosis.Name: {want: prescribers, in: func(b belongings) any {
		return record.DiagnosisDraft{ConsultationID: b.consultation, DiagnosisInput: e2e.Unwell()}
	}},
	record.ReviseDiagnosis.Name: {want: prescribers, everyone: true, in: func(b belongings) any {
		return record.DiagnosisRevision{DiagnosisID: b.draft, DiagnosisInput: e2e.Unwell()}
	}},
	record.DiscardDiagnosis.Name: {want: prescribers, everyone: true, in: func(b belongings) any { return record.DiagnosisRef{DiagnosisID: b.draft} }},
	record.SignDiagnosis.Name:    {want: prescribers, everyone: true, in: func(b belongings) any { return record.DiagnosisRef{DiagnosisID: b.draft} }},
	record.AmendDiagnosis.Name: {want: prescribers, everyone: true, in: func(b belongings) any {
		return record.AmendDiagnosisInput{DiagnosisID: b.diagnosis, DiagnosisInput: e2e.Unwell()}
	}},
	record.PrintSummary.Name: {everyone: true, in: within},
	record.DraftPrescription.Name: {want: prescribers, in: func(b belongings) any {
		return record.PrescriptionDraft{ConsultationID: b.consultation, PrescriptionInput: e2e.Remedy()}
	}},
	record.RevisePrescription.Name: {want: prescribers, everyone: true, in: func(b belongings) any {
		return record.PrescriptionRevision{PrescriptionID: b.drugs, PrescriptionInput: e2e.Remedy()}
	}},
	record.DiscardPrescription.Name: {want: prescribers, everyone: true, in: func(b belongings) any { return record.PrescriptionRef{PrescriptionID: b.drugs} }},
	record.SignPrescription.Name:    {want: prescribers, everyone: true, in: func(b belongings) any { return record.SignPrescriptionInput{PrescriptionID: b.drugs} }},
	record.AmendPrescription.Name: {want: prescribers, everyone: true, in: func(b belongings) any {
		return record.AmendPrescriptionInput{PrescriptionID: b.prescription, PrescriptionInput: e2e.Remedy()}
	}},
	record.ApprovePrescription.Name: {want: prescribers, everyone: true, in: drugs},
	record.RejectPrescription.Name: {want: prescribers, everyone: true, in: func(b belongings) any {
		return record.PrescriptionReason{PrescriptionID: b.prescription, Reason: "I say so"}
	}},
	record.VoidPrescription.Name: {want: prescribers, everyone: true, in: func(b belongings) any {
		return record.PrescriptionReason{PrescriptionID: b.prescription, Reason: "I say so"}
	}},
	record.PrescriptionQueue.Name: {want: answers{login, role, role, login, login}, everyone: true, in: empty},
	record.Templates.Name:         {want: doctors, in: empty},
	record.SaveTemplates.Name:     {want: doctors, in: func(belongings) any { return record.TemplateList{Items: []record.Template{}} }},
	record.VerifyDocument.Name: {want: public, in: func(b belongings) any {
		return record.VerifyInput{Kind: record.KindDiagnosis, ID: b.diagnosis, SHA256: strings.Repeat("0", 64)}
	}},
	record.ReadRecord.Name:        {in: func(b belongings) any { return record.PatientRef{PatientID: b.patient} }},
	record.UpdateRecord.Name:      {want: theirs, in: func(b belongings) any { return record.BackgroundInput{PatientID: b.patient} }},
	record.Pharmacists.Name:       {want: admins, in: empty},
	record.AppointPharmacist.Name: {want: admins, in: func(b belongings) any { return account.UserInput{UserID: b.doctor} }},
	record.DismissPharmacist.Name: {want: admins, in: func(b belongings) any { return account.UserInput{UserID: b.doctor} }},
	consultation.Cases.Name:       {want: admins, in: empty},
	record.EnterConsultation.Name: {want: admins, in: func(b belongings) any {
		return record.EnterInput{ConsultationID: b.consultation, Reason: "I say so"}
	}},
	record.EnterRecord.Name: {want: admins, in: func(b belongings) any { return record.EnterRecordInput{PatientID: b.patient, Reason: "I say so"} }},
	audit.List.Name:         {want: admins, in: empty},
	audit.Enter.Name:        {want: admins, in: func(belongings) any { return audit.EnterLogInput{Reason: "I say so"} }},
	audit.Verify.Name:       {want: admins, in: empty},

	consultation.CountAll.Name:     {want: admins, in: empty},
	operations.Watch.Name:          {want: admins, in: empty},
	operations.Read.Name:           {want: admins, in: empty},
	operations.Sockets.Name:        {want: admins, in: func(b belongings) any { return operations.SocketFilter{UserID: b.user} }},
	operations.Rooms.Name:          {want: admins, in: func(belongings) any { return operations.RoomFilter{} }},
	operations.Disconnect.Name:     {want: admins, in: func(belongings) any { return operations.SocketRef{SocketID: "anyone's"} }},
	operations.DisconnectUser.Name: {want: admins, in: func(b belongings) any { return operations.UserRef{UserID: b.user} }},
	operations.Health.Name:         {want: admins, in: empty},
	operations.Settings.Name:       {want: admins, in: empty},

	chat.QuickReplies.Name: {want: doctors, in: empty},
	chat.SaveQuickReplies.Name: {want: doctors, in: func(belongings) any {
		return chat.QuickReplyList{Items: []chat.QuickReply{{Text: "hello"}}}
	}},
}
