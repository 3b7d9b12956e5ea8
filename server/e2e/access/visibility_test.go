package access_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server/e2e"
)

// What is written into a consultation, each with a word of its own: before
// anybody is invited, after the first are, and at its end.
const (
	complaint   = "zymurgy"   // of the request
	earlier     = "quixotry"  // its priorDiagnosis
	firstReason = "fjordland" // of a hold before the first are invited
	drug        = "vexatium"  // of a prescription from then, voided after it
	lastReason  = "jackdawry" // of a hold after it
	summary     = "sphinxian" // signed at the end, before the last is invited
)

// paths are where somebody may find a word: the answers over REST and over the
// socket, what the socket receives, and the log page by page.
const (
	reads    = "read"
	lists    = "list"
	joins    = "join"
	pages    = "page"
	receives = "event"
	recipe   = "prescription"
	visits   = "fhir"
)

// reader is somebody who looks at the consultation on all paths.
type reader struct {
	*e2e.Person
	at    *e2e.Bare
	asked int
}

func (r *reader) joins(id consultation.ID) e2e.Reply {
	r.asked++
	return r.at.Ask(r.asked, consultation.Join.Name, consultation.JoinInput{ConsultationID: id, After: new(rooms.Seq)})
}

// connects makes the reader hear the room, where it may.
func (r *reader) connects(t *testing.T, id consultation.ID) {
	t.Helper()
	r.at = r.World.Bare(t)
	if got := r.at.Connect(r.Tokens().AccessToken); !strings.HasPrefix(got, e2e.Joined) {
		t.Fatalf("cannot connect: %s", got)
	}
	r.joins(id)
}

// found adds to where the reader finds each word.
type found map[string]map[string]bool // word, path

func (f found) in(path string, answer any) {
	text, _ := json.Marshal(answer)
	for _, word := range []string{complaint, earlier, firstReason, drug, lastReason, summary} {
		if strings.Contains(string(text), word) {
			if f[word] == nil {
				f[word] = map[string]bool{}
			}
			f[word][path] = true
		}
	}
}

// looks asks on every path for what the reader may see of a consultation now.
func (f found) looks(r *reader, id consultation.ID) {
	c, err := client.Do(r.World.T.Context(), r.Client, consultation.Read, consultation.Input{ConsultationID: id})
	f.in(lists, e2e.Do(r.Person, consultation.List, consultation.Filter{}).Items)
	if j := r.joins(id); j.OK != (err == nil) {
		r.World.T.Errorf("%s reads: %v, joins: %v", r.User.Name, err, j.Error)
	} else {
		f.in(joins, j.Data)
	}
	if err != nil {
		return
	}
	f.in(reads, c)
	f.in(pages, e2e.Do(r.Person, consultation.Events, consultation.EventsInput{ConsultationID: id, Limit: 500}))
	f.in(recipe, e2e.Do(r.Person, record.Prescriptions, record.InConsultation{ConsultationID: id}))
	encounters := r.World.Ask(r.World.T, http.MethodGet, "/api/v1/fhir/R4/Encounter", r.Tokens().AccessToken, "")
	f.in(visits, string(encounters.Body))
}

// told is the paths on which each word must be found, by reader.
var told = map[string]map[string][]string{
	"the patient": {complaint: {reads, lists, joins, pages, visits}, earlier: {reads, lists, joins}, firstReason: {joins, pages},
		drug: {joins, pages, recipe}, lastReason: {reads, lists, joins, pages, receives}, summary: {reads, lists, joins, pages, receives}},
	"the doctor": {complaint: {reads, lists, joins, pages, visits}, earlier: {reads, lists, joins}, firstReason: {joins, pages},
		drug: {joins, pages, recipe}, lastReason: {reads, lists, joins, pages, receives}, summary: {reads, lists, joins, pages, receives}},
	"a doctor with a waiting request": {complaint: {reads, lists, joins, pages, visits}, earlier: {reads, lists, joins}},
	"invited with the history": {complaint: {reads, lists, joins, pages, visits}, earlier: {reads, lists, joins}, firstReason: {joins, pages},
		drug: {joins, pages, recipe}, lastReason: {reads, lists, joins, pages, receives}, summary: {reads, lists, joins, pages, receives}},
	"a second doctor without it": {complaint: {reads, lists, joins, visits},
		lastReason: {reads, lists, joins, pages, receives}, summary: {reads, lists, joins, pages, receives}},
	"an interpreter without it": {lastReason: {reads, lists, joins, pages, receives}, summary: {reads, lists, joins, pages, receives}},
	"a relative without it":     {lastReason: {reads, lists, joins, pages, receives}, summary: {reads, lists, joins, pages, receives}},
	"invited after the end":     {},
	"removed":                   {},
	"a stranger":                {},
}

// outside are those who do not hear the room.
var outside = []string{"removed", "a stranger"}

// Who may read which part of a consultation, on each path: an invited person
// reads what was written after the invitation, unless the patient shares more,
// and events have nothing that not everyone in the room may read.
func TestWhoSeesWhatOfAConsultation(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	people := map[string]*reader{"the patient": {Person: w.Patient("bo")}, "the doctor": {Person: w.Doctor("wang")}, "removed": {Person: w.Patient("gone")},
		"invited with the history": {Person: w.Patient("kin")}, "a second doctor without it": {Person: w.Doctor("li")},
		"an interpreter without it": {Person: w.Patient("ting")}, "a relative without it": {Person: w.Patient("aunt")},
		"invited after the end": {Person: w.Patient("late")}, "a stranger": {Person: w.Patient("eve")}}
	got := map[string]found{"a doctor with a waiting request": {}}
	bo, wang := people["the patient"], people["the doctor"]
	id := e2e.Do(bo.Person, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: account.Followup, Medium: account.Text,
		Complaint: complaint, PriorDiagnosis: earlier}).Consultation.ID
	wang.connects(t, id)
	got["a doctor with a waiting request"].looks(wang, id)

	wang.Accepts(id)
	remedy := e2e.Remedy()
	remedy.Items[0].Drug = drug
	recipe := wang.Prescribes(id, remedy)
	e2e.Do(wang.Person, consultation.Hold, consultation.ReasonInput{ConsultationID: id, Reason: firstReason})
	for who, in := range map[string]consultation.InviteInput{"invited with the history": {Role: consultation.PartRelative, History: true},
		"a second doctor without it": {Role: consultation.PartColleague}, "an interpreter without it": {Role: consultation.PartInterpreter},
		"a relative without it": {Role: consultation.PartRelative}, "removed": {Role: consultation.PartRelative}} {
		in.ConsultationID, in.UserID = id, people[who].User.ID
		e2e.Do(bo.Person, consultation.Invite, in)
	}
	for who, r := range people {
		if got[who] = (found{}); who != "invited after the end" {
			r.connects(t, id)
		}
	}
	e2e.Do(bo.Person, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: id, UserID: people["removed"].User.ID})
	e2e.Do(wang.Person, consultation.Resume, consultation.Input{ConsultationID: id})
	e2e.Do(wang.Person, record.VoidPrescription, record.PrescriptionReason{PrescriptionID: recipe.ID, Reason: "a mistake"})
	e2e.Do(wang.Person, consultation.Hold, consultation.ReasonInput{ConsultationID: id, Reason: lastReason})
	hear := func(mark string, whose func(who string) bool) {
		bo.Says(id, mark)
		for who, r := range people {
			if whose(who) {
				got[who].in(receives, receivedUntil(r.at, mark))
			}
		}
	}
	hear("the first part is over", func(who string) bool {
		return !slices.Contains(outside, who) && who != "invited after the end"
	})
	for who, r := range people {
		if r.at != nil {
			got[who].looks(r, id)
		}
	}
	e2e.Do(wang.Person, consultation.Resume, consultation.Input{ConsultationID: id})
	e2e.Do(wang.Person, consultation.End, consultation.EndInput{ConsultationID: id, Summary: summary})
	late := people["invited after the end"]
	e2e.Do(bo.Person, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: late.User.ID, Role: consultation.PartRelative})
	late.connects(t, id)
	e2e.Do(bo.Person, consultation.Reopen, consultation.Input{ConsultationID: id})
	hear("it is over", func(who string) bool { return !slices.Contains(outside, who) })
	for who, r := range people {
		got[who].looks(r, id)
	}
	for who, want := range told {
		for _, word := range []string{complaint, earlier, firstReason, drug, lastReason, summary} {
			if found := slices.Sorted(maps.Keys(got[who][word])); !slices.Equal(found, slices.Sorted(slices.Values(want[word]))) {
				t.Errorf("%s: %s is found by %v, want %v", who, word, found, want[word])
			}
		}
	}
}

// Events that an earlier version stored, which had the complaint and the earlier
// diagnosis, are shown to invited people without them.
func TestStoredEventsHideWhatCameBefore(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang, aunt, kin, li := w.Patient("bo"), w.Doctor("wang"), w.Patient("aunt"), w.Patient("kin"), w.Doctor("li")
	id := bo.Followup(wang).ID
	for who, in := range map[*e2e.Person]consultation.InviteInput{aunt: {Role: consultation.PartRelative},
		kin: {Role: consultation.PartRelative, History: true}, li: {Role: consultation.PartColleague}} {
		in.ConsultationID, in.UserID = id, who.User.ID
		e2e.Do(bo, consultation.Invite, in)
	}
	e2e.Do(wang, consultation.Hold, consultation.ReasonInput{ConsultationID: id, Reason: "the laboratory"})
	stored := w.Beside(t)
	var pos int64
	var data string
	e2e.Must(t, stored.QueryRow(`SELECT pos, data FROM log WHERE room = (SELECT num FROM log_rooms WHERE id = $1) AND name = $2 ORDER BY seq DESC LIMIT 1`, string(id.Room()), consultation.ConsultationUpdated.Name).
		Scan(&pos, &data))
	before := strings.Replace(data, `"complaint":""`, `"priorDiagnosis":"`+earlier+`","complaint":"`+complaint+`"`, 1)
	if before == data {
		t.Fatalf("the event has a complaint: %s", data)
	}
	_, err := stored.Exec(`UPDATE log SET data = $1 WHERE pos = $2`, before, pos)
	e2e.Must(t, err)
	for who, want := range map[*e2e.Person]map[string]bool{bo: {complaint: true, earlier: true}, wang: {complaint: true, earlier: true},
		kin: {complaint: true, earlier: true}, li: {complaint: true}, aunt: {}} {
		f := found{}
		f.in(pages, e2e.Do(who, consultation.Events, consultation.EventsInput{ConsultationID: id, Limit: 500}))
		f.in(joins, e2e.Call(who.Online(), consultation.Join, consultation.JoinInput{ConsultationID: id, After: new(rooms.Seq)}).Events)
		for _, word := range []string{complaint, earlier} {
			if f[word][pages] != want[word] || f[word][joins] != want[word] {
				t.Errorf("%s reads %s: %v, want %v", who.User.Name, word, f[word], want[word])
			}
		}
	}
}
