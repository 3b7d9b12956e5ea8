package consultation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/board"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	. "wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
)

// invites lets someone in by user id, or proposes to.
func invites(p, guest *roomstest.Person, id ID, role Part) Admission {
	p.W.T.Helper()
	return roomstest.Must(p, Invite, InviteInput{ConsultationID: id, UserID: guest.User.ID, Role: role})
}

// agrees is the patient's consent to what the doctor proposes.
func agrees(patient *roomstest.Person, inv Invitation, history bool) Invitation {
	patient.W.T.Helper()
	return roomstest.Must(patient, AnswerInvitation, InvitationAnswer{ConsultationID: inv.ConsultationID, InvitationID: inv.ID, Accept: true, History: history})
}

func names(people []Participant) string {
	var all []string
	for _, p := range people {
		all = append(all, p.Name)
	}
	return strings.Join(all, " ")
}

func topics(p *roomstest.Person) string {
	p.W.T.Helper()
	p.W.Notifies()
	var all []string
	for _, n := range p.Inbox() {
		all = append(all, string(n.Topic))
	}
	return strings.Join(all, " ")
}

// A doctor's invitation is a proposal: nobody enters before the patient agrees,
// and nobody else can agree.
func TestTheDoctorsInvitationNeedsThePatientsConsent(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	li, aunt := w.Doctor("li"), w.Patient("aunt")
	invites(bo, aunt, id, PartRelative)
	proposal := invites(wang, li, id, PartColleague)
	if proposal.Invitation.Status != InvitationProposed || proposal.Participant != nil {
		t.Fatalf("the doctor's invitation: %+v", proposal)
	}
	in := InvitationAnswer{ConsultationID: id, InvitationID: proposal.Invitation.ID, Accept: true}
	for name, p := range map[string]*roomstest.Person{"the doctor": wang, "a relative": aunt} {
		if code := roomstest.Code(p, AnswerInvitation, in); code != rooms.CodeForbidden {
			t.Errorf("%s agrees: %q", name, code)
		}
	}
	if code := roomstest.Code(li, AnswerInvitation, in); code != rooms.CodeNotFound {
		t.Errorf("the invited doctor agrees: %q", code)
	}
	if code := roomstest.Code(li, Read, Input{ConsultationID: id}); code != rooms.CodeNotFound {
		t.Errorf("the invited doctor reads before the patient has agreed: %q", code)
	}
	if got := topics(bo); !strings.Contains(got, string(notification.ConsultationProposed)) {
		t.Errorf("the patient's inbox has %s", got)
	}
	first := agrees(bo, proposal.Invitation, false)
	if again := agrees(bo, proposal.Invitation, true); again.Status != InvitationEntered || !cmp.Equal(first, again) {
		t.Errorf("agreed twice: %+v, then %+v", first, again)
	}
	li.Says(id, "hello")
	if code := roomstest.Code(li, Accept, Input{ConsultationID: id}); code != rooms.CodeForbidden {
		t.Errorf("a second doctor accepts: %q", code)
	}
	if got := roomstest.Must(bo, Join, JoinInput{ConsultationID: id}).Participants; len(got) != 4 {
		t.Errorf("%s take part", names(got))
	}
}

// A doctor who loses the verification between the invitation and the consent, or
// before looking at the consultation, does not enter.
func TestASecondDoctorIsStillVerified(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	li, pei := w.Doctor("li"), w.Doctor("pei").Verifies()
	proposal := invites(wang, li, id, PartColleague).Invitation
	roomstest.Must(bo, Invite, InviteInput{ConsultationID: id, Email: pei.User.Email, Role: PartColleague})
	for _, doctor := range []*roomstest.Person{li, pei} {
		name := doctor.User.Name + " II"
		roomstest.Must(doctor, account.UpdateMe, account.MeInput{Name: &name})
	}
	in := InvitationAnswer{ConsultationID: id, InvitationID: proposal.ID, Accept: true}
	if code := roomstest.Code(bo, AnswerInvitation, in); code != rooms.CodeConflict {
		t.Errorf("the patient agrees to a doctor who is not verified any more: %q", code)
	}
	if code := roomstest.Code(pei, Read, Input{ConsultationID: id}); code != rooms.CodeNotFound {
		t.Errorf("a doctor who is not verified any more enters: %q", code)
	}
	if list := roomstest.Must(pei, List, Filter{}).Items; len(list) != 0 {
		t.Errorf("a doctor who is not verified any more reads %+v", list)
	}
	if got := roomstest.Must(bo, Join, JoinInput{ConsultationID: id}).Participants; len(got) != 2 {
		t.Errorf("%s take part", names(got))
	}
}

func TestADeclinedProposalLetsNobodyIn(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	li := w.Doctor("li")
	proposal := invites(wang, li, id, PartColleague).Invitation
	no := InvitationAnswer{ConsultationID: id, InvitationID: proposal.ID}
	for range 2 {
		if got := roomstest.Must(bo, AnswerInvitation, no); got.Status != InvitationDeclined || got.AnsweredAt == nil {
			t.Errorf("declined: %+v", got)
		}
	}
	if code := roomstest.Code(bo, AnswerInvitation, InvitationAnswer{ConsultationID: id, InvitationID: proposal.ID, Accept: true}); code != rooms.CodeConflict {
		t.Errorf("agreed after it was declined: %q", code)
	}
	if code := roomstest.Code(li, Read, Input{ConsultationID: id}); code != rooms.CodeNotFound {
		t.Errorf("who was declined reads: %q", code)
	}
	if got := roomstest.Must(wang, ListInvitations, Input{ConsultationID: id}).Items; len(got) != 1 || got[0].Status != InvitationDeclined {
		t.Errorf("the doctor sees %+v", got)
	}
	other := invites(wang, li, id, PartColleague).Invitation
	if other.ID == proposal.ID || agrees(bo, other, false).Status != InvitationEntered {
		t.Errorf("proposed again: %+v", other)
	}
	elsewhere := bo.Consults(wang, "fever")
	in := InvitationAnswer{ConsultationID: elsewhere, InvitationID: other.ID}
	if code := roomstest.Code(bo, AnswerInvitation, in); code != rooms.CodeNotFound {
		t.Errorf("the invitation of another consultation: %q", code)
	}
}

// The patient who invites whom the doctor proposes agrees.
func TestThePatientsOwnInvitationAnswersTheProposal(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	li := w.Doctor("li")
	proposal := invites(wang, li, id, PartColleague).Invitation
	if got := invites(bo, li, id, PartColleague); got.Invitation.ID != proposal.ID || got.Participant == nil {
		t.Errorf("invited by the patient too: %+v", got)
	}
	li.Sees(id)
}

// An invitation by address answers the same, and shows the same afterwards,
// whether or not anyone has that address, until they enter.
func TestInvitationDoesNotRevealAccounts(t *testing.T) {
	t.Parallel()
	for _, inviter := range []string{"patient", "doctor"} {
		t.Run(inviter, func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			bo, wang, id := w.Talk()
			known := w.Patient("zhao").Verifies()
			w.Patient("squatter")
			li := w.Doctor("li").Verifies()
			by := map[string]*roomstest.Person{"patient": bo, "doctor": wang}[inviter]
			byEmail := func(email string, role Part) (Admission, error) {
				return roomstest.Ask(w, by.As, Invite, InviteInput{ConsultationID: id, Email: email, Role: role})
			}
			var first *Admission
			for _, email := range []string{known.User.Email, "nobody@example.org", "squatter@example.org", wang.User.Email} {
				for _, role := range []Part{PartRelative, PartColleague} {
					got, err := byEmail(strings.ToUpper(email), role)
					if role == PartColleague {
						if again, err := byEmail(email, role); err != nil || again.Invitation.ID != got.Invitation.ID {
							t.Errorf("%s invited twice: %+v %v", email, again, err)
						}
						if _, err := roomstest.Ask(w, by.As, WithdrawInvitation, InvitationRef{ConsultationID: id, InvitationID: got.Invitation.ID}); err != nil {
							t.Errorf("%s withdrawn: %v", email, err)
						}
						continue
					}
					if err != nil || got.Invitation.Invitee != email {
						t.Fatalf("%s: %+v %v", email, got, err)
					}
					if inviter == "doctor" {
						got.Invitation = agrees(bo, got.Invitation, false)
					}
					if first == nil {
						first = &got
					}
					if diff := cmp.Diff(*first, got, cmpopts.IgnoreFields(Invitation{}, "ID", "Invitee", "CreatedAt", "AnsweredAt")); diff != "" {
						t.Errorf("%s is answered differently: %s", email, diff)
					}
					if _, err := roomstest.Ask(w, by.As, WithdrawInvitation, InvitationRef{ConsultationID: id, InvitationID: got.Invitation.ID}); err != nil {
						t.Errorf("%s withdrawn: %v", email, err)
					}
				}
			}
			if code := roomstest.Code(known, Read, Input{ConsultationID: id}); code != rooms.CodeNotFound {
				t.Errorf("whose invitation was withdrawn reads: %q", code)
			}
			_ = li
		})
	}
}

func TestWhoIsInvitedByAddressIsShownOnceTheyEnter(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	zhao := w.Patient("zhao").Verifies()
	before := roomstest.Must(bo, Join, JoinInput{ConsultationID: id})
	made := roomstest.Must(bo, Invite, InviteInput{ConsultationID: id, Email: " ZHAO@example.org ", Role: PartRelative})
	after := roomstest.Must(bo, Join, JoinInput{ConsultationID: id})
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the room shows that the address is known: %s", diff)
	}
	bo.Says(id, "are you there?")
	if got := topics(zhao); got != string(notification.ConsultationInvited) {
		t.Errorf("the invited person's inbox has %s", got)
	}
	if n := zhao.Inbox()[0]; n.ConsultationID != id || n.Path != "/consultations/"+string(id) {
		t.Errorf("it leads to %s", n.Path)
	}
	if list := roomstest.Must(zhao, List, Filter{}).Items; len(list) != 1 || list[0].Unread != 1 {
		t.Errorf("the invited person's list: %+v", list)
	}
	zhao.Sees(id)
	zhao.Sees(id)
	if got := roomstest.Must(wang, Join, JoinInput{ConsultationID: id}).Participants; len(got) != 3 {
		t.Errorf("%s take part", names(got))
	}
	told := 0
	for _, e := range bo.Log(id) {
		if e.Name == ParticipantJoined.Name {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the room got the event %d times", told)
	}
	if got := roomstest.Must(bo, ListInvitations, Input{ConsultationID: id}).Items; len(got) != 1 || got[0].Status != InvitationEntered {
		t.Errorf("the invitations are %+v", got)
	}
	if code := roomstest.Code(bo, WithdrawInvitation, InvitationRef{ConsultationID: id, InvitationID: made.Invitation.ID}); code != rooms.CodeConflict {
		t.Errorf("withdrawn after they have entered: %q", code)
	}
	if code := roomstest.Code(zhao, ListInvitations, Input{ConsultationID: id}); code != rooms.CodeForbidden {
		t.Errorf("a relative sees the invitations: %q", code)
	}
}

// Who signed up with an address without having it is not let in by it; once they
// have proved it, inviting it again lets them in.
func TestInviteByUnverifiedAddress(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	aunt := w.Patient("aunt")
	in := InviteInput{ConsultationID: id, Email: aunt.User.Email, Role: PartRelative}
	first := roomstest.Must(bo, Invite, in)
	if code := roomstest.Code(aunt, Read, Input{ConsultationID: id}); code != rooms.CodeNotFound {
		t.Errorf("it is let in: %q", code)
	}
	proposal := roomstest.Must(wang, Invite, InviteInput{ConsultationID: id, Email: "pei@example.org", Role: PartColleague}).Invitation
	pei := w.Doctor("pei").Verifies()
	if again := roomstest.Must(bo, Invite, in); !cmp.Equal(first, again) {
		t.Errorf("invited again: %+v, before %+v", again, first)
	}
	aunt.Verifies()
	if again := roomstest.Must(bo, Invite, in); !cmp.Equal(first, again) {
		t.Errorf("invited again once it is proved: %+v, before %+v", again, first)
	}
	aunt.Sees(id)
	agrees(bo, proposal, false)
	pei.Sees(id) // had no account when it was proposed
}

// removals are the two ways out.
var removals = map[string]func(bo, wang, guest *roomstest.Person, id ID) error{
	"removed by the patient": func(bo, _, guest *roomstest.Person, id ID) error {
		_, err := roomstest.Ask(bo.W, bo.As, RemoveParticipant, ParticipantRef{ConsultationID: id, UserID: guest.User.ID})
		return err
	},
	"removed by the doctor": func(_, wang, guest *roomstest.Person, id ID) error {
		_, err := roomstest.Ask(wang.W, wang.As, RemoveParticipant, ParticipantRef{ConsultationID: id, UserID: guest.User.ID})
		return err
	},
	"quits": func(_, _, guest *roomstest.Person, id ID) error {
		_, err := roomstest.Ask(guest.W, guest.As, Quit, Input{ConsultationID: id})
		return err
	},
}

// Who was removed, or has left, has no access whatsoever, can be invited anew,
// and what they said keeps its name.
func TestInvitedPeopleCanBeRemovedAndCanLeave(t *testing.T) {
	t.Parallel()
	for name, ends := range removals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			bo, wang, id := w.Talk()
			aunt := w.Patient("aunt")
			invites(bo, aunt, id, PartRelative)
			said := aunt.Says(id, "I am the aunt")
			if err := ends(bo, wang, aunt, id); err != nil {
				t.Fatal(err)
			}
			for what, code := range map[string]rooms.Code{
				"reads":    roomstest.Code(aunt, Read, Input{ConsultationID: id}),
				"joins":    roomstest.Code(aunt, Join, JoinInput{ConsultationID: id}),
				"events":   roomstest.Code(aunt, Events, EventsInput{ConsultationID: id}),
				"history":  roomstest.Code(aunt, chat.History, chat.HistoryInput{ConsultationID: id}),
				"speaks":   roomstest.Code(aunt, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "x", Kind: chat.Text, Text: "me again"}),
				"recalls":  roomstest.Code(aunt, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: said.ID}),
				"board":    roomstest.Code(aunt, board.Read, board.BoardRef{ConsultationID: id}),
				"calls":    roomstest.Code(aunt, call.List, call.CallFilter{ConsultationID: id}),
				"findings": roomstest.Code(aunt, record.Diagnoses, record.InConsultation{ConsultationID: id}),
				"quits":    roomstest.Code(aunt, Quit, Input{ConsultationID: id}),
			} {
				if code != rooms.CodeNotFound {
					t.Errorf("%s afterwards: %q", what, code)
				}
			}
			if found := roomstest.Must(aunt, chat.Search, chat.SearchInput{Q: "aunt"}).Items; len(found) > 0 {
				t.Errorf("finds afterwards: %+v", found)
			}
			j := roomstest.Must(bo, Join, JoinInput{ConsultationID: id})
			if len(j.Participants) != 2 || len(j.Former) != 1 || j.Former[0].Name != "aunt" {
				t.Errorf("take part: %s; before: %+v", names(j.Participants), j.Former)
			}
			var left Departure
			last := j.Events[len(j.Events)-1]
			if err := json.Unmarshal(last.Data, &left); last.Name != ParticipantLeft.Name || err != nil || left.UserID != aunt.User.ID {
				t.Errorf("the last event is %s %s", last.Name, last.Data)
			}
			if got := invites(bo, aunt, id, PartRelative); got.Participant == nil {
				t.Errorf("invited anew: %+v", got)
			}
			aunt.Says(id, "I am back")
		})
	}
}

func TestPatientAndDoctorStay(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	aunt, stranger := w.Patient("aunt"), w.Patient("jing")
	invites(bo, aunt, id, PartRelative)
	out := func(p, whom *roomstest.Person) rooms.Code {
		return roomstest.Code(p, RemoveParticipant, ParticipantRef{ConsultationID: id, UserID: whom.User.ID})
	}
	for what, got := range map[string]struct{ code, want rooms.Code }{
		"the patient removes the doctor":  {out(bo, wang), rooms.CodeForbidden},
		"the doctor removes the patient":  {out(wang, bo), rooms.CodeForbidden},
		"the patient removes themself":    {out(bo, bo), rooms.CodeForbidden},
		"a relative removes a relative":   {out(aunt, aunt), rooms.CodeForbidden},
		"a relative removes the doctor":   {out(aunt, wang), rooms.CodeForbidden},
		"a stranger removes a relative":   {out(stranger, aunt), rooms.CodeNotFound},
		"the patient removes a stranger":  {out(bo, stranger), rooms.CodeNotFound},
		"the patient quits":               {roomstest.Code(bo, Quit, Input{ConsultationID: id}), rooms.CodeForbidden},
		"the doctor quits":                {roomstest.Code(wang, Quit, Input{ConsultationID: id}), rooms.CodeForbidden},
		"a relative invites":              {roomstest.Code(aunt, Invite, InviteInput{ConsultationID: id, UserID: stranger.User.ID, Role: PartRelative}), rooms.CodeForbidden},
		"a stranger invites":              {roomstest.Code(stranger, Invite, InviteInput{ConsultationID: id, UserID: stranger.User.ID, Role: PartRelative}), rooms.CodeNotFound},
		"a patient as second doctor":      {roomstest.Code(bo, Invite, InviteInput{ConsultationID: id, UserID: stranger.User.ID, Role: PartColleague}), rooms.CodeInvalid},
		"the doctor shares what was said": {roomstest.Code(wang, Invite, InviteInput{ConsultationID: id, UserID: stranger.User.ID, Role: PartRelative, History: true}), rooms.CodeInvalid},
		"an address that is none":         {roomstest.Code(bo, Invite, InviteInput{ConsultationID: id, Email: "aunt", Role: PartRelative}), rooms.CodeInvalid},
		"an address beyond any":           {roomstest.Code(bo, Invite, InviteInput{ConsultationID: id, Email: strings.Repeat("a", 320) + "@example.org", Role: PartRelative}), rooms.CodeTooLarge},
	} {
		if got.code != got.want {
			t.Errorf("%s: %q, want %q", what, got.code, got.want)
		}
	}
	roomstest.Must(wang, Terminate, ReasonInput{ConsultationID: id, Reason: "go to a hospital"})
	if code := out(bo, aunt); code != "" {
		t.Errorf("removed once the consultation is over: %q", code)
	}
}

// A relative crowd leaves a place for the doctor's colleague, and the other
// way round.
func TestTheLastPlaceIsForTheOtherSide(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	li, pei := w.Doctor("li"), w.Doctor("pei").Verifies()
	byEmail := func(n int) rooms.Code {
		return roomstest.Code(bo, Invite, InviteInput{ConsultationID: id, Email: fmt.Sprintf("relative%d@example.org", n), Role: PartRelative})
	}
	for n := range 9 {
		if code := byEmail(n); code != "" {
			t.Fatalf("relative %d: %q", n, code)
		}
	}
	if code := byEmail(9); code != rooms.CodeTooLarge {
		t.Errorf("the tenth relative: %q", code)
	}
	if code := byEmail(8); code != "" {
		t.Errorf("the ninth again: %q", code)
	}
	agrees(bo, invites(wang, li, id, PartColleague).Invitation, false)
	if code := roomstest.Code(wang, Invite, InviteInput{ConsultationID: id, UserID: pei.User.ID, Role: PartColleague}); code != rooms.CodeTooLarge {
		t.Errorf("the eleventh: %q", code)
	}
	for _, inv := range roomstest.Must(bo, ListInvitations, Input{ConsultationID: id}).Items {
		if inv.Invitee == "relative0@example.org" {
			roomstest.Must(bo, WithdrawInvitation, InvitationRef{ConsultationID: id, InvitationID: inv.ID})
		}
	}
	if code := byEmail(9); code != "" {
		t.Errorf("in the place of one withdrawn: %q", code)
	}
}

// The patient's second account, let in as relative or interpreter, does not
// get round the free follow-up turns; the doctor's people do not use them up.
func TestInvitedPeopleCountAgainstFreeTurns(t *testing.T) {
	t.Parallel()
	for _, role := range []Part{PartRelative, PartInterpreter} {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			bo, wang, id := w.Talk()
			second, li, helper := w.Patient("second"), w.Doctor("li"), w.Patient("helper")
			invites(bo, second, id, role)
			agrees(bo, invites(wang, li, id, PartColleague).Invitation, false)
			agrees(bo, invites(wang, helper, id, PartInterpreter).Invitation, false)
			roomstest.Must(wang, End, EndInput{ConsultationID: id})
			roomstest.Must(bo, Reopen, Input{ConsultationID: id})
			li.Says(id, "I shall look at it")
			helper.Says(id, "shall I translate?")
			second.Says(id, "a question")
			if c := bo.Sees(id); c.TurnsLeft != 1 || !c.TurnOpen {
				t.Fatalf("after the first question %d turns are left, open %v", c.TurnsLeft, c.TurnOpen)
			}
			bo.Says(id, "as part of it")
			wang.Says(id, "an answer")
			second.Says(id, "another question")
			wang.Says(id, "another answer")
			for _, p := range []*roomstest.Person{bo, second} {
				if code := roomstest.Code(p, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "third", Kind: chat.Text, Text: "one more"}); code != rooms.CodeConflict {
					t.Errorf("%s asks a third question: %q", p.User.Name, code)
				}
			}
			helper.Says(id, "that was all")
		})
	}
}

// story is a consultation in which everything happens, in order.
type story struct {
	*roomstest.World
	bo, wang *roomstest.Person
	id       ID
}

func newStory(t *testing.T) *story {
	t.Helper()
	w := roomstest.New(t, func(w *roomstest.World) { w.Policy = record.PolicyNone })
	s := &story{World: w}
	s.bo, s.wang, s.id = w.Talk()
	return s
}

// chapter is one of everything that can be seen of a consultation.
type chapter struct {
	word       string
	message    chat.Message
	sent       chat.Attachment
	stroke     board.StrokeID
	background chat.Attachment
	diagnosis  record.DocumentID
	pills      record.DocumentID
	call       call.ID
}

func (s *story) picture(shade uint8) chat.Attachment {
	s.T.Helper()
	img := image.NewGray(image.Rect(0, 0, 4, 4))
	img.Pix[0] = shade
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		s.T.Fatal(err)
	}
	ctx := rooms.WithUpload(context.Background(), &rooms.Upload{Name: "x.png", Body: &b})
	a, err := roomstest.AskWith(ctx, s.World, s.bo.As, chat.Upload, chat.UploadInput{ConsultationID: s.id})
	if err != nil {
		s.T.Fatal(err)
	}
	return a
}

func (s *story) chapter(word string) chapter {
	s.T.Helper()
	s.Turns(time.Minute)
	c := chapter{word: word, stroke: board.StrokeID("stroke-" + word)}
	c.message = s.bo.Says(s.id, "the word is "+word)
	c.sent = s.picture(word[0])
	roomstest.Must(s.bo, chat.Send, chat.SendInput{ConsultationID: s.id, ClientID: "picture-" + word, Kind: chat.Image, AttachmentID: c.sent.ID})
	c.background = s.picture(word[1])
	roomstest.Must(s.bo, board.SetBackground, board.Background{ConsultationID: s.id, AttachmentID: string(c.background.ID)})
	roomstest.Must(s.bo, board.Commit, board.CommitInput{ConsultationID: s.id, ID: c.stroke, Tool: board.Pen, Colour: "#112233", Width: 3, Points: []float64{1, 2, 1, 3, 4, 1}})
	finding := roomstest.Must(s.wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: s.id, DiagnosisInput: record.DiagnosisInput{Codes: []string{"J06.9"}}})
	c.diagnosis = roomstest.Must(s.wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: finding.ID}).ID
	pills := roomstest.Must(s.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: s.id, PrescriptionInput: record.PrescriptionInput{
		Items: []record.Item{{Drug: "paracetamol", Dose: 500, DoseUnit: "mg", Route: record.Oral, Frequency: record.AsNeeded, Days: 3, Quantity: 1, QuantityUnit: "box"}}}})
	c.pills = roomstest.Must(s.wang, record.SignPrescription, record.SignPrescriptionInput{PrescriptionID: pills.ID}).ID
	ring := roomstest.Must(s.wang, call.Invite, call.CallInvitation{ConsultationID: s.id, Medium: account.Voice, To: []rooms.UserID{s.bo.User.ID}}).Call
	roomstest.Must(s.wang, call.End, call.CallEnding{CallID: ring.ID})
	c.call = ring.ID
	return c
}

// sees lists on which paths a person sees something of a chapter.
func (s *story) sees(p *roomstest.Person, c chapter) map[string]bool {
	s.T.Helper()
	in := record.InConsultation{ConsultationID: s.id}
	has := func(v any) bool {
		text, err := json.Marshal(v)
		if err != nil {
			s.T.Fatal(err)
		}
		return bytes.Contains(text, []byte(c.word)) || bytes.Contains(text, []byte(c.sent.ID)) || bytes.Contains(text, []byte(c.diagnosis)) ||
			bytes.Contains(text, []byte(c.pills)) || bytes.Contains(text, []byte(c.background.ID)) || bytes.Contains(text, []byte(c.call))
	}
	early := rooms.Seq(1)
	j := roomstest.Must(p, Join, JoinInput{ConsultationID: s.id, After: &early})
	j.Consultation.Complaint = ""
	drawn := roomstest.Must(p, board.Read, board.BoardRef{ConsultationID: s.id})
	return map[string]bool{
		"join from the start":   has(j),
		"join at the end":       has(roomstest.Must(p, Join, JoinInput{ConsultationID: s.id})),
		"events":                has(roomstest.Must(p, Events, EventsInput{ConsultationID: s.id, Limit: 500})),
		"history":               has(roomstest.Must(p, chat.History, chat.HistoryInput{ConsultationID: s.id, Limit: 200})),
		"history before a seq":  has(roomstest.Must(p, chat.History, chat.HistoryInput{ConsultationID: s.id, Before: c.message.Seq + 1})),
		"search":                len(roomstest.Must(p, chat.Search, chat.SearchInput{Q: c.word}).Items) > 0,
		"search in the room":    len(roomstest.Must(p, chat.Search, chat.SearchInput{Q: c.word, ConsultationID: s.id}).Items) > 0,
		"attachment":            roomstest.Code(p, chat.Download, chat.AttachmentInput{AttachmentID: c.sent.ID}) == "",
		"strokes of the board":  strings.Contains(fmt.Sprint(drawn.Strokes), string(c.stroke)),
		"board's background":    drawn.AttachmentID == string(c.background.ID),
		"diagnosis":             roomstest.Code(p, record.ReadDiagnosis, record.DiagnosisRef{DiagnosisID: c.diagnosis}) == "",
		"printed diagnosis":     roomstest.Code(p, record.PrintDiagnosis, record.DiagnosisRef{DiagnosisID: c.diagnosis}) == "",
		"diagnoses":             has(roomstest.Must(p, record.Diagnoses, in)),
		"prescription":          roomstest.Code(p, record.ReadPrescription, record.PrescriptionRef{PrescriptionID: c.pills}) == "",
		"prescriptions":         has(roomstest.Must(p, record.Prescriptions, in)),
		"a call that was":       roomstest.Code(p, call.Leave, call.CallRef{CallID: c.call}) != rooms.CodeNotFound,
		"answer to the message": roomstest.Code(p, chat.Send, chat.SendInput{ConsultationID: s.id, ClientID: rooms.NewID(s.Now()), Kind: chat.Text, Text: "hm", ReplyTo: c.message.ID}) == "",
		"the file on the board": roomstest.Code(p, board.SetBackground, board.Background{ConsultationID: s.id, AttachmentID: string(c.sent.ID)}) == "",
	}
}

// On every path an invited person sees what came after they were let in, and
// what came before only if the patient has shared it.
func TestHistoryBeginsWithTheInvitation(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]struct {
		lets    func(s *story, guest *roomstest.Person)
		history bool
	}{
		"by the patient": {func(s *story, guest *roomstest.Person) { invites(s.bo, guest, s.id, PartColleague) }, false},
		"by the patient, with history": {func(s *story, guest *roomstest.Person) {
			roomstest.Must(s.bo, Invite, InviteInput{ConsultationID: s.id, UserID: guest.User.ID, Role: PartColleague, History: true})
		}, true},
		"by the doctor": {func(s *story, guest *roomstest.Person) {
			agrees(s.bo, invites(s.wang, guest, s.id, PartColleague).Invitation, false)
		}, false},
		"by the doctor, with history": {func(s *story, guest *roomstest.Person) {
			agrees(s.bo, invites(s.wang, guest, s.id, PartColleague).Invitation, true)
		}, true},
		"by address": {func(s *story, guest *roomstest.Person) {
			guest.Verifies()
			roomstest.Must(s.bo, Invite, InviteInput{ConsultationID: s.id, Email: guest.User.Email, Role: PartRelative})
		}, false},
		"removed and let in again": {func(s *story, guest *roomstest.Person) {
			roomstest.Must(s.bo, Invite, InviteInput{ConsultationID: s.id, UserID: guest.User.ID, Role: PartColleague, History: true})
			roomstest.Must(s.bo, RemoveParticipant, ParticipantRef{ConsultationID: s.id, UserID: guest.User.ID})
			invites(s.bo, guest, s.id, PartColleague)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t)
			guest := s.Doctor("li")
			before := s.chapter("quartz")
			s.Turns(time.Minute)
			how.lets(s, guest)
			if list := roomstest.Must(guest, List, Filter{}).Items; !how.history && list[0].Unread != 0 {
				t.Errorf("%d messages are unread before anything is said", list[0].Unread)
			}
			for path, seen := range s.sees(guest, before) {
				if seen != how.history {
					t.Errorf("%s shows what came before: %v", path, seen)
				}
			}
			after := s.chapter("basalt")
			for path, seen := range s.sees(guest, after) {
				if !seen {
					t.Errorf("%s does not show what came after", path)
				}
			}
		})
	}
}
