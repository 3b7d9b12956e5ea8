package e2e

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	_ "github.com/jackc/pgx/v5/stdlib"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/server/app"
	"wenzhen.example/server/cli"
)

// Patience is how long a test waits for what must come. It only ends tests that
// hang, so it is far more than a machine needs that is busy with other work.
const Patience = 2 * time.Minute

// cheap makes a password's hash take microseconds.
var cheap = account.Hashing{Memory: 8, Passes: 1}

// Password is everyone's.
const Password = "correct horse battery"

// defaults are those of the command line.
func defaults(dir string) (app.Config, error) {
	var cfg app.Config
	parser, err := kong.New(&cfg)
	if err == nil {
		_, err = parser.Parse(nil)
	}
	cfg.Addr, cfg.Data, cfg.Synchronous = "127.0.0.1:0", dir, "normal"
	return cfg, err
}

// Settings are the defaults, with limits so high that tests do not reach them.
func Settings(dir string) (app.Config, error) {
	cfg, err := defaults(dir)
	cfg.Registrations, cfg.LoginAddressFailures = 100_000, 100_000
	cfg.CommandRate, cfg.CommandBurst = 1_000_000, 1_000_000
	cfg.Gateways = []string{"sandbox"}
	cfg.ConfirmRegistration = "off" // people of tests log in as they register
	return cfg, err
}

// World is a server with an admin, and who uses it.
type World struct {
	T    testing.TB
	Base string
	Dir  string
	// Database is the setting: "sqlite", or a PostgreSQL database of its own.
	Database string
	HTTP     *http.Client
	Admin    *Person

	Change []func(*app.Config)
	// Options are those of every client.
	Options []client.Option
	Log     *slog.Logger     // of the server; quiet when nil
	Now     func() time.Time // its clock; the system's when nil
	More    []app.Option
	Watched string // where the metrics are of a server in another process
	IP      net.IP // the address that talks are opened from; any when nil
	// Resends makes people send again what a busy server answered with unavailable,
	// as clients do: for worlds whose servers are to be disturbed.
	Resends bool
	Server  *app.Server
	Stop    func() error // shuts the server down and returns what Run returned
}

// Start runs a server in this process until the end of the test.
func Start(t testing.TB, change ...func(*app.Config)) *World {
	t.Helper()
	return StartOn(t, database(t), change...)
}

// StartOn is Start on a database. Several servers can share one of PostgreSQL.
func StartOn(t testing.TB, database string, change ...func(*app.Config)) *World {
	t.Helper()
	w := NewWorldOn(t, t.TempDir(), database)
	w.Change = change
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	return w
}

// OnSQLite is Start on SQLite even where other tests run on PostgreSQL: only
// SQLite has backups of the server's own, and a file to tamper with.
func OnSQLite(t *testing.T, change ...func(*app.Config)) *World {
	t.Helper()
	w := NewWorldOn(t, t.TempDir(), "sqlite")
	w.Change = change
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	return w
}

// Run starts a server on the world's data folder.
func (w *World) Run(addr string) {
	w.T.Helper()
	t := w.T
	cfg, err := Settings(w.Dir)
	Must(t, err)
	cfg.Addr, cfg.Database = addr, w.Database
	for _, f := range w.Change {
		f(&cfg)
	}
	log := cmp.Or(w.Log, Quiet)
	if os.Getenv("WENZHEN_E2E_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	opts := append([]app.Option{app.WithHashing(cheap), app.WithPictureTime(0)}, w.More...)
	if w.Now != nil {
		opts = append(opts, app.WithClock(w.Now))
	}
	s, err := app.New(context.Background(), cfg, log, opts...)
	Must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	w.Server = s
	w.Stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(Patience):
			return errors.New("the server did not shut down")
		}
	})
	t.Cleanup(func() { Must(t, w.Stop()) })
	w.Base = strings.Replace(s.URL(), "localhost", "127.0.0.1", 1)
}

// database is the setting of a test: SQLite, or an empty PostgreSQL database
// of its own when WENZHEN_TEST_DATABASE says so.
func database(t testing.TB) string {
	t.Helper()
	if !sidecar.FromEnvironment() {
		return "sqlite"
	}
	return PostgresDatabase(t)
}

// PostgresDatabase is an empty PostgreSQL database of a test's own.
func PostgresDatabase(t testing.TB) string {
	t.Helper()
	return sidecar.Postgres(t).Database(t, func(ctx context.Context, url string) error {
		return cli.Migrate(ctx, cli.Place{Data: t.TempDir(), Database: url})
	})
}

// NewWorld makes a data folder with an admin.
func NewWorld(t testing.TB, dir string) *World {
	t.Helper()
	return NewWorldOn(t, dir, database(t))
}

// NewWorldOn makes a data folder with an admin in a database.
func NewWorldOn(t testing.TB, dir, database string) *World {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	at := cli.Place{Data: dir, Database: database}
	if path := filepath.Join(dir, databaseFile); database == "sqlite" && !exists(path) {
		content, err := withAdmin()
		Must(t, err)
		Must(t, os.WriteFile(path, content, 0o600))
	} else {
		Must(t, createAdmin(t.Context(), at))
	}
	return &World{T: t, Dir: dir, Database: at.Database, HTTP: &http.Client{Transport: transport, Timeout: Patience}}
}

// databaseFile is the database's name in a data folder.
const databaseFile = "wenzhen.db"

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func createAdmin(ctx context.Context, at cli.Place) error {
	at.Hashing = cheap
	_, err := cli.CreateAdmin(ctx, at, "Admin", "admin@wenzhen.example", Password, Quiet)
	return err
}

// withAdmin is a SQLite database with an admin. Making one takes longer than
// many tests do, so that they share it.
var withAdmin = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "wenzhen-e2e")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := createAdmin(context.Background(), cli.Place{Data: dir, Database: "sqlite"}); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, databaseFile))
})

// EnterAdmin logs the admin in.
func (w *World) EnterAdmin() {
	w.T.Helper()
	w.Admin = &Person{Client: w.Client(), World: w}
	user, err := w.Admin.LogIn(w.T.Context(), account.LoginInput{Email: "admin@wenzhen.example", Password: Password})
	Must(w.T, err)
	w.Admin.User = user
}

// Beside opens the database of a server that runs.
func (w *World) Beside(t testing.TB) *sql.DB {
	t.Helper()
	driver, source := "sqlite", filepath.Join(w.Dir, "wenzhen.db")+"?_pragma=busy_timeout(10000)"
	if w.Database != "sqlite" {
		driver, source = "pgx", w.Database
	}
	db, err := sql.Open(driver, source)
	Must(t, err)
	t.Cleanup(func() { Must(t, db.Close()) })
	return db
}

// Client makes a client that reconnects quickly and is closed at the end.
func (w *World) Client(opts ...client.Option) *client.Client {
	w.T.Helper()
	c, err := client.New(w.Base, slices.Concat([]client.Option{client.WithHTTPClient(w.HTTP),
		client.WithBackoff(10*time.Millisecond, 200*time.Millisecond)}, w.Options, opts)...)
	Must(w.T, err)
	w.T.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			w.T.Errorf("close: %v", err)
		}
	})
	return c
}

// From is the world as it is seen from an address.
func (w *World) From(ip net.IP) *World {
	there := *w
	transport := &http.Transport{DialContext: DialerFrom(ip).DialContext}
	w.T.Cleanup(transport.CloseIdleConnections)
	there.HTTP = &http.Client{Transport: transport, Timeout: Patience}
	there.IP = ip
	return &there
}

// Person is a user with a device.
type Person struct {
	*client.Client
	World *World
	User  account.User
}

// settled does something until it succeeds, or fails with another error than
// unavailable; once, unless the world resends.
func settled[T any](w *World, do func() (T, error)) (T, error) {
	for end := time.Now().Add(Patience); ; time.Sleep(100 * time.Millisecond) {
		done, err := do()
		if e := new(rooms.Error); !w.Resends || !errors.As(err, &e) || e.Code != rooms.CodeUnavailable || time.Now().After(end) {
			return done, err
		}
		w.T.Logf("sent again after: %v", err)
	}
}

// Patient registers one; the socket is not connected yet.
func (w *World) Patient(name string, opts ...client.Option) *Person {
	w.T.Helper()
	return w.Register(rooms.RolePatient, name, opts...)
}

// Doctor registers one who is verified and offers free consultations by text and video.
func (w *World) Doctor(name string, opts ...client.Option) *Person {
	w.T.Helper()
	p := w.Register(rooms.RoleDoctor, name, opts...)
	offers := []account.DoctorService{{Service: account.Advice, Medium: account.Text, Currency: "CNY", Minutes: 15},
		{Service: account.Advice, Medium: account.Video, Currency: "CNY", Minutes: 15},
		{Service: account.Followup, Medium: account.Text, Currency: "CNY", Minutes: 15}}
	Do(p, account.UpdateDoctor, account.DoctorChange{Services: &offers, OnDuty: new(true)})
	Do(w.Admin, account.VerifyDoctor, account.VerifyDoctorInput{DoctorID: p.User.ID})
	return p
}

// Register makes somebody of a role, on a device.
func (w *World) Register(role rooms.Role, name string, opts ...client.Option) *Person {
	w.T.Helper()
	p := &Person{Client: w.Client(opts...), World: w}
	user, err := settled(w, func() (account.User, error) {
		return p.Register(w.T.Context(), account.RegisterInput{Role: role, Name: name, Email: name + "." + NewEmail(), Password: Password})
	})
	Must(w.T, err)
	p.User = user
	return p
}

// Again is the same person on another device.
func (p *Person) Again(opts ...client.Option) *Person {
	p.World.T.Helper()
	q := &Person{Client: p.World.Client(opts...), World: p.World, User: p.User}
	_, err := settled(p.World, func() (account.User, error) {
		return q.LogIn(p.World.T.Context(), account.LoginInput{Email: p.User.Email, Password: Password})
	})
	Must(p.World.T, err)
	return q
}

// Online connects the person's socket.
func (p *Person) Online() *Person {
	p.World.T.Helper()
	Must(p.World.T, p.Connect(p.World.T.Context()))
	return p
}

// Consults opens a consultation, which waits.
func (p *Person) Consults(doctor *Person, complaint string) consultation.ID {
	p.World.T.Helper()
	return p.opens(doctor, account.Text, complaint)
}

// ConsultsByVideo is Consults where the patient may call, too.
func (p *Person) ConsultsByVideo(doctor *Person, complaint string) consultation.ID {
	p.World.T.Helper()
	return p.opens(doctor, account.Video, complaint)
}

func (p *Person) opens(doctor *Person, medium account.Medium, complaint string) consultation.ID {
	p.World.T.Helper()
	opened := Do(p, consultation.Open, consultation.OpenInput{DoctorID: doctor.User.ID, Service: account.Advice, Medium: medium, Complaint: complaint})
	return opened.Consultation.ID
}

// Accepts admits a patient over REST.
func (p *Person) Accepts(id consultation.ID) {
	p.World.T.Helper()
	_, err := settled(p.World, func() (consultation.Consultation, error) {
		return client.Do(p.World.T.Context(), p.Client, consultation.Accept, consultation.Input{ConsultationID: id})
	})
	if e := new(rooms.Error); p.World.Resends && errors.As(err, &e) && e.Status == string(consultation.Active) {
		return // the answer to an earlier one was lost
	}
	Must(p.World.T, err)
}

// Says sends a text over REST.
func (p *Person) Says(id consultation.ID, text string) chat.Message {
	p.World.T.Helper()
	return Do(p, chat.Send, TextOf(id, text))
}

// TextOf is a message of a client that has not sent it yet.
func TextOf(id consultation.ID, text string) chat.SendInput {
	return chat.SendInput{ConsultationID: id, ClientID: rooms.NewID(time.Now()), Kind: chat.Text, Text: text}
}

// Joins subscribes to a consultation from its beginning.
func (p *Person) Joins(id consultation.ID) *client.Room {
	p.World.T.Helper()
	room, err := settled(p.World, func() (*client.Room, error) { return p.Join(p.World.T.Context(), id, 0) })
	Must(p.World.T, err)
	return room
}

// Do asks over REST, and must succeed.
func Do[In, Out any](p *Person, command rooms.Command[In, Out], in In) Out {
	p.World.T.Helper()
	out, err := settled(p.World, func() (Out, error) { return client.Do(p.World.T.Context(), p.Client, command, in) })
	if err != nil {
		p.World.T.Fatalf("%s: %v", command.Name, err)
	}
	return out
}

// Call asks over the socket, and must succeed.
func Call[In, Out any](p *Person, command rooms.Command[In, Out], in In) Out {
	p.World.T.Helper()
	out, err := client.Call(p.World.T.Context(), p.Client, command, in)
	if err != nil {
		p.World.T.Fatalf("%s: %v", command.Name, err)
	}
	return out
}

// Failing is Do for what may be refused: it returns the error.
func Failing[In, Out any](p *Person, command rooms.Command[In, Out], in In) error {
	_, err := client.Do(p.World.T.Context(), p.Client, command, in)
	return err
}

// Log is the whole log of a consultation.
func (p *Person) Log(id consultation.ID) []rooms.Event {
	p.World.T.Helper()
	var all []rooms.Event
	for {
		in := consultation.EventsInput{ConsultationID: id, Limit: 500}
		if len(all) > 0 {
			in.After = all[len(all)-1].Seq
		}
		page := Do(p, consultation.Events, in)
		all = append(all, page.Items...)
		if !page.HasMore {
			return all
		}
	}
}

// Read reads the events of a room up to a sequence number.
func Read(t testing.TB, room *client.Room, upTo rooms.Seq) []rooms.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	var all []rooms.Event
	for len(all) == 0 || all[len(all)-1].Seq < upTo {
		e, err := room.Next(ctx)
		if err != nil {
			t.Fatalf("after %d of %d events: %v", len(all), upTo, err)
		}
		all = append(all, e)
	}
	return all
}

// Await waits for something from a channel.
func Await[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(Patience):
		t.Fatalf("no result: %s", what)
		panic("unreachable")
	}
}

// NoneFailed ends a test of which a part failed in another goroutine: what that
// part was to make is missing.
func NoneFailed(t testing.TB) {
	t.Helper()
	if t.Failed() {
		t.FailNow()
	}
}

// Eventually waits until a condition holds.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	InTime(t, Patience, what, holds)
}

// InTime waits so long until a condition holds.
func InTime(t testing.TB, long time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(long); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no result: %s", what)
		}
	}
}

// Code fails unless err has the code.
func Code(t testing.TB, err error, want rooms.Code) {
	t.Helper()
	if got := rooms.CodeOf(err); got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// NewEmail is an address that nobody has.
func NewEmail() string { return rooms.NewID(time.Now()) + "@wenzhen.example" }
