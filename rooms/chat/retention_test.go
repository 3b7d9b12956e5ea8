package chat_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	. "wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
)

// talked is a consultation with a message and a file, which is over.
func talked(patient, doctor *roomstest.Person, content string) (consultation.ID, Attachment) {
	w := patient.W
	w.T.Helper()
	id := patient.Consults(doctor, "headache")
	doctor.Accepts(id)
	patient.Says(id, "words of old")
	a, err := uploads(patient, id, "scan.png", []byte(content))
	if err != nil {
		w.T.Fatal(err)
	}
	roomstest.Must(patient, Send, SendInput{ConsultationID: id, ClientID: "f", Kind: a.Kind, AttachmentID: a.ID})
	roomstest.Must(doctor, consultation.End, consultation.EndInput{ConsultationID: id})
	return id, a
}

// What was said and sent goes when its time is up, and the log stays whole; a
// legal hold keeps it, and so does another consultation with the same file.
func TestMessagesAreKeptForSoLong(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, jing, wang := w.Patient("bo"), w.Patient("jing"), w.Doctor("wang")
	old, scan := talked(bo, wang, string(picture(600, 400)))
	held, kept := talked(jing, wang, string(picture(500, 400)))
	alone, lost := talked(bo, wang, "only bo has this letter")
	roomstest.Must(w.Admin("root"), account.PlaceLegalHold, account.LegalHoldInput{UserID: jing.User.ID, Reason: "a lawsuit"})
	if err := w.Chats.PlantRetention(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.Passes(4 * 24 * time.Hour) // they are closed and cannot be reopened
	w.Passes(roomstest.KeepMessages - 5*24*time.Hour)
	bo = bo.Again(rooms.Actor{})
	young, same := talked(bo, wang.Again(rooms.Actor{}), string(picture(600, 400)))
	if same.SHA256 != scan.SHA256 {
		t.Fatal("the same picture is another")
	}
	w.Passes(24 * time.Hour)
	read := func(p *roomstest.Person, id consultation.ID) (texts int, files int) {
		for _, m := range roomstest.Must(p.Again(rooms.Actor{}), History, HistoryInput{ConsultationID: id}).Items {
			if m.Text == "words of old" {
				texts++
			}
			if m.Attachment != nil {
				files++
			}
		}
		return texts, files
	}
	for _, id := range []consultation.ID{old, alone, held, young} {
		if texts, files := read(map[bool]*roomstest.Person{true: jing, false: bo}[id == held], id); texts != 1 || files != 1 {
			t.Errorf("before its time %s has %d texts and %d files", id, texts, files)
		}
	}
	before := bo.Again(rooms.Actor{}).Log(old)
	w.Passes(2 * 24 * time.Hour)
	for id, want := range map[consultation.ID]int{old: 0, alone: 0, held: 1, young: 1} {
		if texts, files := read(map[bool]*roomstest.Person{true: jing, false: bo}[id == held], id); texts != want || files != want {
			t.Errorf("%s has %d texts and %d files, want %d", id, texts, files, want)
		}
	}
	bo = bo.Again(rooms.Actor{})
	after := bo.Log(old)
	if len(after) != len(before) {
		t.Errorf("of %d events %d are left", len(before), len(after))
	}
	for _, e := range after {
		if s := string(e.Data); e.Name == MessageCreated.Name && (strings.Contains(s, "words of old") || strings.Contains(s, scan.SHA256)) {
			t.Errorf("the log has %s", s)
		}
	}
	if found := roomstest.Must(bo, Search, SearchInput{Q: "words of old"}).Items; len(found) != 1 || found[0].ConsultationID != young {
		t.Errorf("the search finds %+v", found)
	}
	for a, code := range map[AttachmentID]rooms.Code{scan.ID: rooms.CodeNotFound, lost.ID: rooms.CodeNotFound, same.ID: ""} {
		_, content, err := w.Chats.Open(context.Background(), bo.As, a, false)
		if rooms.CodeOf(err) != code {
			t.Errorf("%s: %v, want %q", a, err, code)
		}
		if err == nil {
			_ = content.Close()
		}
	}
	if w.HasFile(lost.SHA256) || !w.HasFile(scan.SHA256) || !w.HasFile(kept.SHA256) {
		t.Error("the wrong files are gone")
	}
}
