package roomstest

import (
	"context"
	"encoding/json"
	"path"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/payment/sandbox"
)

// Person is someone who is logged in.
type Person struct {
	W *World
	account.Login
	As rooms.Actor
}

// Patient registers a patient.
func (w *World) Patient(name string) *Person { return w.register(name, rooms.RolePatient) }

// Again logs the person in on another device.
func (p *Person) Again(from rooms.Actor) *Person {
	p.W.T.Helper()
	login, err := Ask(p.W, from, account.LogIn, account.LoginInput{Email: p.User.Email, Password: Password})
	p.W.must(err)
	return p.W.Enters(login)
}

// Verifies shows, with the link of the mail that registering sends, that the
// person has the address.
func (p *Person) Verifies() *Person {
	p.W.T.Helper()
	p.W.Passes(0) // it is sent
	for _, letter := range p.W.Post.To(p.User.Email) {
		if _, token, ok := strings.Cut(letter.URL, "/email/verify#"); ok {
			_, err := Ask(p.W, rooms.Actor{}, account.VerifyEmail, account.VerifyEmailInput{Token: token})
			p.W.must(err)
			return p
		}
	}
	p.W.T.Fatalf("%s got no mail to verify the address", p.User.Name)
	return p
}

// Enters is who a login is.
func (w *World) Enters(login account.Login) *Person {
	w.T.Helper()
	actor, _, err := w.Accounts.Authenticate(context.Background(), login.AccessToken)
	w.must(err)
	return &Person{W: w, Login: login, As: actor}
}

// Doctor registers a doctor who is verified, on duty and offers advice and followups
// by text free of charge, and by video for 50 yuan.
func (w *World) Doctor(name string) *Person {
	w.T.Helper()
	p := w.register(name, rooms.RoleDoctor)
	services := []account.DoctorService{
		{Service: account.Advice, Medium: account.Text, Currency: "CNY", Minutes: 15},
		{Service: account.Followup, Medium: account.Text, Currency: "CNY", Minutes: 15},
		{Service: account.Advice, Medium: account.Voice, Currency: "CNY", Minutes: 20},
		{Service: account.Advice, Medium: account.Video, Price: 5000, Currency: "CNY", Minutes: 20},
	}
	Must(p, account.UpdateDoctor, account.DoctorChange{Services: &services, OnDuty: new(true)})
	return w.Verifies(p)
}

// Verifies is an admin's verification of a doctor as they are now.
func (w *World) Verifies(doctor *Person) *Person {
	w.T.Helper()
	_, err := Ask(w, rooms.Actor{Role: rooms.RoleAdmin}, account.VerifyDoctor, account.VerifyDoctorInput{DoctorID: doctor.User.ID})
	w.must(err)
	return doctor
}

// Admin adds an admin.
func (w *World) Admin(name string) *Person {
	w.T.Helper()
	user, err := w.Accounts.CreateAdmin(context.Background(), name, name+"@example.org", Password)
	w.must(err)
	return &Person{W: w, Login: account.Login{User: user}, As: rooms.Actor{UserID: user.ID, Role: rooms.RoleAdmin}}
}

func (w *World) register(name string, role rooms.Role) *Person {
	w.T.Helper()
	made, err := Ask(w, rooms.Actor{Address: "192.0.2.1"}, account.Register,
		account.RegisterInput{Role: role, Name: name, Email: name + "@example.org", Password: Password})
	w.must(err)
	return w.Enters(made.Login())
}

// Ask sends a command as actor and returns its answer.
func Ask[In, Out any](w *World, actor rooms.Actor, command rooms.Command[In, Out], in In) (Out, error) {
	return AskWith(context.Background(), w, actor, command, in)
}

// AskWith is Ask with a context, which may carry a connection or a file.
func AskWith[In, Out any](ctx context.Context, w *World, actor rooms.Actor, command rooms.Command[In, Out], in In) (Out, error) {
	w.T.Helper()
	var out Out
	raw, err := json.Marshal(in)
	w.must(err)
	answer, err := w.answer(ctx, actor, command.Name, raw)
	if err != nil {
		return out, err
	}
	w.must(json.Unmarshal(answer, &out))
	return out, nil
}

// Must sends a command that has to succeed.
func Must[In, Out any](p *Person, command rooms.Command[In, Out], in In) Out {
	p.W.T.Helper()
	out, err := Ask(p.W, p.As, command, in)
	p.W.must(err)
	return out
}

// Code sends a command and returns the code of its failure, "" for success.
func Code[In, Out any](p *Person, command rooms.Command[In, Out], in In) rooms.Code {
	p.W.T.Helper()
	_, err := Ask(p.W, p.As, command, in)
	return rooms.CodeOf(err)
}

// Consults opens a consultation for advice by text.
func (p *Person) Consults(doctor *Person, complaint string) consultation.ID {
	p.W.T.Helper()
	return Must(p, consultation.Open, consultation.OpenInput{DoctorID: doctor.User.ID, Service: account.Advice, Medium: account.Text, Complaint: complaint}).Consultation.ID
}

// Accepts admits the patient.
func (p *Person) Accepts(id consultation.ID) consultation.Consultation {
	p.W.T.Helper()
	return Must(p, consultation.Accept, consultation.Input{ConsultationID: id})
}

// Talk is a consultation that goes on between bo, a patient, and Dr wang.
func (w *World) Talk() (bo, wang *Person, id consultation.ID) {
	w.T.Helper()
	bo, wang = w.Patient("bo"), w.Doctor("wang")
	id = bo.Consults(wang, "headache")
	wang.Accepts(id)
	return bo, wang, id
}

// Says sends a text.
func (p *Person) Says(id consultation.ID, text string) chat.Message {
	p.W.T.Helper()
	return Must(p, chat.Send, chat.SendInput{ConsultationID: id, ClientID: rooms.NewID(p.W.Now()), Kind: chat.Text, Text: text})
}

// Sees reads a consultation.
func (p *Person) Sees(id consultation.ID) consultation.Consultation {
	p.W.T.Helper()
	return Must(p, consultation.Read, consultation.Input{ConsultationID: id})
}

// Log reads the whole log of a consultation.
func (p *Person) Log(id consultation.ID) []rooms.Event {
	p.W.T.Helper()
	return Must(p, consultation.Events, consultation.EventsInput{ConsultationID: id, Limit: 500}).Items
}

// Pays pays the order of a consultation at the sandbox.
func (p *Person) Pays(id consultation.ID) billing.Order {
	p.W.T.Helper()
	return p.Plays(id, billing.PlayPay)
}

// Plays begins to pay the order of a consultation at the sandbox, and does
// there what play says.
func (p *Person) Plays(id consultation.ID, play billing.Play) billing.Order {
	p.W.T.Helper()
	o := p.OrderOf(id)
	way := Must(p, billing.Checkout, billing.CheckoutInput{OrderID: o.ID, Gateway: sandbox.Name})
	Must(p, billing.SandboxPlay, billing.SandboxPlayInput{Reference: path.Base(way.RedirectURL), Play: play})
	return p.OrderOf(id)
}

// OrderOf is the order of one of the person's consultations.
func (p *Person) OrderOf(id consultation.ID) billing.Order {
	p.W.T.Helper()
	cursor := ""
	for {
		page := Must(p, billing.Orders, billing.OrderFilter{Cursor: cursor, Limit: 100})
		for _, o := range page.Items {
			if o.ConsultationID == id {
				return o
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			p.W.T.Fatalf("no order for consultation %s", id)
		}
	}
}
