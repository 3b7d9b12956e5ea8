package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/consultation"
)

// Who is removed, or leaves, hears nothing more on a socket that had joined.
func TestARemovedParticipantHearsNothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	for name, ends := range map[string]func(aunt *person, id consultation.ID){
		"removed by the patient": func(aunt *person, id consultation.ID) {
			do(bo, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: id, UserID: aunt.user.ID})
		},
		"removed by the doctor": func(aunt *person, id consultation.ID) {
			do(wang, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: id, UserID: aunt.user.ID})
		},
		"quits": func(aunt *person, id consultation.ID) {
			do(aunt, consultation.Quit, consultation.Input{ConsultationID: id})
		},
	} {
		t.Run(name, func(t *testing.T) {
			aunt := w.patient("aunt")
			id, other := bo.consults(wang, "headache"), aunt.consults(wang, "her own")
			do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: aunt.user.ID, Role: consultation.PartRelative})
			at := w.bare(t)
			if got := at.connect(aunt.again().Tokens().AccessToken); !strings.HasPrefix(got, joined) {
				t.Fatalf("she cannot connect: %s", got)
			}
			for i, room := range []consultation.ID{id, other} {
				if r := at.ask(i+1, consultation.Join.Name, consultation.JoinInput{ConsultationID: room}); !r.OK {
					t.Fatalf("join: %v", r.Error)
				}
			}
			bo.says(id, "for her too")
			at.heardUntil("for her too")
			ends(aunt, id)
			bo.says(id, secret)
			aunt.says(other, "the end")
			told, left := at.heardUntil("the end"), false
			for _, packet := range told {
				if strings.Contains(packet, consultation.Left.Name) {
					left = true
				} else if strings.Contains(packet, secret) || left && strings.Contains(packet, string(id.Room())) {
					t.Errorf("she hears %s", packet)
				}
			}
			if !left {
				t.Errorf("she is not told that it ended: %q", told)
			}
			if r := at.ask(9, consultation.Join.Name, consultation.JoinInput{ConsultationID: id}); rooms.CodeOf(r.Error) != rooms.CodeNotFound {
				t.Errorf("joins again: %+v", r)
			}
			do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: aunt.user.ID, Role: consultation.PartRelative})
			if r := at.ask(10, consultation.Join.Name, consultation.JoinInput{ConsultationID: id}); !r.OK {
				t.Errorf("invited anew, she cannot join: %v", r.Error)
			}
			bo.says(id, "welcome back")
			at.heardUntil("welcome back")
		})
	}
}

// The doctor's invitation is 202 Accepted, the patient's 201 Created.
func TestInvitationsOverREST(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang, li := w.patient("bo"), w.doctor("wang"), w.doctor("li")
	id := bo.consults(wang, "headache")
	ask := func(p *person, method, path, body string) int {
		t.Helper()
		return w.ask(t, method, "/api/v1/consultations/"+string(id)+path, p.Tokens().AccessToken, body).status
	}
	if got := ask(wang, http.MethodPost, "/invitations", `{"userId":"`+string(li.user.ID)+`","role":"second_doctor"}`); got != http.StatusAccepted {
		t.Errorf("the doctor's invitation: %d", got)
	}
	proposal := do(bo, consultation.ListInvitations, consultation.Input{ConsultationID: id}).Items[0]
	if got := ask(bo, http.MethodPost, "/invitations/"+string(proposal.ID)+"/answer", `{"accept":true}`); got != http.StatusOK {
		t.Errorf("the patient's answer: %d", got)
	}
	if got := ask(bo, http.MethodPost, "/invitations", `{"email":"nobody@example.org","role":"relative"}`); got != http.StatusCreated {
		t.Errorf("the patient's invitation: %d", got)
	}
	if got := ask(bo, http.MethodDelete, "/participants/"+string(li.user.ID), ""); got != http.StatusNoContent {
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
	w := start(t)
	bo, wang, aunt := w.patient("bo"), w.doctor("wang"), w.patient("aunt")
	id := bo.consults(wang, "headache")
	bo.says(id, secret)
	do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: aunt.user.ID, Role: consultation.PartRelative})
	bo.says(id, "welcome")
	room, err := aunt.online().Join(t.Context(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	for e := range room.Events(t.Context()) {
		if strings.Contains(string(e.Data), secret) {
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
