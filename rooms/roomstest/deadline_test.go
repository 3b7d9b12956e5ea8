package roomstest_test

import (
	"fmt"
	"path"
	"slices"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/board"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/rooms/schedule"
)

// The deadline of every command that writes passes in its transaction. World
// sees to it that the caller gets "unknown, safe to send again", and asks again.
func TestDeadlinesPassInTransactions(t *testing.T) {
	t.Parallel()
	for _, stage := range []roomstest.Stage{roomstest.BeforeItRuns, roomstest.WhileItRuns, roomstest.WhileItCommits} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t, roomstest.Late(stage))
			s := story{w: w, admin: w.Admin("ann"), wang: w.Doctor("wang"), bo: w.Patient("bo")}
			s.bo.Verifies()
			s.accounts()
			s.consultations()
			s.records()
			s.money()
			s.calls()
			s.schedules()
			s.leavings()
			done := w.Interrupted()
			if done[billing.Checkout.Name] < 2 || done[account.LogIn.Name] < 3 || done[account.ChangePassword.Name] < 2 {
				t.Errorf("of commands of several transactions not all were interrupted: %v", done)
			}
			for c := range w.Catalogue.All() {
				reads, why := slices.Contains(reading, c.Name), elsewhere[c.Name]
				switch interrupted := done[c.Name] > 0; {
				case interrupted && (reads || why != ""):
					t.Errorf("%s has a transaction after all", c.Name)
				case !interrupted && !reads && why == "":
					t.Errorf("%s was not interrupted in a transaction", c.Name)
				}
			}
		})
	}
}

// reading are the commands without a transaction, at least while their actor is
// a participant already.
var reading = []string{
	account.Sessions.Name, account.Patients.Name, account.Doctors.Name, account.ReadDoctor.Name, account.ReadSecurity.Name,
	account.KeepSession.Name, account.Users.Name, account.Applicants.Name,
	consultation.List.Name, consultation.Events.Name, consultation.Cases.Name, consultation.Leave.Name, consultation.Look.Name,
	consultation.ListInvitations.Name, consultation.CountAll.Name,
	chat.StartTyping.Name, chat.StopTyping.Name, chat.History.Name, chat.Search.Name, chat.Download.Name, chat.QuickReplies.Name,
	schedule.ReadSchedule.Name, schedule.Slots.Name, schedule.Watch.Name, schedule.Unwatch.Name, schedule.Appointments.Name,
	schedule.ReadAppointment.Name, schedule.Waitlist.Name, schedule.Calendar.Name,
	call.Signal.Name, call.List.Name, call.ReadServers.Name, board.Read.Name, board.Sketch.Name,
	billing.Orders.Name, billing.ReadOrder.Name, billing.Income.Name, billing.ExportIncome.Name, billing.AllOrders.Name, billing.OrderFile.Name,
	billing.Reconciliations.Name, billing.SandboxRead.Name, notification.ReadPreferences.Name,
	record.SearchCodes.Name, record.SearchDrugs.Name, record.Templates.Name, record.VerifyDocument.Name, record.Duty.Name, record.Pharmacists.Name,
	audit.List.Name, audit.Verify.Name, lobby.Rename.Name,
}

// elsewhere are commands with a transaction that the story does not get to.
var elsewhere = map[string]string{
	account.FinishProvider.Name:    "needs a provider: rooms/account with WENZHEN_TEST_DEADLINES",
	account.StartProvider.Name:     "needs a provider: rooms/account with WENZHEN_TEST_DEADLINES",
	account.LinkProvider.Name:      "needs a provider: rooms/account with WENZHEN_TEST_DEADLINES",
	account.BackChannelLogout.Name: "needs a provider: rooms/account with WENZHEN_TEST_DEADLINES",
	account.ResetPassword.Name:     "needs the link of a mail: rooms/account with WENZHEN_TEST_DEADLINES",
	chat.Upload.Name:               "is read once and cannot be sent again",
}

// story asks for every command that writes.
type story struct {
	w               *roomstest.World
	admin, wang, bo *roomstest.Person
	c               consultation.ID
}

// try sends a command, which may be refused: it is, within its transaction.
func try[In, Out any](p *roomstest.Person, command rooms.Command[In, Out], in In) {
	_ = roomstest.Code(p, command, in)
}

func (s *story) accounts() {
	again := s.bo.Again(rooms.Actor{Address: "192.0.2.7"})
	first := roomstest.Must(again, account.Refresh, account.RefreshInput{RefreshToken: again.RefreshToken})
	if second := roomstest.Must(again, account.Refresh, account.RefreshInput{RefreshToken: again.RefreshToken}); second.RefreshToken != first.RefreshToken {
		s.w.T.Error("a refresh token that was sent again was traded for another one")
	}
	roomstest.Must(s.bo, account.Me, rooms.Nothing{}) // makes the address of the calendar
	roomstest.Must(s.bo, account.Confirm, account.ConfirmInput{Password: roomstest.Password})
	roomstest.Must(s.bo, account.UpdateMe, account.MeInput{Locale: new("en")})
	child := roomstest.Must(s.bo, account.AddPatient, account.PatientInput{Name: "child", Relation: "child"})
	roomstest.Must(s.bo, account.UpdatePatient, account.PatientChange{PatientID: child.ID, Name: new("bao")})
	roomstest.Must(s.bo, account.RotateCalendar, rooms.Nothing{})
	roomstest.Must(s.bo, account.Export, rooms.Nothing{})
	roomstest.Must(s.bo, account.ReadErasure, rooms.Nothing{})
	roomstest.Must(s.bo, account.BeginTOTP, rooms.Nothing{})
	try(s.bo, account.ConfirmTOTP, account.TOTPInput{OTP: "000000"})
	roomstest.Must(s.bo, account.RemoveTOTP, rooms.Nothing{})
	try(s.bo, account.RenewRecoveryCodes, rooms.Nothing{})
	roomstest.Must(s.bo, account.BeginPasskey, rooms.Nothing{})
	try(s.bo, account.AddPasskey, account.NewPasskeyInput{Ticket: "a guess", Name: "mine"})
	try(s.bo, account.RemovePasskey, account.PasskeyInput{PasskeyID: "a guess"})
	roomstest.Must(s.bo, account.AskPasskey, rooms.Nothing{})
	try(s.bo, account.UsePasskey, account.PasskeyLoginInput{Ticket: "a guess"})
	try(s.bo, account.Unlink, account.IdentityInput{IdentityID: "a guess"})
	try(s.bo, account.ProviderCallback, account.CallbackInput{Provider: "none", State: "a guess"})
	try(s.bo, account.LogOutProvider, account.RefreshInput{RefreshToken: "nonsense"})
	try(s.bo, account.ForgotPassword, account.ForgotInput{Email: s.bo.User.Email})
	try(s.bo, account.SendVerification, rooms.Nothing{})
	roomstest.Must(s.bo, account.RevokeOthers, rooms.Nothing{})
	third := s.bo.Again(rooms.Actor{Address: "192.0.2.8"})
	roomstest.Must(s.bo, account.RevokeSession, account.SessionInput{SessionID: third.As.SessionID})
	roomstest.Must(s.bo, account.LogOut, account.RefreshInput{RefreshToken: third.RefreshToken})
	roomstest.Must(s.bo, account.ChangePassword, account.PasswordInput{Password: roomstest.Password})
	roomstest.Must(s.admin, account.PlaceLegalHold, account.LegalHoldInput{UserID: s.bo.User.ID, Reason: "a lawsuit"})
	roomstest.Must(s.admin, account.LegalHolds, rooms.Nothing{})
	roomstest.Must(s.admin, account.ReleaseLegalHold, account.UserInput{UserID: s.bo.User.ID})
	try(s.admin, account.ResetSecondFactor, account.UserInput{UserID: s.bo.User.ID})
	li := s.w.Patient("li")
	roomstest.Must(s.admin, account.SuspendUser, account.UserInput{UserID: li.User.ID})
	roomstest.Must(s.admin, account.UnsuspendUser, account.UserInput{UserID: li.User.ID})
	gone := s.w.Doctor("zhao")
	roomstest.Must(s.admin, account.UnverifyDoctor, account.UnverifyDoctorInput{UserID: gone.User.ID, Reason: "the licence has expired"})
	roomstest.Must(s.w.Patient("xu"), account.Erase, rooms.Nothing{})
}

func (s *story) consultations() {
	in := consultation.OpenInput{ID: "00000000-0000-7000-8000-000000000001", DoctorID: s.wang.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "headache"}
	s.c = roomstest.Must(s.bo, consultation.Open, in).Consultation.ID
	again := roomstest.Must(s.bo, consultation.Open, in)
	if list := roomstest.Must(s.bo, consultation.List, consultation.Filter{}).Items; len(list) != 1 || again.Consultation.ID != s.c || s.c != in.ID {
		s.w.T.Errorf("%d consultations were opened, want 1", len(list))
	}
	about := consultation.Input{ConsultationID: s.c}
	roomstest.Must(s.wang, consultation.Accept, about)
	roomstest.Must(s.wang, consultation.Hold, consultation.ReasonInput{ConsultationID: s.c, Reason: "tests"})
	roomstest.Must(s.wang, consultation.Resume, about)

	said := chat.SendInput{ConsultationID: s.c, ClientID: "said", Kind: chat.Text, Text: "since Monday"}
	m := roomstest.Must(s.bo, chat.Send, said)
	if second := roomstest.Must(s.bo, chat.Send, said); second.ID != m.ID || len(roomstest.Must(s.bo, chat.History, chat.HistoryInput{ConsultationID: s.c}).Items) != 1 {
		s.w.T.Error("a message that was sent again is there twice")
	}
	roomstest.Must(s.wang, chat.MarkDelivered, chat.ReceiptInput{ConsultationID: s.c, UpToSeq: 1})
	roomstest.Must(s.wang, chat.MarkRead, chat.ReceiptInput{ConsultationID: s.c, UpToSeq: m.Seq})
	roomstest.Must(s.bo, chat.Recall, chat.MessageInput{ConsultationID: s.c, MessageID: m.ID})
	roomstest.Must(s.wang, chat.SaveQuickReplies, chat.QuickReplyList{Items: []chat.QuickReply{{Text: "hello"}}})

	stroke := board.CommitInput{ConsultationID: s.c, ID: "x", Tool: board.Pen, Colour: "#000000", Width: 1, Points: []float64{1, 1, 1}}
	roomstest.Must(s.bo, board.Commit, stroke)
	roomstest.Must(s.bo, board.Commit, stroke)
	if n := len(roomstest.Must(s.bo, board.Read, board.BoardRef{ConsultationID: s.c}).Strokes); n != 1 {
		s.w.T.Errorf("%d strokes were drawn, want 1", n)
	}
	roomstest.Must(s.bo, board.Undo, board.BoardRef{ConsultationID: s.c})
	roomstest.Must(s.bo, board.Clear, board.BoardRef{ConsultationID: s.c})
	roomstest.Must(s.bo, board.SetBackground, board.Background{ConsultationID: s.c})

	mei, sun := s.w.Patient("mei"), s.w.Patient("sun")
	roomstest.Must(s.bo, consultation.Invite, consultation.InviteInput{ConsultationID: s.c, UserID: mei.User.ID, Role: consultation.PartRelative})
	roomstest.Must(mei, consultation.Quit, about)
	proposed := roomstest.Must(s.wang, consultation.Invite, consultation.InviteInput{ConsultationID: s.c, UserID: sun.User.ID, Role: consultation.PartRelative})
	roomstest.Must(s.bo, consultation.AnswerInvitation, consultation.InvitationAnswer{ConsultationID: s.c, InvitationID: proposed.Invitation.ID, Accept: true})
	roomstest.Must(s.bo, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: s.c, UserID: sun.User.ID})
	withdrawn := roomstest.Must(s.bo, consultation.Invite, consultation.InviteInput{ConsultationID: s.c, Email: "nobody@example.org", Role: consultation.PartRelative})
	roomstest.Must(s.bo, consultation.WithdrawInvitation, consultation.InvitationRef{ConsultationID: s.c, InvitationID: withdrawn.Invitation.ID})

	for i, name := range []string{"he", "jin"} { // who is invited by address enters with the first look
		guest := s.w.Patient(name).Verifies()
		roomstest.Must(s.bo, consultation.Invite, consultation.InviteInput{ConsultationID: s.c, Email: guest.User.Email, Role: consultation.PartRelative})
		if i == 0 {
			roomstest.Must(guest, consultation.Read, about)
		} else {
			roomstest.Must(guest, consultation.Join, consultation.JoinInput{ConsultationID: s.c})
		}
		roomstest.Must(guest, consultation.Quit, about)
	}

	inbox := s.bo.Inbox()
	if len(inbox) == 0 {
		s.w.T.Fatal("bo was notified of nothing")
	}
	roomstest.Must(s.bo, notification.See, notification.MarkSeenInput{IDs: []notification.ID{inbox[0].ID}})
	roomstest.Must(s.bo, notification.Read, notification.MarkReadInput{IDs: []notification.ID{inbox[0].ID}})
	roomstest.Must(s.bo, notification.SavePreferences, notification.Preferences{})
	sub := roomstest.Must(s.bo, notification.Subscribe, roomstest.Browser("https://push.example/bo"))
	roomstest.Must(s.bo, notification.Unsubscribe, notification.SubscriptionInput{SubscriptionID: sub.ID})
}

func (s *story) records() {
	f := roomstest.Must(s.bo, consultation.Open, consultation.OpenInput{DoctorID: s.wang.User.ID, Service: account.Followup, Medium: account.Text,
		Complaint: "a cold", PriorDiagnosis: "J06.9"}).Consultation
	s.wang.Accepts(f.ID)
	unwell := record.DiagnosisInput{Codes: []string{"J06.9"}}
	draft := record.DiagnosisDraft{ConsultationID: f.ID, DiagnosisInput: unwell}
	draft.ID = "00000000-0000-7000-8000-000000000002"
	d := roomstest.Must(s.wang, record.DraftDiagnosis, draft)
	if second := roomstest.Must(s.wang, record.DraftDiagnosis, draft); second.ID != d.ID {
		s.w.T.Error("a draft that was sent again is another one")
	}
	roomstest.Must(s.wang, record.ReviseDiagnosis, record.DiagnosisRevision{DiagnosisID: d.ID, DiagnosisInput: unwell})
	roomstest.Must(s.wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: d.ID})
	amended := roomstest.Must(s.wang, record.AmendDiagnosis, record.AmendDiagnosisInput{DiagnosisID: d.ID, DiagnosisInput: unwell})
	roomstest.Must(s.wang, record.DiscardDiagnosis, record.DiagnosisRef{DiagnosisID: amended.ID})
	roomstest.Must(s.bo, record.ReadDiagnosis, record.DiagnosisRef{DiagnosisID: d.ID})
	roomstest.Must(s.bo, record.PrintDiagnosis, record.DiagnosisRef{DiagnosisID: d.ID})
	roomstest.Must(s.bo, record.Diagnoses, record.InConsultation{ConsultationID: f.ID})

	remedy := record.PrescriptionInput{Items: []record.Item{{Drug: "paracetamol", Dose: 500, DoseUnit: "mg", Route: record.Oral,
		Frequency: record.AsNeeded, Days: 3, Quantity: 1, QuantityUnit: "box"}}}
	roomstest.Must(s.wang, record.CheckPrescription, record.PrescriptionCheck{ConsultationID: f.ID, PrescriptionInput: remedy})
	prescribe := func() record.DocumentID {
		p := roomstest.Must(s.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: f.ID, PrescriptionInput: remedy})
		roomstest.Must(s.wang, record.RevisePrescription, record.PrescriptionRevision{PrescriptionID: p.ID, PrescriptionInput: remedy})
		roomstest.Must(s.wang, record.SignPrescription, record.SignPrescriptionInput{PrescriptionID: p.ID})
		return p.ID
	}
	p, q, r := prescribe(), prescribe(), prescribe()
	chen := s.w.Doctor("chen")
	roomstest.Must(s.admin, record.AppointPharmacist, account.UserInput{UserID: chen.User.ID})
	roomstest.Must(chen, record.PrescriptionQueue, record.QueueFilter{})
	roomstest.Must(chen, record.ApprovePrescription, record.PrescriptionRef{PrescriptionID: p})
	roomstest.Must(chen, record.RejectPrescription, record.PrescriptionReason{PrescriptionID: q, Reason: "too much"})
	roomstest.Must(s.wang, record.VoidPrescription, record.PrescriptionReason{PrescriptionID: r, Reason: "a mistake"})
	roomstest.Must(s.bo, record.ReadPrescription, record.PrescriptionRef{PrescriptionID: p})
	roomstest.Must(s.bo, record.PrintPrescription, record.PrescriptionRef{PrescriptionID: p})
	roomstest.Must(s.bo, record.Prescriptions, record.InConsultation{ConsultationID: f.ID})
	change := roomstest.Must(s.wang, record.AmendPrescription, record.AmendPrescriptionInput{PrescriptionID: q, PrescriptionInput: remedy})
	roomstest.Must(s.wang, record.DiscardPrescription, record.PrescriptionRef{PrescriptionID: change.ID})
	roomstest.Must(s.admin, record.DismissPharmacist, account.UserInput{UserID: chen.User.ID})

	roomstest.Must(s.bo, record.UpdateRecord, record.BackgroundInput{PatientID: f.PatientID})
	roomstest.Must(s.wang, record.ReadRecord, record.PatientRef{PatientID: f.PatientID})
	roomstest.Must(s.wang, record.TreatedPatients, rooms.Nothing{})
	roomstest.Must(s.wang, record.SaveTemplates, record.TemplateList{Items: []record.Template{}})
	roomstest.Must(s.admin, record.EnterConsultation, record.EnterInput{ConsultationID: f.ID, Reason: "a complaint"})
	roomstest.Must(s.admin, record.EnterRecord, record.EnterRecordInput{PatientID: f.PatientID, Reason: "a complaint"})
	roomstest.Must(s.admin, audit.Enter, audit.EnterLogInput{Reason: "a complaint"})
	roomstest.Must(s.wang, consultation.End, consultation.EndInput{ConsultationID: f.ID, Summary: "a cold"})
	roomstest.Must(s.bo, record.PrintSummary, record.InConsultation{ConsultationID: f.ID})
	roomstest.Must(s.bo, consultation.Reopen, consultation.Input{ConsultationID: f.ID})
	roomstest.Must(s.wang, consultation.Terminate, consultation.ReasonInput{ConsultationID: f.ID, Reason: "see a surgeon"})
}

func (s *story) money() {
	c := roomstest.Must(s.bo, consultation.Open, consultation.OpenInput{DoctorID: s.wang.User.ID, Service: account.Advice, Medium: account.Video, Complaint: "a rash"}).Consultation
	o := s.bo.OrderOf(c.ID)
	in := billing.CheckoutInput{OrderID: o.ID, Gateway: "sandbox", ID: "00000000-0000-7000-8000-000000000003"}
	way := roomstest.Must(s.bo, billing.Checkout, in)
	roomstest.Must(s.bo, billing.Checkout, in)
	roomstest.Must(s.bo, billing.SandboxPlay, billing.SandboxPlayInput{Reference: path.Base(way.RedirectURL), Play: billing.PlayPay})
	back := billing.RefundInput{OrderID: o.ID, ID: "00000000-0000-7000-8000-000000000004", Amount: 100, Reason: "a present"}
	roomstest.Must(s.admin, billing.RefundOrder, back)
	roomstest.Must(s.admin, billing.RefundOrder, back)
	file := roomstest.Must(s.admin, billing.OrderFile, billing.OrderRef{OrderID: o.ID})
	if len(file.Payments) != 1 || len(file.Refunds) != 1 {
		s.w.T.Errorf("%d payments and %d refunds, want one of each", len(file.Payments), len(file.Refunds))
	}
	roomstest.Must(s.admin, billing.Reconcile, billing.DayInput{Day: s.w.Now().AddDate(0, 0, -5).Format("2006-01-02")})
}

func (s *story) calls() {
	in := call.CallInvitation{ConsultationID: s.c, Medium: account.Video, CallID: "first"}
	c := roomstest.Must(s.wang, call.Invite, in).Call
	if again := roomstest.Must(s.wang, call.Invite, in).Call; again.ID != c.ID {
		s.w.T.Error("a call that was sent again is another one")
	}
	roomstest.Must(s.bo, call.Accept, call.CallAnswer{CallID: c.ID})
	s.w.Turns(30 * time.Second) // it is noted that they are still there
	roomstest.Must(s.bo, call.State, call.StateInput{CallID: c.ID})
	roomstest.Must(s.bo, call.Leave, call.CallRef{CallID: c.ID})
	roomstest.Must(s.wang, call.End, call.CallEnding{CallID: c.ID})
	c = roomstest.Must(s.wang, call.Invite, call.CallInvitation{ConsultationID: s.c, Medium: account.Voice}).Call
	roomstest.Must(s.bo, call.Decline, call.CallRef{CallID: c.ID})
}

func (s *story) schedules() {
	monday := time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)
	roomstest.Must(s.wang, schedule.SaveSchedule, schedule.ScheduleInput{TimeZone: "UTC", Rules: []schedule.Rule{
		{Weekday: 1, Start: "08:00", End: "12:00", SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Text}}}})
	in := schedule.BookInput{ID: "00000000-0000-7000-8000-000000000005", DoctorID: s.wang.User.ID, Start: monday.Add(8 * time.Hour),
		Medium: account.Text, Service: account.Advice, Complaint: "headache"}
	a := roomstest.Must(s.bo, schedule.Book, in).Appointment
	roomstest.Must(s.bo, schedule.Book, in)
	if n := len(roomstest.Must(s.bo, schedule.Appointments, schedule.AppointmentFilter{}).Items); n != 1 {
		s.w.T.Errorf("%d appointments were booked, want 1", n)
	}
	visit := schedule.AppointmentRef{AppointmentID: a.ID}
	roomstest.Must(s.bo, schedule.Reschedule, schedule.RescheduleInput{AppointmentID: a.ID, Start: monday.Add(9 * time.Hour)})
	try(s.bo, schedule.CheckIn, visit)
	try(s.bo, schedule.AcceptOffer, visit)
	try(s.bo, schedule.DeclineOffer, visit)
	leave := schedule.ExceptionInput{Kind: schedule.TimeOff, Start: monday.AddDate(0, 0, 7), End: monday.AddDate(0, 0, 8)}
	roomstest.Must(s.wang, schedule.PreviewException, leave)
	e := roomstest.Must(s.wang, schedule.AddException, leave)
	roomstest.Must(s.wang, schedule.RemoveException, schedule.ExceptionRef{ExceptionID: e.Exception.ID})
	w := roomstest.Must(s.w.Patient("lan"), schedule.JoinWaitlist, schedule.WaitInput{DoctorID: s.wang.User.ID, From: monday.Add(9 * time.Hour), To: monday.Add(10 * time.Hour),
		Medium: account.Text, Service: account.Advice, Complaint: "a cough"})
	try(s.bo, schedule.TakeOffer, schedule.WaitRef{WaitID: w.ID})
	try(s.bo, schedule.LeaveWaitlist, schedule.WaitRef{WaitID: w.ID})
	roomstest.Must(s.bo, schedule.Cancel, schedule.CancelInput{AppointmentID: a.ID})
}

func (s *story) leavings() {
	open := func(complaint string) consultation.ID {
		return s.w.Patient(fmt.Sprint("p-", complaint)).Consults(s.wang, complaint)
	}
	roomstest.Must(s.wang, consultation.Decline, consultation.ReasonInput{ConsultationID: open("one"), Reason: "not mine"})
	zhou := s.w.Patient("zhou")
	roomstest.Must(zhou, consultation.Cancel, consultation.ReasonInput{ConsultationID: zhou.Consults(s.wang, "two")})
	roomstest.Must(s.admin, consultation.Close, consultation.CloseInput{ConsultationID: open("three"), Reason: "stuck"})
	ctx := rooms.WithSubscriber(s.w.T.Context(), connection{})
	for _, ask := range []func() error{
		func() error {
			_, err := roomstest.AskWith(ctx, s.w, s.bo.As, lobby.Enter, lobby.NicknameInput{Nickname: "bo"})
			return err
		},
		func() error {
			_, err := roomstest.AskWith(ctx, s.w, s.bo.As, lobby.Say, lobby.SayInput{Text: "hello"})
			return err
		},
	} {
		if err := ask(); err != nil && rooms.CodeOf(err) != rooms.CodeRateLimited { // a failed attempt counts
			s.w.T.Error(err)
		}
	}
}

// connection is one that nobody listens to.
type connection struct{}

func (connection) Subscribe(rooms.RoomID, rooms.Seq) error { return nil }
func (connection) Unsubscribe(rooms.RoomID)                {}
func (connection) SetViewing(rooms.RoomID, bool)           {}
func (connection) OnClose(func())                          {}
