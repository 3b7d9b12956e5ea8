package access_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

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
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
	"wenzhen.example/server/rest"
)

// Why a command is not entered in the audit log.
const (
	inItsLog    = "the log of the consultation, or of the user, has who did it and when, and cannot be changed"
	inItsRow    = "what it makes is kept with who made it and when, and is entered once it is signed or refunded"
	ephemeral   = "nothing is stored, and nothing is shown that is not entered already"
	ownSettings = "a user's own settings, which are about nobody else"
	anybody     = "anybody may read it"
	noPeople    = "it shows numbers and settings, and names nobody"
	leadsOn     = "it changes and shows nothing yet; the step that follows is entered"
	ownInbox    = "the user's own inbox: what the server has sent to this user"
)

// notEntered are all commands that the audit log does not have, and why.
var notEntered = map[string]string{
	account.Refresh.Name: leadsOn, account.ForgotPassword.Name: leadsOn, account.StartProvider.Name: leadsOn, account.ProviderCallback.Name: leadsOn,
	account.AskPasskey.Name: leadsOn, account.BeginTOTP.Name: leadsOn, account.BeginPasskey.Name: leadsOn, account.SendVerification.Name: leadsOn,
	account.KeepSession.Name: ephemeral, account.ReadSecurity.Name: ownSettings, account.Sessions.Name: ownSettings, account.Me.Name: ownSettings,
	account.ReadErasure.Name: ownSettings, account.Doctors.Name: anybody, account.ReadDoctor.Name: anybody,

	consultation.Open.Name: inItsLog, consultation.Accept.Name: inItsLog, consultation.Decline.Name: inItsLog, consultation.Cancel.Name: inItsLog,
	consultation.Hold.Name: inItsLog, consultation.Resume.Name: inItsLog, consultation.End.Name: inItsLog, consultation.Terminate.Name: inItsLog,
	consultation.Reopen.Name: inItsLog, consultation.Leave.Name: ephemeral, consultation.Look.Name: ephemeral, consultation.CountAll.Name: noPeople,

	chat.Send.Name: inItsLog, chat.Recall.Name: inItsLog, chat.MarkRead.Name: inItsLog, chat.MarkDelivered.Name: inItsLog, chat.Upload.Name: inItsRow,
	chat.StartTyping.Name: ephemeral, chat.StopTyping.Name: ephemeral, chat.QuickReplies.Name: ownSettings, chat.SaveQuickReplies.Name: ownSettings,
	board.Commit.Name: inItsLog, board.Undo.Name: inItsLog, board.Clear.Name: inItsLog, board.SetBackground.Name: inItsLog, board.Sketch.Name: ephemeral,
	calls.Invite.Name: inItsLog, calls.Accept.Name: inItsLog, calls.Decline.Name: inItsLog, calls.Leave.Name: inItsLog, calls.End.Name: inItsLog,
	calls.Signal.Name: ephemeral, calls.State.Name: ephemeral, calls.ReadServers.Name: ephemeral,

	schedule.ReadSchedule.Name: ownSettings, schedule.SaveSchedule.Name: ownSettings, schedule.AddException.Name: ownSettings,
	schedule.RemoveException.Name: ownSettings, schedule.Slots.Name: anybody, schedule.Watch.Name: anybody, schedule.Unwatch.Name: anybody,
	schedule.Book.Name: inItsLog, schedule.Reschedule.Name: inItsLog, schedule.Cancel.Name: inItsLog, schedule.CheckIn.Name: inItsLog,
	schedule.DeclineOffer.Name: inItsLog, schedule.JoinWaitlist.Name: inItsRow, schedule.LeaveWaitlist.Name: inItsRow, schedule.TakeOffer.Name: inItsLog,

	billing.Checkout.Name: inItsRow, billing.SandboxRead.Name: anybody, billing.SandboxPlay.Name: inItsRow,
	notification.List.Name: ownInbox, notification.Read.Name: ownInbox, notification.See.Name: ownInbox, notification.ReadPreferences.Name: ownSettings,
	notification.SavePreferences.Name: ownSettings, notification.Subscribe.Name: ownSettings, notification.Unsubscribe.Name: ownSettings,
	lobby.Enter.Name: anybody, lobby.Say.Name: anybody, lobby.Rename.Name: anybody,

	record.SearchCodes.Name: anybody, record.SearchDrugs.Name: anybody, record.VerifyDocument.Name: anybody, record.Templates.Name: ownSettings, record.SaveTemplates.Name: ownSettings,
	record.Duty.Name: ownSettings, record.DraftDiagnosis.Name: inItsRow, record.ReviseDiagnosis.Name: inItsRow, record.DiscardDiagnosis.Name: inItsRow,
	record.AmendDiagnosis.Name: inItsRow, record.DraftPrescription.Name: inItsRow, record.RevisePrescription.Name: inItsRow,
	record.DiscardPrescription.Name: inItsRow, record.AmendPrescription.Name: inItsRow,
	audit.Verify.Name: noPeople, operations.Watch.Name: noPeople, operations.Read.Name: noPeople, operations.Health.Name: noPeople,
	operations.Settings.Name: noPeople,
}

// enteredElsewhere are commands that need a provider, a passkey or a mail, and
// the tests that do them and look for their entries.
var enteredElsewhere = map[string]string{
	account.UsePasskey.Name: "TestHostilePasskeyLogins", account.AddPasskey.Name: "TestHostilePasskeyLogins", account.RemovePasskey.Name: "TestHostilePasskeyLogins",
	account.LinkProvider.Name: "TestLinkAndUnlink", account.Unlink.Name: "TestLinkAndUnlink", account.FinishProvider.Name: "TestLinkAndUnlink",
	account.BackChannelLogout.Name: "TestBackChannelLogout",
	account.ResetPassword.Name:     "TestResetPassword", account.VerifyEmail.Name: "TestVerifyEmail",
}

// notCommands are the routes and namespaces that ask for no command, and why what
// they show is in the log all the same, or is not.
var notCommands = map[string]string{
	"GET /api/v1/config": anybody, "GET /api/openapi.json": anybody, "GET /api/asyncapi.json": anybody, "GET /healthz": noPeople, "GET /readyz": noPeople,
	"GET /chat":                      anybody,
	"POST /api/v1/webhooks/:gateway": inItsRow,
	"GET /api/v1/fhir/R4/*path":      "entered", // see fhirEntries
	"GET /calendar/:file":            "entered", // see the step of schedule.Calendar
}

// fhirEntries are what a search for a type of resource is entered as.
var fhirEntries = map[string]string{
	"Patient": record.TreatedPatients.Name, "Encounter": consultation.List.Name, "Communication": audit.MessageRead, "Condition": record.ReadRecord.Name,
	"MedicationRequest": record.ReadRecord.Name, "DocumentReference": record.ReadRecord.Name, "Appointment": schedule.Appointments.Name,
	"Practitioner": "", "Schedule": "", "Slot": "", // anybody may read them
}

// walk does one thing after the other and looks for their entries.
type walk struct {
	*house
	t    *testing.T
	last int64
	done map[string]bool
}

// entries are those since the last call, the latest first.
func (w *walk) entries() []audit.LogEntry {
	w.t.Helper()
	var list []audit.LogEntry
	rows, err := w.Beside(w.t).Query(`SELECT num, actor_id, role, address, session_id, action, subject, patient_id FROM audit WHERE num > $1 ORDER BY num DESC`, w.last)
	e2e.Must(w.t, err)
	defer rows.Close()
	for rows.Next() {
		var e audit.LogEntry
		e2e.Must(w.t, rows.Scan(&e.Num, &e.ActorID, &e.Role, &e.Address, &e.SessionID, &e.Action, &e.Subject, &e.PatientID))
		list = append(list, e)
		w.last = max(w.last, e.Num)
	}
	e2e.Must(w.t, rows.Err())
	return list
}

// does runs a command and demands its entry: who, from where, in which
// login, and for which patient if the subject is about one.
func (w *walk) does(command, action string, by *e2e.Person, do func()) {
	w.t.Helper()
	w.done[command] = true
	w.entries()
	do()
	list := w.entries()
	n := slices.IndexFunc(list, func(e audit.LogEntry) bool { return e.Action == action })
	if n < 0 {
		w.t.Errorf("%s: no entry %s among %+v", command, action, list)
		return
	}
	e := list[n]
	kind, _, _ := strings.Cut(e.Subject, ":")
	about := slices.Contains([]string{"patient", "consultation", "diagnosis", "prescription", "summary", "attachment", "order", "appointment"}, kind)
	switch {
	case by != nil && (e.ActorID != by.User.ID || e.Role != by.User.Role):
		w.t.Errorf("%s: by %s %s, want %s", command, e.Role, e.ActorID, by.User.ID)
	case e.Address == "":
		w.t.Errorf("%s: from nowhere: %+v", command, e)
	case by != nil && e.SessionID == "" && command != schedule.Calendar.Name && command != account.Register.Name:
		w.t.Errorf("%s: in no login: %+v", command, e)
	case about && e.PatientID == "":
		w.t.Errorf("%s: for no patient: %+v", command, e)
	}
}

// enters is does for a command whose action is its name.
func enters[In, Out any](w *walk, by *e2e.Person, command rooms.Command[In, Out], in In) Out {
	w.t.Helper()
	return entersAs(w, by, command, command.Name, in)
}

func entersAs[In, Out any](w *walk, by *e2e.Person, command rooms.Command[In, Out], action string, in In) (out Out) {
	w.t.Helper()
	w.does(command.Name, action, by, func() { out = e2e.Do(by, command, in) })
	return out
}

// Every command either leaves an entry of its action in the audit log, or is in a
// list with the reason why not. So does every route that asks for no command.
func TestEverythingIsEnteredOrHasAReason(t *testing.T) {
	t.Parallel()
	h := furnished(e2e.Start(t, func(c *app.Config) { c.Policy = "none" }), t)
	w := &walk{house: h, t: t, done: map[string]bool{}}
	w.logins()
	w.accounts()
	w.consulting()
	w.documents()
	w.bookings()
	w.oversight()
	w.fhir()
	w.contract()
	for c := range h.Server.Catalogue().All() {
		_, listed := notEntered[c.Name]
		_, elsewhere := enteredElsewhere[c.Name]
		switch {
		case !w.done[c.Name] && !listed && !elsewhere:
			t.Errorf("%s is neither entered in the audit log nor in the list of what is not", c.Name)
		case w.done[c.Name] && (listed || elsewhere):
			t.Errorf("%s is entered, and in a list of what is not, or not here", c.Name)
		}
		delete(w.done, c.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(w.done)) {
		t.Errorf("%s does not exist", name)
	}
	for _, p := range rest.OtherRoutes() {
		if notCommands[p.Method+" "+p.Path] == "" {
			t.Errorf("%s %s is neither entered nor in the list of what is not", p.Method, p.Path)
		}
	}
}

// contractActions are the actions that the contract names, beside the names of
// commands.
var contractActions = []string{"auth:login", "auth:failed", "user:suspend", "user:unsuspend", "doctor:verify", "doctor:unverify", "role:change",
	"order:refund", "record:read", "message:read", "attachment:read", "export:read"}

// contract demands that what has been done so far is in the log by the names of
// the contract: each of them, and no other that is not a command's.
func (w *walk) contract() {
	w.t.Helper()
	w.wrongPassword()
	rows, err := w.Beside(w.t).Query(`SELECT DISTINCT action FROM audit`)
	e2e.Must(w.t, err)
	defer rows.Close()
	have := map[string]bool{}
	for rows.Next() {
		var action string
		e2e.Must(w.t, rows.Scan(&action))
		have[action] = true
	}
	e2e.Must(w.t, rows.Err())
	for _, action := range contractActions {
		if !have[action] {
			w.t.Errorf("no entry has the action %s", action)
		}
		delete(have, action)
	}
	for _, renamed := range []string{record.AppointPharmacist.Name, record.DismissPharmacist.Name, account.Export.Name, account.LogIn.Name} {
		if have[renamed] {
			w.t.Errorf("%s has another name in the contract", renamed)
		}
	}
	for c := range w.Server.Catalogue().All() {
		delete(have, c.Name)
	}
	// What is part of another command, or of the command line.
	for _, own := range []string{audit.Entered, audit.Reassigned, "summary:sign", "admin:create"} {
		delete(have, own)
	}
	for _, action := range slices.Sorted(maps.Keys(have)) {
		w.t.Errorf("%s is neither in the contract nor the name of a command", action)
	}
}

func (w *walk) wrongPassword() {
	w.t.Helper()
	_, err := w.Client().LogIn(w.t.Context(), account.LoginInput{Email: w.bo.User.Email, Password: "not the password"})
	e2e.Code(w.t, err, rooms.CodeUnauthenticated)
}

func (w *walk) logins() {
	w.t.Helper()
	in := account.RegisterInput{Role: rooms.RolePatient, Name: "new", Email: e2e.NewEmail(), Password: e2e.Password}
	w.does(account.Register.Name, account.Register.Name, nil, func() {
		_, err := w.Client().Register(w.t.Context(), in)
		e2e.Must(w.t, err)
	})
	var p *e2e.Person
	w.does(account.LogIn.Name, audit.LoggedIn, w.bo, func() { p = w.bo.Again() })
	enters(w, p, account.LogOut, account.RefreshInput{RefreshToken: p.Tokens().RefreshToken})
	p = w.bo.Again()
	enters(w, p, account.LogOutProvider, account.RefreshInput{RefreshToken: p.Tokens().RefreshToken})
	p = w.bo.Again()
	enters(w, w.bo, account.RevokeSession, account.SessionInput{SessionID: e2e.Current(p)})
	enters(w, w.bo, account.RevokeOthers, rooms.Nothing{})
	enters(w, w.bo, account.Confirm, account.ConfirmInput{Password: e2e.Password})
	p = w.Patient("changer")
	enters(w, p, account.ChangePassword, account.PasswordInput{Password: "another battery"})
	p = w.Patient("careful")
	for range 2 {
		setup := e2e.Do(p, account.BeginTOTP, rooms.Nothing{})
		code, err := totp.GenerateCode(setup.Secret, time.Now())
		e2e.Must(w.t, err)
		enters(w, p, account.ConfirmTOTP, account.TOTPInput{OTP: code})
		if !w.done[account.RemoveTOTP.Name] {
			enters(w, p, account.RenewRecoveryCodes, rooms.Nothing{})
			enters(w, p, account.RemoveTOTP, rooms.Nothing{})
		}
	}
	enters(w, w.Admin, account.ResetSecondFactor, account.UserInput{UserID: p.User.ID})
}

func (w *walk) accounts() {
	w.t.Helper()
	enters(w, w.bo, account.UpdateMe, account.MeInput{Locale: new("en")})
	enters(w, w.bo, account.RotateCalendar, rooms.Nothing{})
	enters(w, w.wang, account.UpdateDoctor, account.DoctorChange{Bio: new("I listen.")})
	enters(w, w.bo.Again(), account.Patients, rooms.Nothing{})
	child := enters(w, w.bo, account.AddPatient, account.PatientInput{Name: "Xiao Bo", Relation: "child"})
	enters(w, w.bo, account.UpdatePatient, account.PatientChange{PatientID: child.ID, Name: new("Da Bo")})
	w.does(account.Export.Name, audit.ExportRead, w.bo, func() {
		if a := w.Ask(w.t, http.MethodGet, "/api/v1/me/export", w.bo.Tokens().AccessToken, ""); a.Status != http.StatusOK {
			w.t.Errorf("the export: %d %s", a.Status, a.Body)
		}
	})
	enters(w, w.Patient("leaving"), account.Erase, rooms.Nothing{})
	doctor := w.Register(rooms.RoleDoctor, "newcomer").User.ID
	enters(w, w.Admin, account.Users, account.UserFilter{})
	enters(w, w.Admin, account.Applicants, account.ApplicantFilter{})
	enters(w, w.Admin, account.VerifyDoctor, account.VerifyDoctorInput{DoctorID: doctor})
	enters(w, w.Admin, account.UnverifyDoctor, account.UnverifyDoctorInput{UserID: doctor, Reason: "the licence has expired"})
	enters(w, w.Admin, account.SuspendUser, account.UserInput{UserID: doctor})
	enters(w, w.Admin, account.UnsuspendUser, account.UserInput{UserID: doctor})
	enters(w, w.Admin, account.PlaceLegalHold, account.LegalHoldInput{UserID: doctor, Reason: "a lawsuit"})
	enters(w, w.Admin, account.LegalHolds, rooms.Nothing{})
	enters(w, w.Admin, account.ReleaseLegalHold, account.UserInput{UserID: doctor})
}

func (w *walk) consulting() {
	w.t.Helper()
	id, bo := w.things.consultation, w.bo.Again()
	within := consultation.Input{ConsultationID: id}
	enters(w, bo, consultation.List, consultation.Filter{})
	enters(w, bo, consultation.Read, within)
	enters(w, bo, consultation.ListInvitations, within)
	enters(w, bo, calls.List, calls.CallFilter{})
	for _, read := range []struct {
		name string
		do   func(*e2e.Person)
	}{
		{consultation.Events.Name, func(p *e2e.Person) { p.Log(id) }},
		{chat.History.Name, func(p *e2e.Person) { e2e.Do(p, chat.History, chat.HistoryInput{ConsultationID: id}) }},
		{chat.Search.Name, func(p *e2e.Person) { e2e.Do(p, chat.Search, chat.SearchInput{Q: "secret"}) }},
		{board.Read.Name, func(p *e2e.Person) { e2e.Do(p, board.Read, board.BoardRef{ConsultationID: id}) }},
		{consultation.Join.Name, func(p *e2e.Person) { p.Online().Joins(id) }},
	} {
		p := w.bo.Again() // who has read it in this login is not entered again
		w.does(read.name, audit.MessageRead, p, func() { read.do(p) })
	}
	for _, path := range []string{"", "/thumbnail"} {
		p := w.bo.Again()
		w.does(chat.Download.Name, audit.AttachmentRead, p, func() {
			if a := w.Ask(w.t, http.MethodGet, "/api/v1/attachments/"+string(w.things.attachment)+path, p.Tokens().AccessToken, ""); a.Status != http.StatusOK {
				w.t.Errorf("the attachment%s: %d", path, a.Status)
			}
		})
	}
	aunt, uncle, li, chen := w.Patient("aunt"), w.Patient("uncle"), w.Doctor("li"), w.Doctor("chen")
	enters(w, w.bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: aunt.User.ID, Role: consultation.PartRelative})
	e2e.Do(w.bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: uncle.User.ID, Role: consultation.PartRelative})
	propose := func(d *e2e.Person) consultation.InvitationID {
		return e2e.Do(w.wang, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: d.User.ID, Role: consultation.PartColleague}).Invitation.ID
	}
	enters(w, w.bo, consultation.AnswerInvitation, consultation.InvitationAnswer{ConsultationID: id, InvitationID: propose(li), Accept: true})
	enters(w, w.wang, consultation.WithdrawInvitation, consultation.InvitationRef{ConsultationID: id, InvitationID: propose(chen)})
	enters(w, w.bo, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: id, UserID: aunt.User.ID})
	enters(w, uncle, consultation.Quit, within)
}

func (w *walk) documents() {
	w.t.Helper()
	of := record.InConsultation{ConsultationID: w.record()}
	diagnosis := e2e.Do(w.wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: of.ConsultationID, DiagnosisInput: e2e.Unwell()})
	enters(w, w.wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: diagnosis.ID})
	enters(w, w.bo, record.ReadDiagnosis, record.DiagnosisRef{DiagnosisID: diagnosis.ID})
	enters(w, w.bo, record.Diagnoses, of)
	chen := w.Doctor("chen")
	entersAs(w, w.Admin, record.AppointPharmacist, audit.RoleChanged, account.UserInput{UserID: chen.User.ID})
	enters(w, w.wang, record.CheckPrescription, record.PrescriptionCheck{ConsultationID: of.ConsultationID, PrescriptionInput: e2e.Remedy()})
	sign := func() record.Prescription {
		draft := e2e.Do(w.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: of.ConsultationID, PrescriptionInput: e2e.Remedy()})
		return enters(w, w.wang, record.SignPrescription, record.SignPrescriptionInput{PrescriptionID: draft.ID})
	}
	one, other := sign(), sign()
	enters(w, chen, record.PrescriptionQueue, record.QueueFilter{})
	enters(w, chen, record.ApprovePrescription, record.PrescriptionRef{PrescriptionID: one.ID})
	enters(w, chen, record.RejectPrescription, record.PrescriptionReason{PrescriptionID: other.ID, Reason: "too much"})
	enters(w, w.bo, record.ReadPrescription, record.PrescriptionRef{PrescriptionID: one.ID})
	enters(w, w.bo, record.Prescriptions, of)
	w.prints(record.PrintDiagnosis.Name, "/diagnoses/"+string(diagnosis.ID)+"/pdf")
	w.prints(record.PrintPrescription.Name, "/prescriptions/"+string(one.ID)+"/pdf")
	enters(w, w.wang, record.VoidPrescription, record.PrescriptionReason{PrescriptionID: one.ID, Reason: "a mistake"})
	enters(w, w.Admin, record.Pharmacists, rooms.Nothing{})
	entersAs(w, w.Admin, record.DismissPharmacist, audit.RoleChanged, account.UserInput{UserID: chen.User.ID})
	ended := w.bo.Followup(w.wang)
	e2e.Do(w.wang, consultation.End, consultation.EndInput{ConsultationID: ended.ID, Summary: "drink water"})
	w.prints(record.PrintSummary.Name, "/consultations/"+string(ended.ID)+"/summary/pdf")
	enters(w, w.bo, record.ReadRecord, record.PatientRef{PatientID: w.things.patient})
	enters(w, w.bo, record.UpdateRecord, record.BackgroundInput{PatientID: w.things.patient})
	enters(w, w.wang, record.TreatedPatients, rooms.Nothing{})
	enters(w, w.Admin, record.EnterRecord, record.EnterRecordInput{PatientID: w.things.patient, Reason: "a complaint"})
	enters(w, w.Admin, record.EnterConsultation, record.EnterInput{ConsultationID: w.things.consultation, Reason: "a complaint"})
}

func (w *walk) prints(command, path string) {
	w.t.Helper()
	w.does(command, command, w.bo, func() {
		if a := w.Ask(w.t, http.MethodGet, "/api/v1"+path, w.bo.Tokens().AccessToken, ""); a.Status != http.StatusOK {
			w.t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	})
}

func (w *walk) bookings() {
	w.t.Helper()
	bo := w.bo.Again()
	enters(w, bo, schedule.Appointments, schedule.AppointmentFilter{})
	enters(w, bo, schedule.ReadAppointment, schedule.AppointmentRef{AppointmentID: w.things.appointment})
	enters(w, bo, schedule.Waitlist, rooms.Nothing{})
	enters(w, w.wang, schedule.PreviewException, schedule.ExceptionInput{Kind: schedule.TimeOff, Start: w.slot, End: w.slot.Add(time.Hour)})
	w.does(schedule.Calendar.Name, schedule.Calendar.Name, w.bo, func() {
		response, err := w.HTTP.Get(w.Base + e2e.Do(w.bo, account.Me, rooms.Nothing{}).CalendarURL)
		e2e.Must(w.t, err)
		content, err := io.ReadAll(response.Body)
		e2e.Must(w.t, err)
		e2e.Must(w.t, response.Body.Close())
		if !strings.HasPrefix(string(content), "BEGIN:VCALENDAR") {
			w.t.Errorf("the calendar: %s", content)
		}
	})
	other := w.Patient("other")
	b := hands(w.World, other, w.Doctor("away"))
	entersAs(w, other, schedule.AcceptOffer, audit.Reassigned, schedule.AppointmentRef{AppointmentID: b.ID})
	enters(w, bo, billing.Orders, billing.OrderFilter{})
	enters(w, bo, billing.ReadOrder, billing.OrderRef{OrderID: w.things.order})
	enters(w, w.wang, billing.Income, billing.IncomeInput{})
	w.does(billing.ExportIncome.Name, billing.ExportIncome.Name, w.wang, func() {
		if a := w.Ask(w.t, http.MethodGet, "/api/v1/me/income.csv", w.wang.Tokens().AccessToken, ""); a.Status != http.StatusOK {
			w.t.Errorf("the income: %d %s", a.Status, a.Body)
		}
	})
}

func (w *walk) oversight() {
	w.t.Helper()
	enters(w, w.Admin, billing.AllOrders, billing.OrderFilter{})
	enters(w, w.Admin, billing.OrderFile, billing.OrderRef{OrderID: w.things.order})
	w.bo.Plays(w.things.order, billing.PlayPay)
	entersAs(w, w.Admin, billing.RefundOrder, audit.OrderRefunded, billing.RefundInput{OrderID: w.things.order, Reason: "a complaint"})
	enters(w, w.Admin, billing.Reconciliations, rooms.Nothing{})
	enters(w, w.Admin, billing.Reconcile, billing.DayInput{Day: time.Now().UTC().AddDate(0, 0, -2).Format(time.DateOnly)})
	enters(w, w.Admin, consultation.Cases, consultation.CaseFilter{})
	enters(w, w.Admin, consultation.Close, consultation.CloseInput{ConsultationID: w.Patient("stuck").Consults(w.Doctor("gone"), "a cough"), Reason: "it is stuck"})
	enters(w, w.Admin, audit.List, audit.LogFilter{})
	enters(w, w.Admin, audit.Enter, audit.EnterLogInput{Reason: "a complaint"})
	enters(w, w.Admin, operations.Rooms, operations.RoomFilter{})
	p := w.Patient("connected").Online()
	sockets := enters(w, w.Admin, operations.Sockets, operations.SocketFilter{UserID: p.User.ID})
	if len(sockets.Items) == 0 {
		w.t.Fatal("nobody is connected")
	}
	enters(w, w.Admin, operations.Disconnect, operations.SocketRef{SocketID: sockets.Items[0].ID})
	enters(w, w.Admin, operations.DisconnectUser, operations.UserRef{UserID: p.User.ID})
}

func (w *walk) fhir() {
	w.t.Helper()
	metadata := w.Ask(w.t, http.MethodGet, "/api/v1/fhir/R4/metadata", "", "")
	for kind, action := range fhirEntries {
		if !strings.Contains(string(metadata.Body), `"type":"`+kind+`"`) {
			w.t.Errorf("there is no %s", kind)
		}
		bo, path := w.bo.Again(), kind
		if kind == "Slot" {
			path += "?schedule=Schedule/" + string(w.wang.User.ID)
		}
		w.entries()
		if a := w.Ask(w.t, http.MethodGet, "/api/v1/fhir/R4/"+path, bo.Tokens().AccessToken, ""); a.Status != http.StatusOK {
			w.t.Errorf("%s: %d %s", kind, a.Status, a.Body)
		}
		list := w.entries()
		if action != "" && !slices.ContainsFunc(list, func(e audit.LogEntry) bool { return e.Action == action && e.ActorID == w.bo.User.ID }) {
			w.t.Errorf("FHIR %s: no entry %s among %+v", kind, action, list)
		}
	}
	if got := strings.Count(string(metadata.Body), `"searchParam"`); got != len(fhirEntries) {
		w.t.Errorf("FHIR has %d types, %d of them are known here", got, len(fhirEntries))
	}
}
