package access_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/board"
	calls "wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/app"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// scene is a consultation that goes on, with a call in it, and someone who has
// access to all of it and is about to lose it.
type scene struct {
	*e2e.World
	bo, wang *e2e.Person
	id       consultation.ID
	call     calls.ID
	booked   bool            // an appointment, in which nobody calls yet
	big      chat.Attachment // of which a reader is not sent the end until it reads

	// Where time passes: the server's clock, and its database.
	clock *e2e.Clock
	rows  *sql.DB
}

// bigger than what lies between a server and a client that does not read.
const bigger = 24 << 20

func newScene(w *e2e.World) *scene {
	w.T.Helper()
	s := &scene{World: w, bo: w.Patient("bo").Online(), wang: w.Doctor("wang").Online()}
	s.id = s.bo.Consults(s.wang, "headache")
	s.wang.Accepts(s.id)
	return s.filled()
}

// filled says something, and uploads something.
func (s *scene) filled() *scene {
	for range 3 {
		s.bo.Says(s.id, "before")
	}
	s.big = s.bo.Uploads(s.id, "big.txt", bytes.Repeat([]byte("0123456789abcde\n"), bigger/16))
	return s
}

// losing is someone with everything open.
type losing struct {
	*scene
	p        *e2e.Person
	at       *e2e.Bare // is subscribed to the room, and has the board open
	page     chat.MessagePage
	download *http.Response
	upload   *uploading
	export   *http.Response // nil where what is exported is not affected
}

// uploading is an upload that has begun.
type uploading struct {
	part     io.Writer
	end      func()
	answered chan int // the status; 0 if the connection broke
}

func (s *scene) beginsUpload(t *testing.T, token string, there *e2e.World) *uploading {
	t.Helper()
	body, pipe := io.Pipe()
	form := multipart.NewWriter(pipe)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, there.Base+"/api/v1/consultations/"+string(s.id)+"/attachments", body)
	e2e.Must(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", form.FormDataContentType())
	u := &uploading{answered: make(chan int, 1), end: func() {
		_ = form.Close()
		_ = pipe.Close()
	}}
	go func() {
		resp, err := there.HTTP.Do(req)
		if err != nil {
			u.answered <- 0
			return
		}
		_ = resp.Body.Close()
		u.answered <- resp.StatusCode
	}()
	u.part, err = form.CreateFormFile("file", "slow.txt")
	e2e.Must(t, err)
	_, err = u.part.Write(bytes.Repeat([]byte("the first half\n"), 10_000))
	e2e.Must(t, err)
	return u
}

// opens opens everything that there is, on a node.
func (s *scene) opens(t *testing.T, p *e2e.Person, there *e2e.World) *losing {
	t.Helper()
	l := &losing{scene: s, p: p, at: there.Bare(t)}
	token := p.Tokens().AccessToken
	if got := l.at.Connect(token); !strings.HasPrefix(got, e2e.Joined) {
		t.Fatalf("cannot connect: %s", got)
	}
	if s.call == "" && !s.booked {
		s.call = e2e.Call(s.wang, calls.Invite, calls.CallInvitation{ConsultationID: s.id, Medium: account.Video, To: []rooms.UserID{s.bo.User.ID}}).Call.ID
		e2e.Call(s.bo, calls.Accept, calls.CallAnswer{CallID: s.call})
	}
	type step struct {
		command string
		in      any
	}
	steps := []step{{consultation.Join.Name, consultation.JoinInput{ConsultationID: s.id}}, {board.Read.Name, board.BoardRef{ConsultationID: s.id}}}
	if !s.booked {
		steps = append(steps, step{calls.Accept.Name, calls.CallAnswer{CallID: s.call}}, step{calls.ReadServers.Name, calls.ServersInput{CallID: s.call}})
	}
	for i, step := range steps {
		if r := l.at.Ask(i+1, step.command, step.in); !r.OK {
			t.Fatalf("%s: %v", step.command, r.Error)
		}
	}
	l.page = e2e.Do(p, chat.History, chat.HistoryInput{ConsultationID: s.id, Limit: 2})
	if !l.page.HasMore {
		t.Fatal("there is no second page of the history")
	}
	l.download = slowly(there, t, "/api/v1/attachments/"+string(s.big.ID), token)
	l.upload = s.beginsUpload(t, token, there)
	return l
}

// slowly begins to download something over a connection that holds little.
func slowly(w *e2e.World, t *testing.T, path, token string) *http.Response {
	t.Helper()
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10) })
	}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Base+path, nil)
	e2e.Must(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := transport.RoundTrip(req)
	e2e.Must(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the download is answered %s", resp.Status)
	}
	_, err = io.ReadFull(resp.Body, make([]byte, 1000))
	e2e.Must(t, err)
	return resp
}

// lost checks that nothing of the room arrives any more, and that nothing goes
// on: mark is in what is said in the room afterwards.
func (l *losing) lost(t *testing.T, want rooms.Code, mark string, received []string) {
	t.Helper()
	for _, packet := range received {
		if strings.Contains(packet, mark) {
			t.Errorf("is still sent %s", packet)
		}
	}
	for what, from := range map[string]*http.Response{"download": l.download, "export": l.export} {
		if from == nil {
			continue
		}
		rest, err := io.Copy(io.Discard, from.Body)
		if err == nil || rest >= bigger-1000 {
			t.Errorf("the %s went on: %d bytes more, %v", what, rest, err)
		}
	}
	l.nothingUploaded(t)
	tries := map[string]error{
		"the next page": e2e.Failing(l.p, chat.History, chat.HistoryInput{ConsultationID: l.id, Limit: 2, Before: l.page.Items[0].Seq}),
		"the log":       e2e.Failing(l.p, consultation.Events, consultation.EventsInput{ConsultationID: l.id, After: l.page.Items[0].Seq}),
		"a message":     e2e.Failing(l.p, chat.Send, e2e.TextOf(l.id, "still here")),
	}
	if !l.booked {
		tries["the credential"] = e2e.Failing(l.p, calls.ReadServers, calls.ServersInput{CallID: l.call})
	}
	for what, err := range tries {
		if rooms.CodeOf(err) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := l.p.Upload(t.Context(), l.id, "late.txt", strings.NewReader("late"))
	e2e.Code(t, err, want)
}

// nothingUploaded ends the upload that had begun, of which nothing may be kept.
func (l *losing) nothingUploaded(t *testing.T) {
	t.Helper()
	_, _ = l.upload.part.Write([]byte("the second half")) // the connection may have ended
	l.upload.end()
	if status := e2e.Await(t, "the end of the upload", l.upload.answered); status/100 == 2 {
		t.Errorf("the upload is answered %d", status)
	}
	var n int
	e2e.Must(t, l.Beside(t).QueryRow(`SELECT count(*) FROM attachments WHERE uploader_id = $1 AND consultation_id = $2`, string(l.p.User.ID), string(l.id)).Scan(&n))
	if n > 0 {
		t.Errorf("%d files were kept", n)
	}
}

// outOfTheCall checks that the others' call goes on without whom it was lost to.
func (l *losing) outOfTheCall(t *testing.T) {
	t.Helper()
	if l.booked {
		return
	}
	for _, c := range e2e.Call(l.bo, calls.List, calls.CallFilter{}).Items {
		for _, m := range c.Members {
			if c.ID == l.call && m.UserID == l.p.User.ID {
				if m.Status != calls.MemberLeft {
					t.Errorf("in the call they are %s", m.Status)
				}
				return
			}
		}
	}
	t.Error("the call of the others is over")
}

// shows does what others see in the room: speaks, and draws.
func (s *scene) shows(mark string) {
	s.T.Helper()
	if s.booked { // nobody draws yet
		s.bo.Says(s.id, mark)
		return
	}
	e2e.Call(s.bo, board.Commit, board.CommitInput{ConsultationID: s.id, ID: board.StrokeID(mark), Tool: board.Pen, Colour: "#1d6b62", Width: 4, Points: []float64{1, 2, 0.5}})
	e2e.Call(s.bo, chat.Send, e2e.TextOf(s.id, mark))
}

// wayOut is a way in which access is lost: with the login, or to this
// consultation alone.
type wayOut struct {
	// before is what is done before everything is opened.
	before func(s *scene, p *e2e.Person)
	lose   func(s *scene, p *e2e.Person)
	alone  bool
	// booked is the doctor of an appointment, and colleague a second doctor who
	// was invited, or an interpreter, instead of a relative.
	booked, colleague, interpreter bool
	// beside is done by a process beside the server.
	beside bool
	// timed has a server of its own, with these settings, whose clock is turned.
	timed func(*app.Config)
}

var waysOut = map[string]wayOut{
	"logged out": {lose: func(_ *scene, p *e2e.Person) {
		e2e.Do(p, account.LogOut, account.RefreshInput{RefreshToken: p.Tokens().RefreshToken})
	}},
	"revoked": {lose: func(_ *scene, p *e2e.Person) {
		e2e.Do(p, account.RevokeSession, account.SessionInput{SessionID: e2e.Current(p)})
	}},
	"ended from elsewhere": {lose: func(_ *scene, p *e2e.Person) { e2e.Do(p.Again(), account.RevokeOthers, rooms.Nothing{}) }},
	"password changed elsewhere": {lose: func(_ *scene, p *e2e.Person) {
		e2e.Do(p.Again(), account.ChangePassword, account.PasswordInput{Password: "another " + e2e.Password})
	}},
	"suspended": {lose: func(s *scene, p *e2e.Person) {
		e2e.Do(s.Admin, account.SuspendUser, account.UserInput{UserID: p.User.ID})
	}},
	"suspended from the command line": {beside: true, lose: func(s *scene, p *e2e.Person) {
		s.administers(account.SuspendUser.Name, p)
	}},
	"sessions ended from the command line": {beside: true, before: secondFactor, lose: func(s *scene, p *e2e.Person) {
		s.administers(account.ResetSecondFactor.Name, p)
	}},
	"second factor reset": {before: secondFactor, lose: func(s *scene, p *e2e.Person) {
		e2e.Do(s.Admin, account.ResetSecondFactor, account.UserInput{UserID: p.User.ID})
	}},
	"a stolen refresh token": {lose: func(_ *scene, p *e2e.Person) {
		old := account.RefreshInput{RefreshToken: p.Tokens().RefreshToken}
		fresh := e2e.Do(p, account.Refresh, old)
		e2e.Do(p, account.Refresh, account.RefreshInput{RefreshToken: fresh.RefreshToken})
		e2e.Code(p.World.T, e2e.Failing(p, account.Refresh, old), rooms.CodeUnauthenticated)
	}},
	"expired": {timed: func(c *app.Config) { c.AccessLife, c.RefreshLife = 10*time.Minute, 10*time.Minute+time.Second },
		before: func(s *scene, _ *e2e.Person) { // the others' logins last longer
			s.clock.Add(5 * time.Minute)
			s.bo, s.wang = s.bo.Again().Online(), s.wang.Again().Online()
		},
		lose: func(s *scene, p *e2e.Person) {
			s.clock.Set(time.Until(s.session(p, "expires_at")) + time.Second)
			e2e.Eventually(s.T, "the timer ends the session", func() bool { return s.hasEnded(p) })
		}},
	"idle": {colleague: true, timed: func(c *app.Config) { c.IdleLogOff = 2 * time.Minute },
		lose: func(s *scene, p *e2e.Person) {
			e2e.Eventually(s.T, "the timer ends the session", func() bool {
				e2e.Do(s.wang, account.KeepSession, rooms.Nothing{})
				used := s.clock.Now()
				s.clock.Add(time.Minute)
				e2e.Eventually(s.T, "the use of the other doctor's login is written down", func() bool {
					return s.session(s.wang, "asked_at").After(used.Add(-time.Minute / 2))
				})
				return s.hasEnded(p)
			})
		}},
	"reassigned": {alone: true, booked: true, lose: func(s *scene, _ *e2e.Person) {
		items := e2e.Do(s.bo, schedule.Appointments, schedule.AppointmentFilter{}).Items
		e2e.Do(s.bo, schedule.AcceptOffer, schedule.AppointmentRef{AppointmentID: items[0].ID})
	}},
	"erased": {lose: func(_ *scene, p *e2e.Person) { e2e.Do(p, account.Erase, rooms.Nothing{}) }},
	"removed": {alone: true, lose: func(s *scene, p *e2e.Person) {
		e2e.Do(s.bo, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: s.id, UserID: p.User.ID})
	}},
	"interpreter removed": {alone: true, interpreter: true, lose: func(s *scene, p *e2e.Person) {
		e2e.Do(s.wang, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: s.id, UserID: p.User.ID})
	}},
	"badge withdrawn": {alone: true, colleague: true, lose: func(s *scene, p *e2e.Person) {
		e2e.Do(s.Admin, account.UnverifyDoctor, account.UnverifyDoctorInput{UserID: p.User.ID, Reason: "the licence has expired"})
	}},
	"badge withdrawn from the command line": {alone: true, colleague: true, beside: true, lose: func(s *scene, p *e2e.Person) {
		s.administers(account.UnverifyDoctor.Name, p)
	}},
	"badge fell by change of data": {alone: true, colleague: true, lose: func(_ *scene, p *e2e.Person) {
		e2e.Do(p, account.UpdateDoctor, account.DoctorChange{Title: new("professor")})
	}},
	"badge fell by change of name": {alone: true, colleague: true, lose: func(_ *scene, p *e2e.Person) {
		e2e.Do(p, account.UpdateMe, account.MeInput{Name: new("Li the Second")})
	}},
	"quit": {alone: true, lose: func(s *scene, p *e2e.Person) { e2e.Do(p, consultation.Quit, consultation.Input{ConsultationID: s.id}) }},
}

// secondFactor sets one up.
func secondFactor(s *scene, p *e2e.Person) {
	code, err := totp.GenerateCode(e2e.Do(p, account.BeginTOTP, rooms.Nothing{}).Secret, time.Now())
	e2e.Must(s.T, err)
	e2e.Do(p, account.ConfirmTOTP, account.TOTPInput{OTP: code})
}

// administers runs a command of the command line on an account.
func (s *scene) administers(command string, p *e2e.Person) {
	s.T.Helper()
	_, err := cli.AdministerUser(s.T.Context(), cli.Place{Data: s.Dir, Database: s.Database}, command, p.User.Email, "the licence has expired", e2e.Quiet)
	e2e.Must(s.T, err)
}

// session is a time that is stored of somebody's latest session.
func (s *scene) session(p *e2e.Person, column string) time.Time {
	s.T.Helper()
	var at int64
	err := s.rows.QueryRow(`SELECT `+column+` FROM sessions WHERE user_id = $1 ORDER BY id DESC LIMIT 1`, string(p.User.ID)).Scan(&at)
	e2e.Must(s.T, err)
	return time.UnixMicro(at)
}

// hasEnded reports whether somebody's latest session has ended.
func (s *scene) hasEnded(p *e2e.Person) bool { return s.session(p, "revoked_at").UnixMicro() > 0 }

// roomy lets a big file in and many people, and calls go on without the heartbeats
// of a browser.
func roomy(c *app.Config) { c.AttachmentBytes, c.InvitedMost, c.CallVanish = 2*bigger, 100, time.Hour }

// The time axis of the authorization table: whatever someone has open, once
// their access is lost nothing of it arrives and nothing of it goes on.
func TestLostAccessEndsWhatIsOpen(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, roomy)
	everyWayOut(t, newScene(w), w)
}

// So it is on another node, of which the others know only by the log.
func TestLostAccessEndsWhatIsOpenElsewhere(t *testing.T) {
	t.Parallel()
	list, wires := e2e.Nodes(t, 2, roomy)
	s := newScene(list[0])
	for _, wire := range wires {
		wire.Cut()
	}
	everyWayOut(t, s, list[1])
}

// timed is a scene on a server of its own whose clock can be turned, and that
// server; or, for elsewhere, another node of it.
func timed(t *testing.T, settings func(*app.Config), elsewhere bool) (*scene, *e2e.World) {
	t.Helper()
	var clock e2e.Clock
	w := e2e.NewWorld(t, t.TempDir())
	if elsewhere {
		w = e2e.NewWorldOn(t, t.TempDir(), e2e.PostgresDatabase(t))
	}
	w.Now, w.Change = clock.Now, []func(*app.Config){roomy, settings}
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	there := w
	if elsewhere {
		other := *w
		other.Run("127.0.0.1:0")
		there = &other
	}
	s := newScene(w)
	s.clock, s.rows = &clock, w.Beside(t)
	return s, there
}

// enters is who is about to lose access, in a scene for that.
func (way wayOut) enters(s *scene) (*scene, *e2e.Person) {
	s.T.Helper()
	if way.booked {
		b := hands(s.World, s.Patient("bo"), s.Doctor("wang"))
		s = (&scene{World: s.World, bo: b.bo, wang: b.wang, id: b.ConsultationID, booked: true}).filled()
		return s, b.wang
	}
	who, part := (*e2e.Person)(nil), consultation.PartRelative
	if way.colleague {
		who, part = s.Doctor("li"), consultation.PartColleague
	} else {
		who = s.Patient("aunt")
		if way.interpreter {
			part = consultation.PartInterpreter
		}
	}
	e2e.Do(s.bo, consultation.Invite, consultation.InviteInput{ConsultationID: s.id, UserID: who.User.ID, Role: part, History: true})
	return s, who
}

// invitedElsewhere is a consultation that a doctor is invited to who is verified
// again.
func (s *scene) invitedElsewhere(doctor *e2e.Person) consultation.ID {
	s.T.Helper()
	e2e.Do(s.Admin, account.VerifyDoctor, account.VerifyDoctorInput{DoctorID: doctor.User.ID})
	id := s.bo.Consults(s.wang, "another matter")
	s.wang.Accepts(id)
	e2e.Do(s.bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: doctor.User.ID, Role: consultation.PartColleague})
	return id
}

// exports begins to read the export of a patient's data, which has a big file.
func (l *losing) exports(t *testing.T, there *e2e.World) {
	t.Helper()
	own := l.p.Consults(l.wang, "my own matter")
	file := l.p.Uploads(own, "own.txt", bytes.Repeat([]byte("0123456789abcde\n"), bigger/16))
	e2e.Do(l.p, chat.Send, chat.SendInput{ConsultationID: own, ClientID: "own", Kind: chat.File, AttachmentID: file.ID})
	e2e.Do(l.p, consultation.Cancel, consultation.ReasonInput{ConsultationID: own, Reason: "no more"}) // it would keep the account
	l.export = slowly(there, t, "/api/v1/me/export", l.p.Tokens().AccessToken)
}

func everyWayOut(t *testing.T, s *scene, there *e2e.World) {
	for name, way := range waysOut {
		t.Run(name, func(t *testing.T) {
			s, there := s, there
			if way.timed != nil {
				s, there = timed(t, way.timed, there != s.World)
			}
			s, who := way.enters(s)
			if way.before != nil {
				way.before(s, who)
			}
			l := s.opens(t, who, there)
			if !way.alone && !way.colleague { // a doctor's export has no files of others
				l.exports(t, there)
			}
			way.lose(s, who)
			l.outOfTheCall(t)
			mark := e2e.Secret + rooms.NewID(time.Now())
			s.shows(mark)
			if way.beside && !way.alone {
				e2e.Eventually(t, "the server has read of it", func() bool {
					return rooms.CodeOf(e2e.Failing(who, account.Me, rooms.Nothing{})) == rooms.CodeUnauthenticated
				})
			}
			switch {
			case !way.alone:
				l.lost(t, rooms.CodeUnauthenticated, mark, all(l.at))
			case way.booked: // the connection lives, and is notified of other things
				l.lost(t, rooms.CodeNotFound, mark, receivedUntil(l.at, string(s.bo.Consults(s.wang, "another matter"))))
			case way.colleague:
				l.lost(t, rooms.CodeNotFound, mark, receivedUntil(l.at, string(s.invitedElsewhere(who))))
			default:
				l.lost(t, rooms.CodeNotFound, mark, receivedUntil(l.at, string(who.Consults(s.wang, "another matter"))))
			}
		})
	}
}

// all reads until the connection has ended, and returns what came.
func all(b *e2e.Bare) []string {
	b.T.Helper()
	var all []string
	for {
		packet, err := b.Read()
		if errors.Is(err, e2e.ErrSilence) {
			b.T.Fatal("the connection was not closed")
		}
		if err != nil {
			return all
		}
		all = append(all, packet)
	}
}
