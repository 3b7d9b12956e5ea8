package notification_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	. "wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/roomstest"
)

// delivering is a world in which bo, who has a browser, is away while wang
// has admitted him.
type delivering struct {
	*roomstest.World
	bo, wang *roomstest.Person
	c        consultation.ID
}

const endpoint = "https://push.example/bo"

func newDelivering(t *testing.T) *delivering {
	w := roomstest.New(t)
	d := &delivering{World: w, bo: w.Patient("bo").Verifies(), wang: w.Doctor("wang")}
	roomstest.Must(d.bo, Subscribe, roomstest.Browser(endpoint))
	d.c = d.bo.Consults(d.wang, "headache")
	return d
}

// passes turns the clock, follows and sends.
func (d *delivering) passes(t time.Duration) {
	d.T.Helper()
	d.Notifies()
	d.Passes(t)
	d.Notifies()
}

func (d *delivering) pushed() int { return len(d.Outside.Pushes(endpoint)) }
func (d *delivering) mailed() int { return len(d.Outside.Mails(d.bo)) }

func (d *delivering) expect(what string, pushes, mails int) {
	d.T.Helper()
	if d.pushed() != pushes || d.mailed() != mails {
		d.T.Errorf("%s: %d pushes and %d mails, want %d and %d", what, d.pushed(), d.mailed(), pushes, mails)
	}
}

func TestPushThenMail(t *testing.T) {
	t.Parallel()
	d := newDelivering(t)
	d.wang.Accepts(d.c)
	d.Notifies()
	d.expect("at once", 0, 0)
	d.passes(5 * time.Second)
	d.expect("after a moment", 1, 0)
	if p := d.Outside.Pushes(endpoint)[0]; p.Path != "/consultations/"+string(d.c) || p.Title == "" || p.Kind != Consultations {
		t.Errorf("pushed %+v", p)
	}
	d.passes(roomstest.MailDelay)
	d.expect("unread for a while", 1, 1)
	d.passes(24 * time.Hour)
	d.expect("a day later", 1, 1)
	if n := d.bo.Inbox()[0]; n.DeliveredAt == nil || n.SeenAt != nil || n.ReadAt != nil {
		t.Errorf("evidence: %+v", n)
	}
}

// An unverified address may be a stranger's: nothing is mailed there. The inbox
// and the browsers get the notification.
func TestUnverifiedAddressesGetNoMail(t *testing.T) {
	t.Parallel()
	d := newDelivering(t)
	d.bo = d.Patient("bo-with-a-typo")
	roomstest.Must(d.bo, Subscribe, roomstest.Browser(endpoint))
	d.c = d.bo.Consults(d.wang, "headache")
	d.wang.Accepts(d.c)
	d.passes(time.Hour)
	d.expect("not verified", 1, 0)
	d.bo.Verifies()
	d.wang.Says(d.c, "hello")
	d.passes(time.Hour)
	d.expect("verified", 2, 1)
}

// What a page that is looked at has shown is not pushed, what was read is not
// mailed.
func TestSeenIsNotSent(t *testing.T) {
	t.Parallel()
	d := newDelivering(t)
	d.wang.Accepts(d.c)
	roomstest.Must(d.bo, See, MarkSeenInput{IDs: []ID{d.bo.Inbox()[0].ID}})
	d.passes(time.Hour)
	d.expect("seen", 0, 0)
	if n := d.bo.Inbox()[0]; n.SeenAt == nil || n.DeliveredAt == nil || n.ReadAt != nil {
		t.Errorf("evidence: %+v", n)
	}
	said := d.wang.Says(d.c, "hello")
	d.passes(5 * time.Second)
	d.expect("not seen", 1, 0)
	roomstest.Must(d.bo, chat.MarkRead, chat.ReceiptInput{ConsultationID: d.c, UpToSeq: said.Seq})
	d.passes(time.Hour)
	d.expect("read", 1, 0)
}

// Who takes no part in a consultation any more gets no push and no mail of what
// was said or missed before: a doctor who lost the verification, or a relative
// who was removed. Who stays gets both.
func TestFormerParticipantsGetNoDelayedNotifications(t *testing.T) {
	t.Parallel()
	d := newDelivering(t)
	li, aunt, kin := d.Doctor("li"), d.Patient("aunt"), d.Patient("kin")
	d.wang.Accepts(d.c)
	for p, role := range map[*roomstest.Person]consultation.Part{li: consultation.PartColleague, aunt: consultation.PartRelative, kin: consultation.PartRelative} {
		p.Verifies()
		roomstest.Must(p, Subscribe, roomstest.Browser("https://push.example/"+p.User.Name))
		roomstest.Must(d.bo, consultation.Invite, consultation.InviteInput{ConsultationID: d.c, UserID: p.User.ID, Role: role})
	}
	d.passes(time.Hour)
	pushes := func(p *roomstest.Person) int { return len(d.Outside.Pushes("https://push.example/" + p.User.Name)) }
	before := map[*roomstest.Person][2]int{}
	for _, p := range []*roomstest.Person{li, aunt, kin} {
		roomstest.Must(p, Read, MarkReadInput{UpToID: p.Inbox()[0].ID})
		before[p] = [2]int{pushes(p), len(d.Outside.Mails(p))}
	}
	d.wang.Says(d.c, "good morning")
	d.Notifies()
	roomstest.Must(d.Admin("root"), account.UnverifyDoctor, account.UnverifyDoctorInput{UserID: li.User.ID, Reason: "the licence has expired"})
	roomstest.Must(d.bo, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: d.c, UserID: aunt.User.ID})
	for _, p := range []*roomstest.Person{aunt, kin} {
		if all := p.Inbox(); all[len(all)-1].Topic != MessageCame {
			t.Fatalf("the inbox of %s is %+v", p.User.Name, all)
		}
	}
	d.passes(time.Hour)
	for p, more := range map[*roomstest.Person]int{aunt: 0, kin: 1} {
		if got := [2]int{pushes(p) - before[p][0], len(d.Outside.Mails(p)) - before[p][1]}; got != [2]int{more, more} {
			t.Errorf("%s gets %v pushes and mails more, want %d", p.User.Name, got, more)
		}
	}
	for _, m := range d.Outside.Mails(li)[before[li][1]:] {
		if m.Notification.Topic != DoctorUnverified {
			t.Errorf("the second doctor gets a mail: %+v", m.Notification)
		}
	}
}

// Many messages are one mail, until they are read; each push replaces the last.
func TestOneMailForManyMessages(t *testing.T) {
	t.Parallel()
	d := newDelivering(t)
	d.wang.Accepts(d.c)
	d.Notifies()
	roomstest.Must(d.bo, Read, MarkReadInput{UpToID: d.bo.Inbox()[0].ID})
	var last chat.Message
	for range 3 {
		last = d.wang.Says(d.c, "hello")
		d.passes(time.Minute)
	}
	d.passes(time.Hour)
	d.expect("three messages", 3, 1)
	if p := d.Outside.Pushes(endpoint); p[0].Tag != p[2].Tag || p[0].ID == p[2].ID {
		t.Errorf("pushed %+v", p)
	}
	roomstest.Must(d.bo, chat.MarkRead, chat.ReceiptInput{ConsultationID: d.c, UpToSeq: last.Seq})
	d.wang.Says(d.c, "and another thing")
	d.passes(time.Hour)
	d.expect("after reading", 4, 2)
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	d := newDelivering(t)
	if p := roomstest.Must(d.bo, ReadPreferences, rooms.Nothing{}); len(p.Kinds) != len(Kinds()) || !p.Kinds[0].Push || !p.Kinds[0].Email || p.QuietHours != nil {
		t.Errorf("by default: %+v", p)
	}
	roomstest.Must(d.bo, SavePreferences, Preferences{Kinds: []KindPreference{{Kind: Messages}, {Kind: Consultations, Email: true}}})
	d.wang.Accepts(d.c)
	d.wang.Says(d.c, "hello")
	d.passes(time.Hour)
	d.expect("no pushes, no mails of messages", 0, 1)
	// A wish that changes while something waits counts.
	roomstest.Must(d.bo, SavePreferences, Preferences{})
	d.wang.Says(d.c, "hello")
	d.Notifies()
	roomstest.Must(d.bo, SavePreferences, Preferences{Kinds: []KindPreference{{Kind: Messages}}})
	d.passes(time.Hour)
	d.expect("nothing of messages any more", 0, 1)
}

// Quiet hours hold back until they are over; what was seen by then stays.
func TestQuietHoursHoldBack(t *testing.T) {
	t.Parallel()
	d := newDelivering(t) // at 12:00 UTC, 20:00 in Shanghai
	roomstest.Must(d.bo, SavePreferences, Preferences{QuietHours: &QuietHours{From: "22:00", To: "07:30", TimeZone: "Asia/Shanghai"}})
	d.passes(3 * time.Hour) // 23:00
	d.wang.Accepts(d.c)
	d.wang.Says(d.c, "hello")
	d.passes(8 * time.Hour) // 07:00
	d.expect("by night", 0, 0)
	roomstest.Must(d.bo, Read, MarkReadInput{IDs: []ID{d.bo.Inbox()[0].ID}})
	d.passes(31 * time.Minute)
	d.expect("in the morning", 1, 1)
}

func TestQuietHoursEnd(t *testing.T) {
	t.Parallel()
	night := QuietHours{From: "22:00", To: "07:30", TimeZone: "Europe/Berlin"}
	for name, x := range map[string]struct {
		q        QuietHours
		at, over string // RFC 3339; over is "" outside of quiet hours
	}{
		"evening":               {night, "2026-11-01T21:00:00Z", "2026-11-02T06:30:00Z"},
		"after midnight":        {night, "2026-11-02T00:00:00Z", "2026-11-02T06:30:00Z"},
		"as they begin":         {night, "2026-11-01T21:00:00Z", "2026-11-02T06:30:00Z"},
		"as they end":           {night, "2026-11-02T06:30:00Z", ""},
		"by day":                {night, "2026-11-02T12:00:00Z", ""},
		"clocks go forward":     {night, "2026-03-28T22:00:00Z", "2026-03-29T05:30:00Z"},
		"clocks go back":        {night, "2026-10-24T21:00:00Z", "2026-10-25T06:30:00Z"},
		"end skipped by clocks": {QuietHours{From: "00:00", To: "02:30", TimeZone: "Europe/Berlin"}, "2026-03-29T00:15:00Z", "2026-03-29T01:30:00Z"},
		"siesta":                {QuietHours{From: "13:00", To: "14:00", TimeZone: "Asia/Shanghai"}, "2026-11-02T05:59:00Z", "2026-11-02T06:00:00Z"},
		"month's end":           {night, "2026-11-30T23:00:00Z", "2026-12-01T06:30:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, x.at)
		if err != nil {
			t.Fatal(err)
		}
		over, quiet := Until(x.q, at)
		if got := over.Format(time.RFC3339); quiet != (x.over != "") || quiet && got != x.over {
			t.Errorf("%s: %v until %s, want %q", name, quiet, got, x.over)
		}
	}
}

// A transient refusal of a push service is retried with growing delays, and not
// before the time that the service names; a permanent one is not retried.
func TestRetries(t *testing.T) {
	t.Parallel()
	d := newDelivering(t)
	roomstest.Must(d.bo, SavePreferences, Preferences{Kinds: []KindPreference{{Kind: Consultations, Push: true}, {Kind: Messages, Push: true}}})
	busy := rooms.Unavailable(errors.New("503"), "busy")
	busy.RetryAfterMs = (10 * time.Minute).Milliseconds()
	d.Outside.Refuse(endpoint, busy)
	d.wang.Accepts(d.c)
	d.passes(5 * time.Second)
	d.Outside.Refuse(endpoint, nil)
	d.passes(9 * time.Minute)
	d.expect("before it wants to be asked", 0, 0)
	d.passes(2 * time.Minute)
	d.expect("after", 1, 0)

	d.Outside.Refuse(endpoint, errors.New("no route"))
	d.wang.Says(d.c, "hello")
	for range 30 {
		d.passes(20 * time.Minute)
	}
	d.Outside.Refuse(endpoint, nil)
	d.passes(4 * time.Hour)
	d.expect("given up", 1, 0)

	d.Outside.Refuse(endpoint, rooms.Invalid("endpoint", "413"))
	d.wang.Says(d.c, "hello")
	d.passes(5 * time.Second)
	d.Outside.Refuse(endpoint, nil)
	d.passes(4 * time.Hour)
	d.expect("refused permanently", 1, 0)
}

// A worker that died with a delivery in hand is followed by another, which
// sends it once its lease is over.
func TestALeaseRunsOut(t *testing.T) {
	t.Parallel()
	d := newDelivering(t)
	d.wang.Accepts(d.c)
	d.Notifies()
	d.Passes(5 * time.Second)
	d.LosesADelivery(Push)
	d.Notifies()
	d.expect("while it is leased", 0, 0)
	d.Restarts(3 * time.Minute)
	d.Notifies()
	d.expect("after", 1, 1)
}

// Subscriptions end with the push service's word, and with the login.
func TestDeadSubscriptions(t *testing.T) {
	t.Parallel()
	d := newDelivering(t)
	d.Outside.Refuse(endpoint, rooms.NotFound("push subscription"))
	d.wang.Accepts(d.c)
	d.passes(5 * time.Second)
	d.Outside.Refuse(endpoint, nil)
	d.wang.Says(d.c, "hello")
	d.passes(5 * time.Second)
	d.expect("the service said it is gone", 0, 0)

	sub := roomstest.Must(d.bo, Subscribe, roomstest.Browser(endpoint))
	if again := roomstest.Must(d.bo, Subscribe, roomstest.Browser(endpoint)); again.ID != sub.ID {
		t.Errorf("subscribed twice: %s and %s", sub.ID, again.ID)
	}
	d.wang.Says(d.c, "hello")
	d.passes(5 * time.Second)
	d.expect("subscribed again", 1, 0)

	if code := roomstest.Code(d.wang, Unsubscribe, SubscriptionInput{SubscriptionID: sub.ID}); code != rooms.CodeNotFound {
		t.Errorf("someone else's subscription: %q", code)
	}
	d.wang.Says(d.c, "hello")
	d.Notifies() // planted while logged in
	if _, err := roomstest.Ask(d.World, rooms.Actor{}, account.LogOut, account.RefreshInput{RefreshToken: d.bo.RefreshToken}); err != nil {
		t.Fatal(err)
	}
	d.passes(5 * time.Second)
	d.wang.Says(d.c, "hello")
	d.passes(5 * time.Second)
	d.expect("logged out", 1, 0)
}

func TestSubscriptionsAreBounded(t *testing.T) {
	t.Parallel()
	d := newDelivering(t)
	for i := range 19 {
		roomstest.Must(d.bo, Subscribe, roomstest.Browser(endpoint+strings.Repeat("x", i+1)))
	}
	if code := roomstest.Code(d.bo, Subscribe, roomstest.Browser(endpoint+"/one/more")); code != rooms.CodeTooLarge {
		t.Errorf("the 21st: %q", code)
	}
	roomstest.Must(d.bo, Subscribe, roomstest.Browser(endpoint))
}
