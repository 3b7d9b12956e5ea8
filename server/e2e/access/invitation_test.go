package access_test

import (
	"net/http"
	"strings"
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// Who is removed, or leaves, receives nothing more on a socket that had joined.
func TestARemovedParticipantReceivesNothing(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	for name, ends := range map[string]func(aunt *e2e.Person, id consultation.ID){
		"removed by the patient": func(aunt *e2e.Person, id consultation.ID) {
			e2e.Do(bo, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: id, UserID: aunt.User.ID})
		},
		"removed by the doctor": func(aunt *e2e.Person, id consultation.ID) {
			e2e.Do(wang, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: id, UserID: aunt.User.ID})
		},
		"quits": func(aunt *e2e.Person, id consultation.ID) {
			e2e.Do(aunt, consultation.Quit, consultation.Input{ConsultationID: id})
		},
	} {
		t.Run(name, func(t *testing.T) {
			aunt := w.Patient("aunt")
			id, other := bo.Consults(wang, "headache"), aunt.Consults(wang, "her own")
			e2e.Do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: aunt.User.ID, Role: consultation.PartRelative})
			at := w.Bare(t)
			if got := at.Connect(aunt.Again().Tokens().AccessToken); !strings.HasPrefix(got, e2e.Joined) {
				t.Fatalf("she cannot connect: %s", got)
			}
			for i, room := range []consultation.ID{id, other} {
				if r := at.Ask(i+1, consultation.Join.Name, consultation.JoinInput{ConsultationID: room}); !r.OK {
					t.Fatalf("join: %v", r.Error)
				}
			}
			bo.Says(id, "for her too")
			receivedUntil(at, "for her too")
			ends(aunt, id)
			bo.Says(id, e2e.Secret)
			aunt.Says(other, "the end")
			told, left := receivedUntil(at, "the end"), false
			for _, packet := range told {
				if strings.Contains(packet, consultation.ParticipantLeft.Name) {
					left = true
				} else if strings.Contains(packet, e2e.Secret) || left && strings.Contains(packet, string(id.Room())) {
					t.Errorf("she receives %s", packet)
				}
			}
			if !left {
				t.Errorf("she is not told that it ended: %q", told)
			}
			if r := at.Ask(9, consultation.Join.Name, consultation.JoinInput{ConsultationID: id}); rooms.CodeOf(r.Error) != rooms.CodeNotFound {
				t.Errorf("joins again: %+v", r)
			}
			e2e.Do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: aunt.User.ID, Role: consultation.PartRelative})
			if r := at.Ask(10, consultation.Join.Name, consultation.JoinInput{ConsultationID: id}); !r.OK {
				t.Errorf("invited anew, she cannot join: %v", r.Error)
			}
			bo.Says(id, "welcome back")
			receivedUntil(at, "welcome back")
		})
	}
}

// The doctor's invitation is 202 Accepted, the patient's 201 Created.
func TestInvitationsOverREST(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang, li := w.Patient("bo"), w.Doctor("wang"), w.Doctor("li")
	id := bo.Consults(wang, "headache")
	ask := func(p *e2e.Person, method, path, body string) int {
		t.Helper()
		return w.Ask(t, method, "/api/v1/consultations/"+string(id)+path, p.Tokens().AccessToken, body).Status
	}
	if got := ask(wang, http.MethodPost, "/invitations", `{"userId":"`+string(li.User.ID)+`","role":"second_doctor"}`); got != http.StatusAccepted {
		t.Errorf("the doctor's invitation: %d", got)
	}
	proposal := e2e.Do(bo, consultation.ListInvitations, consultation.Input{ConsultationID: id}).Items[0]
	if got := ask(bo, http.MethodPost, "/invitations/"+string(proposal.ID)+"/answer", `{"accept":true}`); got != http.StatusOK {
		t.Errorf("the patient's answer: %d", got)
	}
	if got := ask(bo, http.MethodPost, "/invitations", `{"email":"nobody@example.org","role":"relative"}`); got != http.StatusCreated {
		t.Errorf("the patient's invitation: %d", got)
	}
	if got := ask(bo, http.MethodDelete, "/participants/"+string(li.User.ID), ""); got != http.StatusNoContent {
		t.Errorf("removed: %d", got)
	}
	if got := ask(li, http.MethodPost, "/quit", ""); got != http.StatusNotFound {
		t.Errorf("quits once removed: %d", got)
	}
}

// The log of an invited person begins with the invitation, and the client does
// not wait for what came before.
func TestTheClientReadsTheLogOfAnInvitedPerson(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang, aunt := w.Patient("bo"), w.Doctor("wang"), w.Patient("aunt")
	id := bo.Consults(wang, "headache")
	bo.Says(id, e2e.Secret)
	e2e.Do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: aunt.User.ID, Role: consultation.PartRelative})
	bo.Says(id, "welcome")
	room, err := aunt.Online().Join(t.Context(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	for e := range room.Events(t.Context()) {
		if strings.Contains(string(e.Data), e2e.Secret) {
			t.Errorf("she reads %s", e.Data)
		}
		if strings.Contains(string(e.Data), "welcome") {
			break
		}
	}
	if _, err := client.Do(t.Context(), aunt.Client, consultation.ListInvitations, consultation.Input{ConsultationID: id}); rooms.CodeOf(err) != rooms.CodeForbidden {
		t.Errorf("she reads the invitations: %v", err)
	}
}
