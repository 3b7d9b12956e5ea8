package e2e

import (
	"database/sql"
	"path"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
)

// Unwell is a diagnosis.
func Unwell() record.DiagnosisInput { return record.DiagnosisInput{Codes: []string{"J06.9"}} }

// Remedy is a prescription.
func Remedy() record.PrescriptionInput {
	return record.PrescriptionInput{Items: []record.Item{{Drug: "paracetamol", Dose: 500, DoseUnit: "mg", Route: record.Oral, Frequency: record.AsNeeded, Days: 3, Quantity: 1, QuantityUnit: "box"}}}
}

// Secret is in everything that is bo's; nobody else may ever be sent it.
const Secret = "hush-hush"

// Current is the session that the person speaks in.
func Current(p *Person) rooms.SessionID {
	p.World.T.Helper()
	for _, s := range Do(p, account.Sessions, rooms.Nothing{}).Items {
		if s.Current {
			return s.ID
		}
	}
	p.World.T.Fatal("no session is the current one")
	return ""
}

// Costly is a doctor whose advice by text costs 50 yuan.
func (w *World) Costly(name string) *Person {
	w.T.Helper()
	d := w.Doctor(name)
	offers := []account.DoctorService{{Service: account.Advice, Medium: account.Text, Price: 5000, Currency: "CNY", Minutes: 15}}
	Do(d, account.UpdateDoctor, account.DoctorChange{Services: &offers})
	return d
}

// Plays does at the checkout of the sandbox what play says.
func (p *Person) Plays(order billing.OrderID, play billing.Play) {
	p.World.T.Helper()
	way := Do(p, billing.Checkout, billing.CheckoutInput{OrderID: order, Gateway: "sandbox"})
	Do(p, billing.SandboxPlay, billing.SandboxPlayInput{Reference: path.Base(way.RedirectURL), Play: play})
}

// Inbox is all of someone's notifications, the oldest first.
func (p *Person) Inbox() []notification.Notification {
	p.World.T.Helper()
	var all []notification.Notification
	for after := rooms.Seq(0); ; {
		page := Do(p, notification.List, notification.InboxInput{After: &after, Limit: 100})
		all = append(all, page.Items...)
		if !page.HasMore {
			return all
		}
		after = page.Items[len(page.Items)-1].Seq
	}
}

// Followup opens a followup between the two, and the doctor accepts.
func (p *Person) Followup(doctor *Person) consultation.Consultation {
	p.World.T.Helper()
	c := Do(p, consultation.Open, consultation.OpenInput{DoctorID: doctor.User.ID, Service: account.Followup, Medium: account.Text,
		Complaint: "again", PriorDiagnosis: "hypertension"}).Consultation
	doctor.Accepts(c.ID)
	return c
}

// Diagnoses drafts and signs a diagnosis.
func (p *Person) Diagnoses(id consultation.ID, in record.DiagnosisInput) record.Diagnosis {
	p.World.T.Helper()
	draft := Do(p, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: id, DiagnosisInput: in})
	return Do(p, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})
}

// Prescribes drafts and signs a prescription.
func (p *Person) Prescribes(id consultation.ID, in record.PrescriptionInput) record.Prescription {
	p.World.T.Helper()
	draft := Do(p, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: id, PrescriptionInput: in})
	return Do(p, record.SignPrescription, record.SignPrescriptionInput{PrescriptionID: draft.ID})
}

// Tampers stops the server, changes the database file as its owner could, and
// starts the server again.
func (w *World) Tampers(t *testing.T, statements ...string) {
	t.Helper()
	Must(t, w.Stop())
	db, err := sql.Open("sqlite", filepath.Join(w.Dir, "wenzhen.db"))
	Must(t, err)
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	Must(t, db.Close())
	w.Run("127.0.0.1:0")
}

// Verifies is a verification by someone who holds the paper, without login.
func (w *World) Verifies(t testing.TB, kind record.DocumentKind, h record.Head) record.Verification {
	t.Helper()
	v, err := client.Do(t.Context(), w.Client(), record.VerifyDocument, record.VerifyInput{Kind: kind, ID: h.ID, SHA256: h.Signature.SHA256})
	Must(t, err)
	return v
}

// Always gives a doctor hours around the clock, and returns a slot of them two
// days from now.
func Always(d *Person, slotMinutes int) time.Time {
	d.World.T.Helper()
	var rules []schedule.Rule
	for day := range 7 {
		rules = append(rules, schedule.Rule{Weekday: day + 1, Start: "00:00", End: "24:00", SlotMinutes: slotMinutes, Capacity: 1, Media: []account.Medium{account.Text}})
	}
	Do(d, schedule.SaveSchedule, schedule.ScheduleInput{TimeZone: "UTC", Rules: rules})
	return time.Now().UTC().Truncate(time.Hour).Add(48 * time.Hour)
}

// BookingOf asks for a doctor's slot.
func BookingOf(d *Person, start time.Time) schedule.BookInput {
	return schedule.BookInput{DoctorID: d.User.ID, Start: start, Medium: account.Text, Service: account.Advice, Complaint: "headache"}
}
