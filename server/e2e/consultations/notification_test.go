package consultations_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/roomstest/prove"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
	"wenzhen.example/server/mail/mailtest"
	"wenzhen.example/server/push/pushtest"
)

// notificationMails are the mails that told someone of notifications, beside those that
// an account gets.
func notificationMails(post *mailtest.Server, p *e2e.Person) []mailtest.Mail {
	var list []mailtest.Mail
	for _, m := range post.To(p.User.Email) {
		if text := m.Parts["text/plain"]; strings.Contains(text, "通知设置") || strings.Contains(text, "notification settings") {
			list = append(list, m)
		}
	}
	return list
}

// verifies shows that someone has the address, with the link of a mail.
func verifies(p *e2e.Person, post *mailtest.Server) *e2e.Person {
	p.World.T.Helper()
	link := regexp.MustCompile(`/email/verify#([\w.-]+)`)
	var token string
	e2e.Eventually(p.World.T, "a mail to verify the address", func() bool {
		for _, m := range post.To(p.User.Email) {
			if found := link.FindStringSubmatch(m.Parts["text/plain"]); found != nil {
				token = found[1]
			}
		}
		return token != ""
	})
	e2e.Do(p, account.VerifyEmail, account.VerifyEmailInput{Token: token})
	return p
}

// Events for an absent user leave the server as a push that only the user's
// browser can decrypt, then as a mail; events that the user has seen do not.
func TestAbsentUsersArePushedAndMailed(t *testing.T) {
	t.Parallel()
	post, services := mailtest.Start(t), pushtest.Start(t)
	w := e2e.Start(t, func(c *app.Config) {
		c.MailServer, c.MailFrom, c.MailDelay = post.URL(), "问诊 <no-reply@clinic.example>", 0
		c.PushAllow, c.PublicURL = []string{services.Host()}, "https://clinic.example"
	})
	bo, wang, browser := verifies(w.Patient("bo"), post), w.Doctor("wang"), services.Browser()
	id := bo.Consults(wang, e2e.Secret)
	e2e.Do(bo, notification.Subscribe, browser.Subscription())
	wang.Accepts(id)
	wang.Says(id, e2e.Secret)
	e2e.Eventually(t, "two pushes", func() bool { return len(browser.Pushes()) == 2 })
	e2e.Eventually(t, "two mails", func() bool { return len(notificationMails(post, bo)) == 2 })
	pushes, mails := browser.Pushes(), notificationMails(post, bo)
	for _, n := range bo.Inbox() {
		path := "/consultations/" + string(id)
		var p *pushtest.Push
		for _, other := range pushes {
			if other.ID == n.ID {
				p = &other
			}
		}
		if p == nil || p.Title != n.Title || p.Path != path || p.Subject != "https://clinic.example" {
			t.Errorf("of %s was pushed %+v", n.Topic, p)
		}
		at := slices.IndexFunc(mails, func(m mailtest.Mail) bool { return m.ID() == "<"+string(n.ID)+"@clinic.example>" })
		if at < 0 {
			t.Fatalf("of %s nothing was mailed", n.Topic)
		}
		m := mails[at]
		if m.Subject == "" || strings.Contains(m.Subject, wang.User.Name) ||
			!strings.Contains(m.Parts["text/plain"], n.Title) || !strings.Contains(m.Parts["text/plain"], "https://clinic.example"+path) {
			t.Errorf("of %s was mailed %s %q:\n%s", n.Topic, m.ID(), m.Subject, m.Parts["text/plain"])
		}
		if all := p.Title + p.Body + m.Subject + m.Parts["text/plain"] + m.Parts["text/html"]; strings.Contains(all, e2e.Secret) {
			t.Errorf("the text of a message left the server: %s", all)
		}
	}

	// A browser that shows the consultation is notified of it there.
	bo.Online()
	room := bo.Joins(id)
	said := wang.Says(id, "are you there?")
	e2e.Read(t, room, said.Seq)
	e2e.Call(bo, chat.MarkRead, chat.ReceiptInput{ConsultationID: id, UpToSeq: said.Seq})
	// One that has joined it and is hidden does not count.
	e2e.Call(bo, consultation.Look, consultation.LookInput{ConsultationID: id})
	wang.Says(id, "hello?")
	e2e.Eventually(t, "a push to who does not look", func() bool { return len(browser.Pushes()) == 3 })
	if got := bo.Inbox(); len(got) != 3 {
		t.Errorf("%d notifications, want 3: the message that was looked at needs none", len(got))
	}
}

// A mail server that takes its time over the mails of one person holds up
// neither other mails nor the timers of the server.
func TestAMailThatHangsHoldsUpNothing(t *testing.T) {
	t.Parallel()
	post, goOn, stuck := mailtest.Start(t), make(chan struct{}), ""
	w := e2e.Start(t, func(c *app.Config) {
		c.MailServer, c.MailFrom, c.MailDelay, c.MailTimeout = post.URL(), "no-reply@clinic.example", 0, time.Hour
	})
	wang, slow := w.Doctor("wang"), verifies(w.Patient("slow"), post)
	stuck = slow.User.Email
	hanging := make(chan struct{}, 10)
	post.Refuse(func(to string) error {
		if to == stuck {
			hanging <- struct{}{}
			<-goOn
		}
		return nil
	})
	defer close(goOn)
	e2e.Do(slow, account.ForgotPassword, account.ForgotInput{Email: stuck}) // a letter
	<-hanging
	id := slow.Consults(wang, "a rash")
	wang.Accepts(id) // a notification
	<-hanging
	bo := verifies(w.Patient("bo"), post)
	id = bo.Consults(wang, "a rash")
	wang.Accepts(id)
	e2e.Eventually(t, "a mail to who does not hang", func() bool { return len(notificationMails(post, bo)) == 1 })
}

// Both sides get an invitation that calendars understand, and its cancellation.
func TestAppointmentsAreMailedAsInvitations(t *testing.T) {
	t.Parallel()
	post := mailtest.Start(t)
	w := e2e.Start(t, func(c *app.Config) { c.MailServer, c.MailFrom = post.URL(), "no-reply@clinic.example" })
	bo, wang := verifies(w.Patient("bo"), post), verifies(w.Doctor("wang"), post)
	rules := []schedule.Rule{}
	for day := 1; day <= 7; day++ {
		rules = append(rules, schedule.Rule{Weekday: day, Start: "09:00", End: "12:00", SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Text}})
	}
	e2e.Do(wang, schedule.SaveSchedule, schedule.ScheduleInput{TimeZone: "Asia/Shanghai", Rules: rules})
	slots := e2e.Do(bo, schedule.Slots, schedule.SlotsInput{DoctorID: wang.User.ID}).Items
	a := e2e.Do(bo, schedule.Book, schedule.BookInput{DoctorID: wang.User.ID, Start: slots[len(slots)-1].Start, Medium: account.Text, Service: account.Advice, Complaint: e2e.Secret}).Appointment
	for i, x := range []struct {
		method, status string
		then           func()
	}{
		{"REQUEST", "CONFIRMED", func() { e2e.Do(wang, schedule.Cancel, schedule.CancelInput{AppointmentID: a.ID}) }},
		{"CANCEL", "CANCELLED", func() {}},
	} {
		for _, p := range []*e2e.Person{bo, wang} {
			e2e.Eventually(t, x.method+" for "+p.User.Name, func() bool { return len(notificationMails(post, p)) == i+1 })
			m := notificationMails(post, p)[i]
			calendar := strings.ReplaceAll(m.Parts["text/calendar"], "\r\n ", "") // unfolded
			for _, want := range []string{"METHOD:" + x.method, "STATUS:" + x.status, "UID:" + string(a.ID) + "@wenzhen", "ORGANIZER;CN=Wenzhen:mailto:no-reply@clinic.example",
				"mailto:" + p.User.Email, "DTSTART:" + a.Start.Format("20060102T150405Z")} {
				if !strings.Contains(calendar, want) {
					t.Errorf("%s's %s has no %q:\n%s", p.User.Name, x.method, want, calendar)
				}
			}
			if len(m.Types) != 4 || !strings.Contains(m.Types[2], "method="+x.method) || m.Parts["application/ics"] != m.Parts["text/calendar"] || strings.Contains(calendar, e2e.Secret) {
				t.Errorf("%s's parts: %q", p.User.Name, m.Types)
			}
		}
		x.then()
	}
}

// device is a phone or a browser that counts unread notifications: of the
// counts that it receives, the one with the highest seq is valid.
type device struct {
	*e2e.Person
	mu     sync.Mutex
	seq    rooms.Seq
	unread int
}

func (d *device) knows(seq rooms.Seq, unread int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if seq >= d.seq {
		d.seq, d.unread = seq, unread
	}
}

func (d *device) shows() (rooms.Seq, int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seq, d.unread
}

// catchesUp is what a device does when it comes online.
func (d *device) catchesUp() {
	page := e2e.Do(d.Person, notification.List, notification.InboxInput{Limit: 1})
	d.knows(page.LastSeq, page.Unread)
}

func newDevice(p *e2e.Person) *device {
	p.World.T.Helper()
	d := &device{}
	reconnected := make(chan struct{}, 8)
	d.Person = p.Again(client.WithInbox(), client.WithStatus(func(s client.Status, _ error) {
		if s == client.Online {
			reconnected <- struct{}{}
		}
	}))
	client.OnEvent(d.Client, notification.NotificationCreated, func(e rooms.Event, n notification.Arrived) { d.knows(e.Seq, n.Unread) })
	client.OnEvent(d.Client, notification.NotificationRead, func(e rooms.Event, m notification.Marked) { d.knows(e.Seq, m.Unread) })
	d.Online()
	e2e.Await(p.World.T, "a device online", reconnected)
	d.catchesUp()
	return d
}

// Whatever arrives and is read where, in any order, three devices and the
// server show the same count.
func TestUnreadIsTheSameOnEveryDevice(t *testing.T) {
	t.Parallel()
	e2e.Must(t, flag.Set("rapid.checks", prove.Size(t, "sequences of notifications on three devices", "5", "200")))
	e2e.Must(t, flag.Set("rapid.steps", "15"))
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "headache")
	wang.Accepts(id)
	bo.Online()
	devices := []*device{newDevice(bo), newDevice(bo), newDevice(bo)}
	e2e.Eventually(t, "the first notification", func() bool { return len(bo.Inbox()) > 0 })
	last := rooms.Seq(0)
	rapid.Check(t, func(rt *rapid.T) {
		one := func() *device { return rapid.SampledFrom(devices).Draw(rt, "device") }
		rt.Repeat(map[string]func(*rapid.T){
			"arrives": func(*rapid.T) { last = wang.Says(id, "hello").Seq },
			"some are read on a device": func(rt *rapid.T) {
				var ids []notification.ID
				for _, n := range rapid.SliceOfN(rapid.SampledFrom(bo.Inbox()), 1, 5).Draw(rt, "read") {
					ids = append(ids, n.ID)
				}
				d := one()
				m := e2e.Call(d.Person, notification.Read, notification.MarkReadInput{IDs: ids})
				d.knows(m.Seq, m.Unread)
			},
			"all up to one are read on a device": func(rt *rapid.T) {
				n := rapid.SampledFrom(bo.Inbox()).Draw(rt, "up to")
				e2e.Call(one().Person, notification.Read, notification.MarkReadInput{UpToID: n.ID})
			},
			"the conversation is read": func(*rapid.T) {
				if last > 0 {
					e2e.Do(bo, chat.MarkRead, chat.ReceiptInput{ConsultationID: id, UpToSeq: last})
				}
			},
			"a device starts anew": func(rt *rapid.T) {
				i := rapid.IntRange(0, len(devices)-1).Draw(rt, "which")
				ctx, cancel := context.WithTimeout(context.Background(), e2e.Patience)
				defer cancel()
				e2e.Must(t, devices[i].Close(ctx))
				devices[i] = newDevice(bo)
			},
		})
		// A message marks where everything before it has been followed.
		wang.Says(id, "the end")
		said := len(wang.Log(id))
		e2e.Eventually(t, "the last notification", func() bool {
			page := e2e.Do(bo, notification.List, notification.InboxInput{Limit: 1})
			if len(page.Items) == 0 || page.Items[0].Topic != notification.MessageCame {
				return false
			}
			for _, d := range devices {
				if seq, unread := d.shows(); seq != page.LastSeq || unread != page.Unread {
					return false
				}
			}
			unread := 0
			for _, n := range bo.Inbox() {
				if n.ReadAt == nil {
					unread++
				}
			}
			return said > 0 && unread == page.Unread
		})
	})
}

// A real process is killed 20 times while 1,000 events are fanned out to ten
// patients: each has each notification once, and mails came twice at most once
// for each death.
func TestNotificationsSurviveAKill(t *testing.T) {
	t.Parallel()
	const patients, rounds, each = 10, 20, 5 // 5 events for each of 10 in each of 20 rounds
	post := mailtest.Start(t)
	w := e2e.NewWorld(t, t.TempDir())
	p := &e2e.Process{T: t, Dir: w.Dir, Addr: e2e.FreeAddress(t), Database: w.Database,
		Env: []string{"WENZHEN_MAIL_SERVER=" + post.URL(), "WENZHEN_MAIL_FROM=no-reply@clinic.example", "WENZHEN_MAIL_DELAY=0s", "WENZHEN_MAIL_TIMEOUT=5s"}}
	p.Launch()
	t.Cleanup(func() { p.Kill() })
	w.Base = "http://" + p.Addr
	w.EnterAdmin()
	wang := w.Doctor("wang")
	var all [patients]*e2e.Person
	var ids [patients]consultation.ID
	for i := range all {
		all[i] = verifies(w.Patient("bo"), post)
		ids[i] = all[i].Consults(wang, "headache")
		wang.Accepts(ids[i])
	}
	for range rounds {
		var group sync.WaitGroup
		for i := range all {
			group.Go(func() {
				for range each - 1 {
					insist(t, func(ctx context.Context) error {
						_, err := client.Do(ctx, wang.Client, chat.Send, e2e.TextOf(ids[i], "hello"))
						return err
					})
				}
				insist(t, func(ctx context.Context) error { return toggle(ctx, wang, ids[i]) })
			})
		}
		group.Wait()
		time.Sleep(rand.N(100 * time.Millisecond)) // not luck: the moment of death
		p.Kill()
		p.Launch()
	}
	mailed := map[string]bool{}
	events, told := 0, 0
	for i, bo := range all {
		want := expectedTopics(t, bo, bo.Log(ids[i]))
		events += len(want)
		e2e.Eventually(t, "notifications read the log", func() bool { return len(bo.Inbox()) >= len(want) })
		got := bo.Inbox()
		told += len(got)
		topics := map[notification.Topic]int{}
		seqs := map[rooms.Seq]bool{}
		for _, n := range got {
			topics[n.Topic]++
			seqs[n.Seq] = true
			if n.Kind != notification.Messages { // of messages one is mailed until they are read
				mailed["<"+string(n.ID)+"@clinic.example>"] = true
			}
		}
		for _, topic := range want {
			topics[topic]--
		}
		for topic, n := range topics {
			if n != 0 {
				t.Errorf("patient %d: %+d of %s", i, n, topic)
			}
		}
		if page := e2e.Do(bo, notification.List, notification.InboxInput{}); len(seqs) != len(want) || page.Unread != len(want) {
			t.Errorf("patient %d: %d seqs, %d unread, want %d", i, len(seqs), page.Unread, len(want))
		}
	}
	// times is how often each mail came to a patient.
	count := func() (times map[string]int, again int) {
		times = map[string]int{}
		for _, bo := range all {
			for _, m := range notificationMails(post, bo) {
				if times[m.ID()]++; times[m.ID()] > 1 {
					again++
				}
			}
		}
		return times, again
	}
	e2e.InTime(t, 4*e2e.Patience, "every mail", func() bool {
		times, _ := count()
		for id := range mailed {
			if times[id] == 0 {
				return false
			}
		}
		return len(times) >= len(mailed)+patients
	})
	times, twice := count()
	if twice > rounds || len(times) != len(mailed)+patients {
		t.Errorf("%d mails came again over %d deaths; %d different ones, want %d", twice, rounds, len(times), len(mailed)+patients)
	}
	t.Logf("%d events, %d notifications, %d mails and %d of them again, over %d deaths", events, told, len(times), twice, rounds)
	if events < rounds*each*patients {
		t.Errorf("%d events are too few", events)
	}
}

// toggle holds a consultation, or resumes it. Sent again it may do both.
func toggle(ctx context.Context, doctor *e2e.Person, id consultation.ID) error {
	_, err := client.Do(ctx, doctor.Client, consultation.Hold, consultation.ReasonInput{ConsultationID: id})
	if rooms.CodeOf(err) == rooms.CodeConflict {
		_, err = client.Do(ctx, doctor.Client, consultation.Resume, consultation.Input{ConsultationID: id})
	}
	return err
}

// insist asks until it is answered.
func insist(t *testing.T, ask func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*e2e.Patience)
	defer cancel()
	for {
		err := ask(ctx)
		var e *rooms.Error
		if err == nil {
			return
		}
		if !errors.As(err, &e) || !e.Retryable || ctx.Err() != nil {
			t.Errorf("insisted without a result: %v", err)
			return
		}
	}
}

// expectedTopics returns the topics of the notifications that the patient must get
// for a consultation's log.
func expectedTopics(t *testing.T, patient *e2e.Person, log []rooms.Event) []notification.Topic {
	t.Helper()
	var list []notification.Topic
	before := consultation.Status("")
	for _, e := range log {
		switch e.Name {
		case chat.MessageCreated.Name:
			list = append(list, notification.MessageCame)
		case consultation.ConsultationUpdated.Name:
			var c consultation.Consultation
			e2e.Must(t, json.Unmarshal(e.Data, &c))
			switch {
			case c.Status == consultation.OnHold && before == consultation.Active:
				list = append(list, notification.ConsultationOnHold)
			case c.Status == consultation.Active && before == consultation.OnHold:
				list = append(list, notification.ConsultationResumed)
			case c.Status == consultation.Active && before == consultation.Waiting:
				list = append(list, notification.ConsultationAccepted)
			}
			before = c.Status
		}
	}
	return list
}
