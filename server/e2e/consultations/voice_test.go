package consultations_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/chat/sound"
	"wenzhen.example/rooms/chat/sound/soundtest"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// A voice message goes up, is the same for everyone at once, afterwards and
// when it is sent again, comes down in parts, and is gone once it is recalled.
func TestVoiceMessage(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id := bo.Consults(wang, "a cough")
	wang.Accepts(id)
	room := wang.Joins(id)
	recording := soundtest.WebM(3 * time.Second)
	a := bo.Uploads(id, "voice.webm", recording)
	if a.Kind != chat.Audio || a.ContentType != sound.WebM || a.DurationMs != 3000 {
		t.Errorf("uploaded %+v", a)
	}
	in := chat.SendInput{ConsultationID: id, ClientID: "v", Kind: chat.Audio, AttachmentID: a.ID, Peaks: []int{0, 40, 100, 7}}
	m := e2e.Call(bo, chat.Send, in)
	if !slices.Equal(m.Peaks, in.Peaks) || m.Attachment == nil || m.Attachment.DurationMs != 3000 {
		t.Errorf("the message is %+v", m)
	}
	if again := e2e.Call(bo, chat.Send, in); !cmp.Equal(again, m) {
		t.Errorf("sent again it is %+v", again)
	}
	in.Peaks = []int{1}
	_, err := client.Call(t.Context(), bo.Client, chat.Send, in)
	e2e.Code(t, err, rooms.CodeConflict)

	received := e2e.Read(t, room, m.Seq)
	if told, err := client.Decode(chat.MessageCreated, received[len(received)-1]); err != nil || !cmp.Equal(told, m) {
		t.Errorf("the other side receives %+v, %v", told, err)
	}
	if list := e2e.Do(wang, chat.History, chat.HistoryInput{ConsultationID: id}).Items; !cmp.Equal(list[len(list)-1], m) {
		t.Errorf("the history has %+v", list[len(list)-1])
	}
	part := w.Ask(t, "GET", "/api/v1/attachments/"+string(a.ID), wang.Tokens().AccessToken, "", "Range", "bytes=4-19")
	if part.Status != http.StatusPartialContent || part.Header.Get("Content-Type") != sound.WebM || !bytes.Equal(part.Body, recording[4:20]) {
		t.Errorf("a part: %d %s, %d bytes", part.Status, part.Header.Get("Content-Type"), len(part.Body))
	}
	// It has no words, and its file's name is none.
	if found := e2e.Do(bo, chat.Search, chat.SearchInput{Q: "voice"}).Items; len(found) != 0 {
		t.Errorf("a search finds %+v", found)
	}

	e2e.Call(bo, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: m.ID})
	for _, e := range wang.Log(id) {
		if e.Name != chat.MessageCreated.Name {
			continue
		}
		var left chat.Message
		e2e.Must(t, json.Unmarshal(e.Data, &left))
		if left.Peaks != nil || left.Attachment != nil {
			t.Errorf("the log still has %+v", left)
		}
	}
	_, err = wang.Download(t.Context(), a.ID)
	e2e.Code(t, err, rooms.CodeNotFound)
}

// The notification of a voice message names it as one, in the recipient's
// language.
func TestVoiceMessageIsNotified(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	for locale, want := range map[string]string{"zh-CN": "bo发来语音消息", "en": "Voice message from bo"} {
		bo, wang := w.Patient("bo"), w.Doctor("wang")
		e2e.Do(wang, account.UpdateMe, account.MeInput{Locale: &locale})
		id := bo.Consults(wang, "a cough")
		wang.Accepts(id)
		a := bo.Uploads(id, "voice.webm", soundtest.WebM(time.Second))
		e2e.Do(bo, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "v", Kind: chat.Audio, AttachmentID: a.ID, Peaks: []int{50}})
		e2e.Eventually(t, "a notification that says "+want, func() bool {
			return slices.ContainsFunc(wang.Inbox(), func(n notification.Notification) bool {
				return n.Topic == notification.VoiceCame && n.Kind == notification.Messages && n.Title == want
			})
		})
	}
}

// What is no recording, too long or too large cannot be a voice message, and
// nobody can send what another recorded.
func TestWhatIsNoVoiceMessage(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) { c.VoiceLength, c.VoiceBytes = 100*time.Second, 20_000 })
	bo, wang, jing := w.Patient("bo"), w.Doctor("wang"), w.Patient("jing")
	id := bo.Consults(wang, "a cough")
	wang.Accepts(id)
	fits := bo.Uploads(id, "voice.ogg", soundtest.Ogg(100*time.Second))
	picture := bytes.Replace(soundtest.WebM(time.Second), []byte{0x83, 0x81, 2}, []byte{0x83, 0x81, 1}, 1)
	for name, c := range map[string]struct {
		content []byte // "" is what fits
		kind    chat.Kind
		peaks   []int
		code    rooms.Code
		field   string
	}{
		"what fits":                     {nil, chat.Audio, []int{1}, "", ""},
		"as many peaks as there may be": {nil, chat.Audio, make([]int, chat.PeaksLimit), "", ""},
		"one peak more":                 {nil, chat.Audio, make([]int, chat.PeaksLimit+1), rooms.CodeTooLarge, "peaks"},
		"a peak that is too high":       {nil, chat.Audio, []int{chat.PeakLimit + 1}, rooms.CodeInvalid, "peaks"},
		"a peak below silence":          {nil, chat.Audio, []int{-1}, rooms.CodeInvalid, "peaks"},
		"a file with peaks":             {nil, chat.File, []int{1}, rooms.CodeInvalid, "peaks"},
		"too long":                      {soundtest.Ogg(106 * time.Second), chat.Audio, []int{1}, rooms.CodeTooLarge, "attachmentId"},
		"too large":                     {soundtest.WebM(70 * time.Second), chat.Audio, []int{1}, rooms.CodeTooLarge, "attachmentId"},
		"no sound in it":                {soundtest.WebM(0), chat.Audio, []int{1}, rooms.CodeInvalid, "attachmentId"},
		"music without a length":        {[]byte("RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"), chat.Audio, []int{1}, rooms.CodeInvalid, "attachmentId"},
		"a film":                        {picture, chat.Audio, []int{1}, rooms.CodeInvalid, "kind"},
		"words that are called sound":   {[]byte("good morning, doctor"), chat.Audio, []int{1}, rooms.CodeInvalid, "kind"},
	} {
		a := fits
		if c.content != nil {
			a = bo.Uploads(id, "voice.webm", c.content)
		}
		_, err := client.Do(t.Context(), bo.Client, chat.Send, chat.SendInput{ConsultationID: id, ClientID: rooms.NewID(time.Now()), Kind: c.kind, AttachmentID: a.ID, Peaks: c.peaks})
		e2e.Code(t, err, c.code)
		if e, is := err.(*rooms.Error); err != nil && (!is || e.Field != c.field) {
			t.Errorf("%s: %+v, want %s on %s", name, err, c.code, c.field)
		}
	}
	voice := chat.SendInput{ConsultationID: id, ClientID: "theirs", Kind: chat.Audio, AttachmentID: fits.ID, Peaks: []int{1}}
	_, err := client.Do(t.Context(), wang.Client, chat.Send, voice)
	e2e.Code(t, err, rooms.CodeInvalid)
	_, err = client.Do(t.Context(), jing.Client, chat.Send, voice)
	e2e.Code(t, err, rooms.CodeNotFound)
	_, err = jing.Upload(t.Context(), id, "voice.ogg", bytes.NewReader(soundtest.Ogg(time.Second)))
	e2e.Code(t, err, rooms.CodeNotFound)
	_, err = jing.Download(t.Context(), fits.ID)
	e2e.Code(t, err, rooms.CodeNotFound)
}

// What a file is called, and what its sender says it is, decides nothing.
func TestRecordingsAreJudgedByContent(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a cough")
	for name, c := range map[string]struct {
		content     []byte
		kind        chat.Kind
		contentType string
	}{
		"picture.png": {soundtest.WebM(time.Second), chat.Audio, sound.WebM},
		"voice.m4a":   {soundtest.MP4(time.Second), chat.Audio, sound.MP4},
		"voice.ogg":   {soundtest.Ogg(time.Second), chat.Audio, sound.Ogg},
		"voice.webm":  {bytes.Replace(soundtest.WebM(time.Second), []byte{0x83, 0x81, 2}, []byte{0x83, 0x81, 1}, 1), chat.File, "video/webm"},
		"film.mp4":    {bytes.Replace(soundtest.MP4(time.Second), []byte("soun"), []byte("vide"), 1), chat.File, "video/mp4"},
	} {
		a := bo.Uploads(id, name, c.content)
		if a.Kind != c.kind || a.ContentType != c.contentType || (a.DurationMs > 0) != (c.kind == chat.Audio) {
			t.Errorf("%s: %+v", name, a)
		}
		f, err := bo.Download(t.Context(), a.ID)
		e2e.Must(t, err)
		content, err := io.ReadAll(f)
		e2e.Must(t, err)
		f.Close()
		if f.ContentType != c.contentType || !bytes.Equal(content, c.content) {
			t.Errorf("%s comes down as %s, %d bytes", name, f.ContentType, len(content))
		}
	}
}
