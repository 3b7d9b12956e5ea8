package e2e_test

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/roomstest/sidecar"
	"wenzhen/server"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// password is everyone's.
const password = "correct horse battery"

// defaults are those of the command line.
func defaults(dir string) (server.Config, error) {
	var cfg server.Config
	parser, err := kong.New(&cfg)
	if err == nil {
		_, err = parser.Parse(nil)
	}
	cfg.Addr, cfg.Data, cfg.Synchronous = "127.0.0.1:0", dir, "normal"
	return cfg, err
}

// settings are the defaults with limits that are out of a test's way.
func settings(dir string) (server.Config, error) {
	cfg, err := defaults(dir)
	cfg.Registrations, cfg.LoginAddressFailures = 100_000, 100_000
	cfg.CommandRate, cfg.CommandBurst = 1_000_000, 1_000_000
	cfg.Gateways = []string{"sandbox"}
	cfg.ConfirmRegistration = "off" // people of tests log in as they register
	return cfg, err
}

// world is a server with an admin, and who uses it.
type world struct {
	t    testing.TB
	base string
	dir  string
	// database is the setting: "sqlite", or a PostgreSQL database of its own.
	database string
	http     *http.Client
	admin    *person

	change []func(*server.Config)
	// options are those of every client.
	options []client.Option
	log     *slog.Logger     // of the server; quiet when nil
	now     func() time.Time // its clock; the system's when nil
	more    []server.Option
	watched string // where the metrics are of a server in another process
	ip      net.IP // the address that talks are opened from; any when nil
	server  *server.Server
	stop    func() error // shuts the server down and returns what Run returned
}

// start runs a server in this process until the end of the test.
func start(t testing.TB, change ...func(*server.Config)) *world {
	t.Helper()
	return startOn(t, database(t), change...)
}

// startOn is start on a database. Several servers can share one of PostgreSQL.
func startOn(t testing.TB, database string, change ...func(*server.Config)) *world {
	t.Helper()
	w := newWorldOn(t, t.TempDir(), database)
	w.change = change
	w.run("127.0.0.1:0")
	w.enterAdmin()
	return w
}

// run starts a server on the world's data folder.
func (w *world) run(addr string) {
	w.t.Helper()
	t := w.t
	cfg, err := settings(w.dir)
	must(t, err)
	cfg.Addr, cfg.Database = addr, w.database
	for _, f := range w.change {
		f(&cfg)
	}
	log := cmp.Or(w.log, quiet)
	if os.Getenv("WENZHEN_E2E_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	opts := slices.Clone(w.more)
	if w.now != nil {
		opts = append(opts, server.WithClock(w.now))
	}
	s, err := server.New(context.Background(), cfg, log, opts...)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	w.server = s
	w.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("the server did not shut down")
		}
	})
	t.Cleanup(func() { must(t, w.stop()) })
	w.base = strings.Replace(s.URL(), "localhost", "127.0.0.1", 1)
}

// database is the setting of a test: SQLite, or an empty PostgreSQL database
// of its own when WENZHEN_TEST_DATABASE says so.
func database(t testing.TB) string {
	t.Helper()
	if !sidecar.FromEnvironment() {
		return "sqlite"
	}
	return postgresDatabase(t)
}

func postgresDatabase(t testing.TB) string {
	t.Helper()
	return sidecar.Postgres(t).Database(t, func(ctx context.Context, url string) error {
		return server.Migrate(ctx, server.Place{Data: t.TempDir(), Database: url})
	})
}

// newWorld makes a data folder with an admin.
func newWorld(t testing.TB, dir string) *world {
	t.Helper()
	return newWorldOn(t, dir, database(t))
}

// newWorldOn makes a data folder with an admin in a database.
func newWorldOn(t testing.TB, dir, database string) *world {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	at := server.Place{Data: dir, Database: database}
	_, err := server.CreateAdmin(t.Context(), at, "Admin", "admin@wenzhen.example", password, quiet)
	must(t, err)
	return &world{t: t, dir: dir, database: at.Database, http: &http.Client{Transport: transport, Timeout: patience}}
}

func (w *world) enterAdmin() {
	w.t.Helper()
	w.admin = &person{Client: w.client(), w: w}
	user, err := w.admin.LogIn(w.t.Context(), account.LoginInput{Email: "admin@wenzhen.example", Password: password})
	must(w.t, err)
	w.admin.user = user
}

// client makes a client that reconnects quickly and is closed at the end.
func (w *world) client(opts ...client.Option) *client.Client {
	w.t.Helper()
	c, err := client.New(w.base, slices.Concat([]client.Option{client.WithHTTPClient(w.http),
		client.WithBackoff(10*time.Millisecond, 200*time.Millisecond)}, w.options, opts)...)
	must(w.t, err)
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			w.t.Errorf("close: %v", err)
		}
	})
	return c
}

// person is a user with a device.
type person struct {
	*client.Client
	w    *world
	user account.User
}

// patient registers one; the socket is not connected yet.
func (w *world) patient(name string, opts ...client.Option) *person {
	w.t.Helper()
	return w.register(rooms.RolePatient, name, opts...)
}

// doctor registers one who is verified and offers free text consultations.
func (w *world) doctor(name string, opts ...client.Option) *person {
	w.t.Helper()
	p := w.register(rooms.RoleDoctor, name, opts...)
	offers := []account.DoctorService{{Service: account.Advice, Medium: account.Text, Currency: "CNY", Minutes: 15},
		{Service: account.Followup, Medium: account.Text, Currency: "CNY", Minutes: 15}}
	do(p, account.UpdateDoctor, account.DoctorChange{Services: &offers, OnDuty: new(true)})
	do(w.admin, account.VerifyDoctor, account.VerifyDoctorInput{DoctorID: p.user.ID})
	return p
}

func (w *world) register(role rooms.Role, name string, opts ...client.Option) *person {
	w.t.Helper()
	p := &person{Client: w.client(opts...), w: w}
	user, err := p.Register(w.t.Context(), account.RegisterInput{Role: role, Name: name, Email: name + "." + newEmail(), Password: password})
	must(w.t, err)
	p.user = user
	return p
}

// again is the same person on another device.
func (p *person) again(opts ...client.Option) *person {
	p.w.t.Helper()
	q := &person{Client: p.w.client(opts...), w: p.w, user: p.user}
	_, err := q.LogIn(p.w.t.Context(), account.LoginInput{Email: p.user.Email, Password: password})
	must(p.w.t, err)
	return q
}

// online connects the person's socket.
func (p *person) online() *person {
	p.w.t.Helper()
	must(p.w.t, p.Connect(p.w.t.Context()))
	return p
}

// consults opens a consultation, which waits.
func (p *person) consults(doctor *person, complaint string) consultation.ID {
	p.w.t.Helper()
	opened := do(p, consultation.Open, consultation.OpenInput{DoctorID: doctor.user.ID, Service: account.Advice, Medium: account.Text, Complaint: complaint})
	return opened.Consultation.ID
}

// accepts admits a patient over REST.
func (p *person) accepts(id consultation.ID) {
	p.w.t.Helper()
	do(p, consultation.Accept, consultation.Input{ConsultationID: id})
}

// says sends a text over REST.
func (p *person) says(id consultation.ID, text string) chat.Message {
	p.w.t.Helper()
	return do(p, chat.Send, textOf(id, text))
}

func textOf(id consultation.ID, text string) chat.SendInput {
	return chat.SendInput{ConsultationID: id, ClientID: rooms.NewID(time.Now()), Kind: chat.Text, Text: text}
}

// joins hears a consultation from its beginning.
func (p *person) joins(id consultation.ID) *client.Room {
	p.w.t.Helper()
	room, err := p.Join(p.w.t.Context(), id, 0)
	must(p.w.t, err)
	return room
}

// do asks over REST, and must succeed.
func do[In, Out any](p *person, command rooms.Command[In, Out], in In) Out {
	p.w.t.Helper()
	out, err := client.Do(p.w.t.Context(), p.Client, command, in)
	if err != nil {
		p.w.t.Fatalf("%s: %v", command.Name, err)
	}
	return out
}

// call asks over the socket, and must succeed.
func call[In, Out any](p *person, command rooms.Command[In, Out], in In) Out {
	p.w.t.Helper()
	out, err := client.Call(p.w.t.Context(), p.Client, command, in)
	if err != nil {
		p.w.t.Fatalf("%s: %v", command.Name, err)
	}
	return out
}

// log is the whole log of a consultation.
func (p *person) log(id consultation.ID) []rooms.Entry {
	p.w.t.Helper()
	var all []rooms.Entry
	for {
		in := consultation.EventsInput{ConsultationID: id, Limit: 500}
		if len(all) > 0 {
			in.After = all[len(all)-1].Seq
		}
		page := do(p, consultation.Events, in)
		all = append(all, page.Items...)
		if !page.HasMore {
			return all
		}
	}
}

// read reads so many events of a room.
func read(t testing.TB, room *client.Room, upTo rooms.Seq) []rooms.Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all []rooms.Entry
	for len(all) == 0 || all[len(all)-1].Seq < upTo {
		e, err := room.Next(ctx)
		if err != nil {
			t.Fatalf("after %d of %d events: %v", len(all), upTo, err)
		}
		all = append(all, e)
	}
	return all
}

// await waits for something from a channel.
func await[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("in vain: %s", what)
		panic("unreachable")
	}
}

// noneFailed ends a test of which a part failed in another goroutine: what that
// part was to make is missing.
func noneFailed(t testing.TB) {
	t.Helper()
	if t.Failed() {
		t.FailNow()
	}
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	inTime(t, patience, what, holds)
}

// inTime waits so long until a condition holds.
func inTime(t testing.TB, long time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(long); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// code fails unless err has the code.
func code(t testing.TB, err error, want rooms.Code) {
	t.Helper()
	if got := rooms.CodeOf(err); got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newEmail() string { return rooms.NewID(time.Now()) + "@wenzhen.example" }
