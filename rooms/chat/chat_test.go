package chat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
)

// pair is a consultation that goes on.
func pair(t *testing.T) (w *roomstest.World, patient, doctor *roomstest.Person, id consultation.ID) {
	w = roomstest.New(t)
	patient, doctor = w.Patient("bo"), w.Doctor("wang")
	id = patient.Consults(doctor, "headache")
	doctor.Accepts(id)
	return w, patient, doctor, id
}

func TestResendReturnsTheFirstResult(t *testing.T) {
	t.Parallel()
	_, patient, doctor, id := pair(t)
	in := SendInput{ConsultationID: id, ClientID: "one", Kind: Text, Text: "hello"}
	first := roomstest.Must(patient, Send, in)
	if again := roomstest.Must(patient, Send, in); !cmp.Equal(again, first) {
		t.Errorf("resent: %+v, want %+v", again, first)
	}
	if other := roomstest.Must(doctor, Send, in); other.ID == first.ID {
		t.Error("a clientId of another sender returned their message")
	}
	roomstest.Must(doctor, consultation.End, consultation.EndInput{ConsultationID: id})
	if again := roomstest.Must(patient, Send, in); again.ID != first.ID {
		t.Error("resent after the end, the message that was said is still the answer")
	}
	in.Text = "something else"
	_, err := roomstest.Ask(patient.W, patient.As, Send, in)
	if e, ok := err.(*rooms.Error); !ok || e.Code != rooms.CodeConflict || e.Field != "clientId" {
		t.Errorf("other content under the same clientId: %v", err)
	}
}

func TestMessageCarriesTheSeqOfItsEvent(t *testing.T) {
	t.Parallel()
	_, patient, doctor, id := pair(t)
	m := patient.Says(id, "hello")
	log := doctor.Log(id)
	last := log[len(log)-1]
	var told Message
	if err := json.Unmarshal(last.Data, &told); err != nil {
		t.Fatal(err)
	}
	if last.Name != "message:created" || last.Seq != m.Seq || !cmp.Equal(told, m) || last.ActorID != patient.User.ID {
		t.Errorf("the log ends with %s %d %+v, the sender got %+v", last.Name, last.Seq, told, m)
	}
}

func TestWhatCannotBeSaid(t *testing.T) {
	t.Parallel()
	w, patient, doctor, id := pair(t)
	stranger := w.Patient("jing")
	elsewhere := stranger.Consults(doctor, "cough")
	foreign := stranger.Says(elsewhere, "cough")
	for name, c := range map[string]struct {
		in    SendInput
		code  rooms.Code
		field string
	}{
		"no words":               {SendInput{ClientID: "a", Kind: Text, Text: " \n"}, rooms.CodeInvalid, "text"},
		"too long":               {SendInput{ClientID: "a", Kind: Text, Text: strings.Repeat("字", TextLimit+1)}, rooms.CodeTooLarge, "text"},
		"no clientId":            {SendInput{Kind: Text, Text: "x"}, rooms.CodeInvalid, "clientId"},
		"clientId with a space":  {SendInput{ClientID: "a b", Kind: Text, Text: "x"}, rooms.CodeInvalid, "clientId"},
		"a kind of the server":   {SendInput{ClientID: "a", Kind: Call, Text: "x"}, rooms.CodeInvalid, "kind"},
		"an image without one":   {SendInput{ClientID: "a", Kind: Image}, rooms.CodeInvalid, "attachmentId"},
		"an unknown attachment":  {SendInput{ClientID: "a", Kind: File, AttachmentID: "nope"}, rooms.CodeInvalid, "attachmentId"},
		"a reply to nothing":     {SendInput{ClientID: "a", Kind: Text, Text: "x", ReplyTo: "nope"}, rooms.CodeInvalid, "replyTo"},
		"a reply into elsewhere": {SendInput{ClientID: "a", Kind: Text, Text: "x", ReplyTo: foreign.ID}, rooms.CodeInvalid, "replyTo"},
	} {
		c.in.ConsultationID = id
		_, err := roomstest.Ask(w, patient.As, Send, c.in)
		if e, ok := err.(*rooms.Error); !ok || e.Code != c.code || e.Field != c.field {
			t.Errorf("%s: %v, want %s on %s", name, err, c.code, c.field)
		}
	}
	if n := len(roomstest.Must(patient, History, HistoryInput{ConsultationID: id}).Items); n != 0 {
		t.Errorf("%d messages came of it", n)
	}
}

func TestRecall(t *testing.T) {
	t.Parallel()
	w, patient, doctor, id := pair(t)
	m := patient.Says(id, "秘密的话")
	in := MessageInput{ConsultationID: id, MessageID: m.ID}
	if code := roomstest.Code(doctor, Recall, in); code != rooms.CodeForbidden {
		t.Errorf("recalled by the other side: %q", code)
	}
	w.Passes(2 * time.Minute)
	left := roomstest.Must(patient, Recall, in)
	if left.Text != "" || left.RecalledAt == nil || left.Seq != m.Seq {
		t.Errorf("left of it: %+v", left)
	}
	roomstest.Must(patient, Recall, in) // twice is as good as once
	for _, e := range doctor.Log(id) {
		if strings.Contains(string(e.Data), "秘密") {
			t.Errorf("the log still tells in %s", e.Name)
		}
	}
	if got := roomstest.Must(doctor, History, HistoryInput{ConsultationID: id}).Items[0]; got.Text != "" {
		t.Errorf("the history still tells: %+v", got)
	}
	if found := roomstest.Must(patient, Search, SearchInput{Q: "秘密"}).Items; len(found) != 0 {
		t.Errorf("the search still tells: %+v", found)
	}
	late := patient.Says(id, "later")
	w.Passes(2*time.Minute + time.Microsecond)
	if code := roomstest.Code(patient, Recall, MessageInput{ConsultationID: id, MessageID: late.ID}); code != rooms.CodeConflict {
		t.Errorf("after more than 2 minutes: %q", code)
	}
}

func TestReceiptsOnlyGrow(t *testing.T) {
	t.Parallel()
	w, patient, doctor, id := pair(t)
	first := patient.Says(id, "one")
	second := patient.Says(id, "two")
	mark := func(p *roomstest.Person, c rooms.Command[ReceiptInput, Receipt], seq rooms.Seq) rooms.Seq {
		return roomstest.Must(p, c, ReceiptInput{ConsultationID: id, UpToSeq: seq}).UpToSeq
	}
	if got := mark(doctor, MarkRead, second.Seq); got != second.Seq {
		t.Errorf("read up to %d, answered %d", second.Seq, got)
	}
	if got := mark(doctor, MarkRead, first.Seq); got != second.Seq {
		t.Errorf("a watermark went back to %d", got)
	}
	if got := mark(doctor, MarkDelivered, first.Seq); got != second.Seq {
		t.Errorf("read implies delivered, yet delivered is %d", got)
	}
	mark(patient, MarkRead, second.Seq) // messages of the user are read already
	var names []string
	for _, e := range w.Events(id.Room()) {
		if e.Name == "message:read" || e.Name == "message:delivered" {
			names = append(names, fmt.Sprint(e.Name, " ", e.ActorID == doctor.User.ID))
		}
	}
	if fmt.Sprint(names) != "[message:read true]" {
		t.Errorf("announced: %v, want the doctor's message:read once", names)
	}
	if code := roomstest.Code(doctor, MarkRead, ReceiptInput{ConsultationID: id, UpToSeq: 1000}); code != rooms.CodeInvalid {
		t.Errorf("read what was never said: %q", code)
	}
}

func TestHistoryPagesBack(t *testing.T) {
	t.Parallel()
	_, patient, _, id := pair(t)
	for i := range 7 {
		patient.Says(id, fmt.Sprint(i))
	}
	var got []string
	before, more := rooms.Seq(0), true
	for more {
		page := roomstest.Must(patient, History, HistoryInput{ConsultationID: id, Before: before, Limit: 3})
		var texts []string
		for _, m := range page.Items {
			texts = append(texts, m.Text)
		}
		got, before, more = append(texts, got...), page.Items[0].Seq, page.HasMore
	}
	if fmt.Sprint(got) != "[0 1 2 3 4 5 6]" {
		t.Errorf("paged back: %v", got)
	}
}

func TestSearchCoversOwnConsultations(t *testing.T) {
	t.Parallel()
	w, patient, doctor, id := pair(t)
	other := w.Patient("jing")
	elsewhere := other.Consults(doctor, "headache")
	other.Says(elsewhere, "我也头痛")
	patient.Says(id, "我头痛三天了，体温38.5")
	patient.Says(id, "Should I take Ibuprofen?")
	doctor.Says(id, `say "AND" OR NOT (nothing)*`)
	patient.Says(id, "血压138/95mmHg，吃了aspirin100mg") // words without a space (FLD-10)
	for q, want := range map[string]int{
		"头痛": 1, "痛三": 1, "痛头": 0, "头痛 体温": 1, "头痛 咳嗽": 0, "ibuprofen": 1, "ibup": 1, "profen": 0, "38.5": 1, `"AND"`: 1, "…": 0, "(": 0, "nothing)*": 1,
		"mmhg": 1, "95mmhg": 1, "95 mmHg": 1, "138/95": 1, "95mm": 1, "mm": 1, "hg": 0, "5mmhg": 0, "aspirin 血压": 1, "mg aspirin": 1, "mg": 1,
	} {
		if got := roomstest.Must(patient, Search, SearchInput{Q: q}).Items; len(got) != want {
			t.Errorf("%q finds %d, want %d", q, len(got), want)
		}
	}
	if got := roomstest.Must(doctor, Search, SearchInput{Q: "头痛"}).Items; len(got) != 2 {
		t.Errorf("the doctor of both finds %d, want 2", len(got))
	}
	if got := roomstest.Must(doctor, Search, SearchInput{Q: "头痛", ConsultationID: elsewhere}).Items; len(got) != 1 {
		t.Errorf("in one consultation %d, want 1", len(got))
	}
	page := roomstest.Must(doctor, Search, SearchInput{Q: "头痛", Limit: 1})
	rest := roomstest.Must(doctor, Search, SearchInput{Q: "头痛", Limit: 1, Cursor: page.NextCursor})
	if len(rest.Items) != 1 || rest.Items[0].ID == page.Items[0].ID || rest.NextCursor != "" {
		t.Errorf("the second page is %+v", rest)
	}
}

func uploads(p *roomstest.Person, id consultation.ID, name string, content []byte) (Attachment, error) {
	ctx := rooms.WithUpload(context.Background(), &rooms.Upload{Name: name, Body: bytes.NewReader(content)})
	return roomstest.AskWith(ctx, p.W, p.As, Upload, UploadInput{ConsultationID: id})
}

func picture(w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		img.Set(x, x%h, color.RGBA{R: 200, A: 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	w, patient, doctor, id := pair(t)
	content := picture(1000, 500)
	a, err := uploads(patient, id, `C:\photos\..\x-ray.txt`, content)
	if err != nil {
		t.Fatal(err)
	}
	if a.Kind != Image || a.ContentType != "image/png" || a.Name != "x-ray.txt" || a.Width != 1000 || a.Height != 500 || !a.HasThumbnail {
		t.Errorf("uploaded: %+v", a)
	}
	send := SendInput{ConsultationID: id, ClientID: "pic", Kind: Image, AttachmentID: a.ID}
	if code := roomstest.Code(doctor, Send, send); code != rooms.CodeInvalid {
		t.Errorf("someone else's upload sent: %q", code)
	}
	m := roomstest.Must(patient, Send, send)
	if m.Attachment == nil || m.Attachment.SHA256 != a.SHA256 {
		t.Errorf("sent: %+v", m)
	}
	read := func(p *roomstest.Person, thumbnail bool) ([]byte, error) {
		_, f, err := w.Chats.Open(context.Background(), p.As, a.ID, thumbnail)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(f)
	}
	if got, err := read(doctor, false); err != nil || !bytes.Equal(got, content) {
		t.Errorf("fetched %d bytes, %v; want the %d that were sent", len(got), err, len(content))
	}
	small, err := read(doctor, true)
	if err != nil {
		t.Fatal(err)
	}
	if size, format, err := image.DecodeConfig(bytes.NewReader(small)); err != nil || format != "jpeg" || size.Width != 480 || size.Height != 240 {
		t.Errorf("thumbnail: %s %+v %v", format, size, err)
	}
	if _, err := read(w.Patient("jing"), false); rooms.CodeOf(err) != rooms.CodeNotFound {
		t.Errorf("fetched by a stranger: %v", err)
	}
	roomstest.Must(patient, Recall, MessageInput{ConsultationID: id, MessageID: m.ID})
	if _, err := read(doctor, false); rooms.CodeOf(err) != rooms.CodeNotFound {
		t.Errorf("fetched after the recall: %v", err)
	}
	for name, c := range map[string]struct {
		content []byte
		code    rooms.Code
	}{
		"page.png":  {[]byte("<!DOCTYPE html><script>alert(1)</script>"), rooms.CodeInvalid},
		"image.png": {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), rooms.CodeInvalid},
		"tool.pdf":  {append([]byte("\x7fELF"), make([]byte, 100)...), rooms.CodeInvalid},
		"empty.txt": {nil, rooms.CodeInvalid},
		"large.txt": {bytes.Repeat([]byte("a"), 1<<20+1), rooms.CodeTooLarge},
		"bomb.png":  {picture(1, 1), ""},
	} {
		if _, err := uploads(patient, id, name, c.content); rooms.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
	}
}

func TestTypingIsForgotten(t *testing.T) {
	t.Parallel()
	w, patient, doctor, id := pair(t)
	before := len(doctor.Log(id))
	roomstest.Must(patient, StartTyping, TypingInput{ConsultationID: id})
	if n := len(w.Signals(id.Room(), "typing:started")); n != 1 || len(doctor.Log(id)) != before {
		t.Errorf("told %d times, %d events", n, len(doctor.Log(id))-before)
	}
	roomstest.Must(doctor, consultation.End, consultation.EndInput{ConsultationID: id})
	if code := roomstest.Code(patient, StartTyping, TypingInput{ConsultationID: id}); code != rooms.CodeConflict {
		t.Errorf("typing after the end: %q", code)
	}
}

func TestQuickReplies(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, patient := w.Doctor("wang"), w.Patient("bo")
	saved := roomstest.Must(doctor, SaveQuickReplies, QuickReplyList{Items: []QuickReply{{Text: "您好"}, {ID: "mine", Text: "hello"}}})
	if got := roomstest.Must(doctor, QuickReplies, rooms.Nothing{}); len(got.Items) != 2 || got.Items[0].ID == "" || got.Items[1] != saved.Items[1] {
		t.Errorf("kept %+v", got)
	}
	if code := roomstest.Code(patient, QuickReplies, rooms.Nothing{}); code != rooms.CodeForbidden {
		t.Errorf("a patient's: %q", code)
	}
}
