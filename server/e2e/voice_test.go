package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/chat/sound"
	"wenzhen/rooms/chat/sound/soundtest"
	"wenzhen/rooms/notification"
	"wenzhen/server"
)

// A voice message goes up, is the same for everyone at once, afterwards and
// when it is sent again, comes down in parts, and is gone once it is recalled.
func TestVoiceMessage(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo").online(), w.doctor("wang").online()
	id := bo.consults(wang, "a cough")
	wang.accepts(id)
	room := wang.joins(id)
	recording := soundtest.WebM(3 * time.Second)
	a := bo.uploads(id, "voice.webm", recording)
	if a.Kind != chat.Audio || a.ContentType != sound.WebM || a.DurationMs != 3000 {
		t.Errorf("uploaded %+v", a)
	}
	in := chat.SendInput{ConsultationID: id, ClientID: "v", Kind: chat.Audio, AttachmentID: a.ID, Peaks: []int{0, 40, 100, 7}}
	m := call(bo, chat.Send, in)
	if !slices.Equal(m.Peaks, in.Peaks) || m.Attachment == nil || m.Attachment.DurationMs != 3000 {
		t.Errorf("the message is %+v", m)
	}
	if again := call(bo, chat.Send, in); !cmp.Equal(again, m) {
		t.Errorf("sent again it is %+v", again)
	}
	in.Peaks = []int{1}
	_, err := client.Call(t.Context(), bo.Client, chat.Send, in)
	code(t, err, rooms.CodeConflict)

	heard := read(t, room, m.Seq)
	if told, err := client.Decode(chat.Created, heard[len(heard)-1]); err != nil || !cmp.Equal(told, m) {
		t.Errorf("the other side hears %+v, %v", told, err)
	}
	if list := do(wang, chat.History, chat.HistoryInput{ConsultationID: id}).Items; !cmp.Equal(list[len(list)-1], m) {
		t.Errorf("the history has %+v", list[len(list)-1])
	}
	part := w.ask(t, "GET", "/api/v1/attachments/"+string(a.ID), wang.Tokens().AccessToken, "", "Range", "bytes=4-19")
	if part.status != http.StatusPartialContent || part.header.Get("Content-Type") != sound.WebM || !bytes.Equal(part.body, recording[4:20]) {
		t.Errorf("a part: %d %s, %d bytes", part.status, part.header.Get("Content-Type"), len(part.body))
	}
	// It has no words, and its file's name is none.
	if found := do(bo, chat.Search, chat.SearchInput{Q: "voice"}).Items; len(found) != 0 {
		t.Errorf("a search finds %+v", found)
	}

	call(bo, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: m.ID})
	for _, e := range wang.log(id) {
		if e.Name != chat.Created.Name {
			continue
		}
		var left chat.Message
		must(t, json.Unmarshal(e.Data, &left))
		if left.Peaks != nil || left.Attachment != nil {
			t.Errorf("the log still has %+v", left)
		}
	}
	_, err = wang.Download(t.Context(), a.ID)
	code(t, err, rooms.CodeNotFound)
}

// Whoever is away is told that it is a voice message, in their language.
func TestVoiceMessageIsNotified(t *testing.T) {
	t.Parallel()
	w := start(t)
	for locale, want := range map[string]string{"zh-CN": "bo发来语音消息", "en": "Voice message from bo"} {
		bo, wang := w.patient("bo"), w.doctor("wang")
		do(wang, account.UpdateMe, account.MeInput{Locale: &locale})
		id := bo.consults(wang, "a cough")
		wang.accepts(id)
		a := bo.uploads(id, "voice.webm", soundtest.WebM(time.Second))
		do(bo, chat.Send, chat.SendInput{ConsultationID: id, ClientID: "v", Kind: chat.Audio, AttachmentID: a.ID, Peaks: []int{50}})
		eventually(t, "a notification that says "+want, func() bool {
			return slices.ContainsFunc(wang.inbox(), func(n notification.Notification) bool {
				return n.Topic == notification.VoiceCame && n.Kind == notification.Messages && n.Title == want
			})
		})
	}
}

// What is no recording, too long or too large cannot be a voice message, and
// nobody can send what another recorded.
func TestWhatIsNoVoiceMessage(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *server.Config) { c.VoiceLength, c.VoiceBytes = 100*time.Second, 20_000 })
	bo, wang, jing := w.patient("bo"), w.doctor("wang"), w.patient("jing")
	id := bo.consults(wang, "a cough")
	wang.accepts(id)
	fits := bo.uploads(id, "voice.ogg", soundtest.Ogg(100*time.Second))
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
			a = bo.uploads(id, "voice.webm", c.content)
		}
		_, err := client.Do(t.Context(), bo.Client, chat.Send, chat.SendInput{ConsultationID: id, ClientID: rooms.NewID(time.Now()), Kind: c.kind, AttachmentID: a.ID, Peaks: c.peaks})
		code(t, err, c.code)
		if e, is := err.(*rooms.Error); err != nil && (!is || e.Field != c.field) {
			t.Errorf("%s: %+v, want %s on %s", name, err, c.code, c.field)
		}
	}
	voice := chat.SendInput{ConsultationID: id, ClientID: "theirs", Kind: chat.Audio, AttachmentID: fits.ID, Peaks: []int{1}}
	_, err := client.Do(t.Context(), wang.Client, chat.Send, voice)
	code(t, err, rooms.CodeInvalid)
	_, err = client.Do(t.Context(), jing.Client, chat.Send, voice)
	code(t, err, rooms.CodeNotFound)
	_, err = jing.Upload(t.Context(), id, "voice.ogg", bytes.NewReader(soundtest.Ogg(time.Second)))
	code(t, err, rooms.CodeNotFound)
	_, err = jing.Download(t.Context(), fits.ID)
	code(t, err, rooms.CodeNotFound)
}

// What a file is called, and what its sender says it is, decides nothing.
func TestRecordingsAreJudgedByContent(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	id := bo.consults(wang, "a cough")
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
		a := bo.uploads(id, name, c.content)
		if a.Kind != c.kind || a.ContentType != c.contentType || (a.DurationMs > 0) != (c.kind == chat.Audio) {
			t.Errorf("%s: %+v", name, a)
		}
		f, err := bo.Download(t.Context(), a.ID)
		must(t, err)
		content, err := io.ReadAll(f)
		must(t, err)
		f.Close()
		if f.ContentType != c.contentType || !bytes.Equal(content, c.content) {
			t.Errorf("%s comes down as %s, %d bytes", name, f.ContentType, len(content))
		}
	}
}
