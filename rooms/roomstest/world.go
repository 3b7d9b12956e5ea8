// Package roomstest makes small worlds in which features are tested through
// their front door: the real catalogue over a real database, with a clock that
// the test turns. The database is SQLite, or PostgreSQL when
// WENZHEN_TEST_DATABASE is "postgres"; it is encrypted when
// WENZHEN_TEST_ENCRYPTION is set. Its fixtures read as sentences:
//
//	w := roomstest.New(t)
//	bo, wang := w.Patient("bo"), w.Doctor("wang")
//	c := bo.Consults(wang, "I have a headache")
//	wang.Accepts(c)
//	bo.Says(c, "since Monday")
//
// or, where the beginning does not matter:
//
//	bo, wang, c := w.Talk()
package roomstest

import (
	"cmp"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/rooms/store"
	accountstore "wenzhen.example/rooms/store/account"
	auditstore "wenzhen.example/rooms/store/audit"
	billingstore "wenzhen.example/rooms/store/billing"
	boardstore "wenzhen.example/rooms/store/board"
	callstore "wenzhen.example/rooms/store/call"
	chatstore "wenzhen.example/rooms/store/chat"
	consultationstore "wenzhen.example/rooms/store/consultation"
	"wenzhen.example/rooms/store/engine"
	lobbystore "wenzhen.example/rooms/store/lobby"
	notificationstore "wenzhen.example/rooms/store/notification"
	recordstore "wenzhen.example/rooms/store/record"
	sandboxstore "wenzhen.example/rooms/store/sandbox"
	schedulestore "wenzhen.example/rooms/store/schedule"
	"wenzhen.example/rooms/vault"
	"wenzhen.example/server/blob"
	"wenzhen.example/server/payment/sandbox"
	"wenzhen.example/server/services"
	"wenzhen.example/server/turn"
)

// World is a whole Wenzhen without transports.
type World struct {
	T         testing.TB
	Catalogue *rooms.Catalogue
	Accounts  *account.Service
	Chats     *chat.Service
	Records   *record.Service
	DB        *engine.DB
	Presence  *rooms.Presence
	Hub       *rooms.Hub
	Received  *Recorder
	Billing   *billing.Service
	Sandbox   *sandbox.Gateway
	// FeeBasisPoints are those of the next start.
	FeeBasisPoints int
	// Log is billing's at the next start; nothing is kept of it unless it is set.
	Log *slog.Logger
	// CallBack, if set, takes the sandbox's callbacks instead of billing, until the
	// next start.
	CallBack sandbox.Receiver
	// Gateway, if set, wraps the sandbox at the next start.
	Gateway func(*sandbox.Gateway) billing.Gateway
	Outside *Outside
	// Post is the mail that was sent.
	Post Post
	// OpenID is the providers that one can log in with: none, unless New is
	// given some.
	OpenID account.OpenID
	// IdleLogOff is how long a doctor's session lives that nobody uses: without
	// a limit, unless a change of New sets one.
	IdleLogOff time.Duration
	// RefreshLife is how long a login lasts that is not refreshed: a year, unless
	// a change of New sets another, or a test before a restart.
	RefreshLife time.Duration
	// Quota is how many bytes the files of a user may have together; no limit
	// unless New is given one.
	Quota int64
	// LoginFailures per account within a quarter of an hour: 10, unless a change
	// of New sets another.
	LoginFailures int
	// AddressLimit is how many failed logins, and how many registrations, one
	// address may have: 100, unless a change of New sets another.
	AddressLimit int

	// Hashing of passwords: Cheap, unless a change of New sets another.
	Hashing account.Hashing
	// SecondFactor selects the users who must have one; nobody by default.
	// ConfirmRegistration makes an account exist only after the confirmation of its
	// address; false by default.
	SecondFactor        account.SecondFactor
	ConfirmRegistration bool
	// SignConfirm is how old a login or confirmation may be for a signature; 0 is
	// any age.
	SignConfirm time.Duration
	// Limit, if a change of New sets it, bounds how many commands are sent.
	Limit rooms.Guard

	consultations *consultation.Service
	notifications *notification.Service
	calls         *call.Service
	// Policy of records; it counts from the next restart on, as does Evidence.
	Policy   record.Policy
	Evidence consultation.Evidence
	// Uncapped lets everyone open as many consultations as a test needs.
	Uncapped bool
	// SealKey seals what is signed, from the next restart on.
	SealKey string

	// Trace, if set, is what New gives the database.
	Trace rooms.Tracer

	blobs   *blob.Folder
	dir     string
	options engine.Options // where the database is
	sqlite  bool           // even if the other tests run on PostgreSQL

	postgres bool // even if the other tests run on SQLite

	late        Stage // when the deadline of a command passes; "" for never
	interrupted map[string]int

	timers map[string]rooms.TimerFunc
	mu     sync.Mutex
	now    time.Time
}

// How long what was said and what was signed is kept.
const (
	KeepMessages = 3 * 365 * 24 * time.Hour
	KeepRecords  = 15 * 365 * 24 * time.Hour
)

// Cheap makes a password's hash take microseconds.
var Cheap = account.Hashing{Memory: 8, Passes: 1}

// Password is everyone's.
const Password = "correct horse battery"

// OnSQLite makes a world's database SQLite whatever the other tests run on.
func OnSQLite(w *World) { w.sqlite = true }

// OnPostgres makes a world's database PostgreSQL whatever the other tests run on.
func OnPostgres(w *World) { w.postgres = true }

// New makes an empty world at noon of 1 November 2026, UTC.
func New(t testing.TB, change ...func(*World)) *World {
	t.Helper()
	w := &World{T: t, Policy: record.PolicyChina, SealKey: "a seal of 32 characters for tests", now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC),
		Hub: rooms.NewHub(rooms.HubOptions{Depth: 1024}), Received: &Recorder{}, Outside: newOutside(),
		LoginFailures: 10, AddressLimit: 100, Hashing: Cheap, RefreshLife: 365 * 24 * time.Hour,
		dir: t.TempDir(), late: Stage(os.Getenv("WENZHEN_TEST_DEADLINES"))}
	for _, f := range change {
		f(w)
	}
	w.Hub.Listen(w.Received)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Hub.Run(ctx)
	}()
	w.options = engine.Options{Path: filepath.Join(w.dir, "test.db"), Synchronous: "OFF"}
	w.must(os.WriteFile(w.options.Path, migrated(), 0o600))
	if w.postgres || sidecar.FromEnvironment() && !w.sqlite {
		w.options = engine.Options{URL: sidecar.Postgres(t).Database(t, func(ctx context.Context, url string) error {
			return engine.Migrate(ctx, engine.Options{URL: url})
		})}
	}
	if Encrypted() {
		w.MasterKey("a master key of 32 characters for tests")
	}
	w.options.Trace = w.Trace
	w.options.Hub, w.options.Now, w.options.Log = w.Hub, w.Now, slog.New(slog.NewTextHandler(io.Discard, nil))
	w.open()
	if w.options.Master != nil { // from the beginning: nothing is there yet that is not encrypted
		key, err := w.DB.Wanting(ctx)
		w.must(err)
		w.must(w.DB.Covered(ctx, key))
	}
	t.Cleanup(func() {
		w.must(w.DB.Close())
		stop()
		<-done
		w.must(w.blobs.Close())
	})
	return w
}

// Encrypted reports whether the databases of all worlds are encrypted.
func Encrypted() bool { return os.Getenv("WENZHEN_TEST_ENCRYPTION") != "" }

// migrated is an empty SQLite database of today's schema. Making one takes much
// longer than most tests do, so that they share it.
var migrated = sync.OnceValue(func() []byte {
	dir, err := os.MkdirTemp("", "wenzhen-roomstest")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "test.db")
	if err := engine.Migrate(context.Background(), engine.Options{Path: path}); err != nil {
		panic(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return content
})

// Restarts closes the database and everything above it, lets d pass with
// nothing running, and starts again. Nothing is fired by that alone: Passes does.
func (w *World) Restarts(d time.Duration) {
	w.T.Helper()
	w.must(w.DB.Close())
	w.must(w.blobs.Close())
	w.mu.Lock()
	w.now = w.now.Add(d)
	w.mu.Unlock()
	w.open()
}

// MasterKey is that of encryption at rest from the next start on.
func (w *World) MasterKey(secret string) {
	w.T.Helper()
	master, err := vault.FromSecret(secret)
	w.must(err)
	w.options.Master = master
}

// open makes the parts over the world's folder.
func (w *World) open() {
	w.T.Helper()
	db, err := store.Open(context.Background(), w.options, w.hangUp)
	w.must(err)
	w.DB = db
	w.blobs, err = blob.Open(filepath.Join(w.dir, "attachments"), db.Vault())
	w.must(err)
	w.Presence = rooms.NewPresence(func(rooms.RoomID, rooms.Present) {}, nil)
	w.CallBack = nil
	w.Sandbox = sandbox.New(sandbox.Options{Ledger: lateLedger{sandboxstore.Store{DB: db}}, Key: []byte("a key of 32 characters for tests"),
		Now: w.Now, Receiver: w.callBack})
	var gateway billing.Gateway = w.Sandbox
	if w.Gateway != nil {
		gateway = w.Gateway(w.Sandbox)
	}
	relay, err := turn.New(turn.Config{Secret: []byte("a key of 32 characters for tests"), Life: time.Hour, External: []string{"turn:turn.example:3478"}})
	w.must(err)
	quiet, rules := slog.New(slog.DiscardHandler), consultation.Defaults()
	rules.RequireVerifiedEmail, rules.EvidencePolicy = true, w.Evidence
	if w.Uncapped {
		rules.Caps = consultation.Caps{}
	}
	made, err := services.New(services.Options{Hub: w.Hub, Presence: w.Presence, Now: w.Now,
		Stores: stores(db), Account: w.accountOptions(), Consultation: rules,
		Chat: chat.Options{Blobs: w.blobs, AttachmentBytes: 1 << 20, UserBytes: w.Quota, KeepMessages: KeepMessages,
			VoiceLength: time.Minute, VoiceBytes: 100_000},
		Notification: notification.Options{Push: w.Outside, Mail: mailbox{w.Outside}, MailDelay: MailDelay, SendTimeout: sendTimeout, Log: quiet},
		Record:       record.Options{Policy: w.Policy, SealKey: []byte(w.SealKey)},
		Call:         call.Options{Relay: relay, RingFor: 45 * time.Second, VanishAfter: 45 * time.Second},
		Billing:      billing.Options{Log: cmp.Or(w.Log, quiet), Gateways: []billing.Gateway{gateway}, FeeBasisPoints: w.FeeBasisPoints},
		Sandbox:      w.Sandbox,
		Lobby:        lobby.Options{Mode: lobby.Open, Welcome: "Welcome."}})
	w.must(err)
	w.must(made.Accounts.Open(context.Background()))
	w.Accounts, w.Chats, w.Records, w.Billing, w.notifications = made.Accounts, made.Chats, made.Records, made.Billing, made.Notifications
	w.calls, w.consultations = made.Calls, made.Consultations
	w.timers = rooms.MergeTimers(made.Timers(), made.Billing.Timers())
	w.Catalogue = rooms.NewCatalogue(rooms.CatalogueOptions{Guards: made.Guards(w.Limit, w.SignConfirm)}, made.Commands())
}

// hangUp takes a login that ends out of a call.
func (w *World) hangUp(tx call.Tx, id call.ID) error { return w.calls.HangUp(tx, id) }

// callBack takes the sandbox's callbacks.
func (w *World) callBack(ctx context.Context, gateway string, c billing.Callback) (string, []byte, error) {
	if w.CallBack != nil {
		return w.CallBack(ctx, gateway, c)
	}
	return w.Billing.Callback(ctx, gateway, c)
}

// stores are those of a database, in which a command's deadline may pass.
func stores(db *engine.DB) services.Stores {
	return services.Stores{Accounts: lateAccounts{accountstore.Store{DB: db}}, Audits: lateAudits{auditstore.Store{DB: db}},
		Consultations: lateConsultations{consultationstore.Store{DB: db}}, Chats: lateChats{chatstore.Store{DB: db}}, Notifications: lateNotifications{notificationstore.Store{DB: db}},
		Schedules: lateSchedules{schedulestore.Store{DB: db}},
		Records:   lateRecords{recordstore.Store{DB: db}}, Calls: lateCalls{callstore.Store{DB: db}}, Boards: lateBoards{boardstore.Store{DB: db}},
		Billing: lateBilling{billingstore.Store{DB: db}}, Lobby: lateLobby{lobbystore.Store{DB: db}}}
}

// Node makes the accounts of a node that shares the world's database and keys
// but has a hub of its own.
func (w *World) Node(hub *rooms.Hub) *account.Service {
	w.T.Helper()
	o := w.accountOptions()
	o.Store, o.Hub, o.Now = lateAccounts{accountstore.Store{DB: w.DB}}, hub, w.Now
	o.VerificationObserver = func() account.VerificationObserver { return w.consultations }
	accounts, err := account.New(o)
	w.must(err)
	w.must(accounts.Open(context.Background()))
	return accounts
}

func (w *World) accountOptions() account.Options {
	return account.Options{Hashing: w.Hashing, Key: []byte("a key of 32 characters for tests"),
		AccountKey: []byte("one more of 32 characters for it"),
		KeyLife:    30 * 24 * time.Hour, PublicURL: "https://clinic.example", OpenID: w.OpenID, Mail: &w.Post,
		AccessLife: 15 * time.Minute, RefreshLife: w.RefreshLife, IdleLogOff: w.IdleLogOff,
		SecondFactor: w.SecondFactor, SecondFactorGuesses: 30, MailsADay: 20, ConfirmRegistration: w.ConfirmRegistration,
		LoginFailures: w.LoginFailures, AddressFailures: w.AddressLimit, LoginWindow: 15 * time.Minute, Registrations: w.AddressLimit,
		KeepMessages: KeepMessages, KeepRecords: KeepRecords}
}

// Keys are the signing keys that the database knows.
func (w *World) Keys() ([]account.SigningKey, error) {
	return accountstore.Store{DB: w.DB}.SigningKeys(context.Background())
}

// HasFile reports whether the content of an attachment is on disk.
func (w *World) HasFile(sum string) bool {
	_, err := os.Stat(filepath.Join(w.dir, "attachments", blob.Path(sum)))
	return err == nil
}

// Files are all files of attachments on disk, whatever they are, with where they
// are in the folder.
func (w *World) Files() []string {
	w.T.Helper()
	var list []string
	w.must(fs.WalkDir(os.DirFS(filepath.Join(w.dir, "attachments")), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	}))
	return list
}

// Stores keeps a content on disk as an upload does that a crash ends before its
// row is written.
func (w *World) Stores(content string) (sum string) {
	w.T.Helper()
	in, err := w.blobs.Receive(context.Background(), strings.NewReader(content), 1<<20)
	w.must(err)
	w.must(in.Keep())
	w.must(in.Close())
	return in.SHA256()
}

// Sweeps removes files that nothing refers to as if all files on disk had been
// there for so long.
func (w *World) Sweeps(age time.Duration) {
	w.T.Helper()
	at := w.Now().Add(-age)
	for _, path := range w.Files() {
		w.must(os.Chtimes(filepath.Join(w.dir, "attachments", path), at, at))
	}
	_, err := w.blobs.Sweep(context.Background(), w.Now(), w.DB.FilesOf)
	w.must(err)
}

// Bytes is all that the database's files hold.
func (w *World) Bytes() string {
	w.T.Helper()
	var all []byte
	for _, name := range []string{"test.db", "test.db-wal"} {
		content, err := os.ReadFile(filepath.Join(w.dir, name))
		w.must(err)
		all = append(all, content...)
	}
	return string(all)
}

func (w *World) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// Now is the world's time.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Turns turns the clock by d; no timer fires yet.
func (w *World) Turns(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// Passes turns the clock by d and fires what has come due.
func (w *World) Passes(d time.Duration) {
	w.T.Helper()
	w.Turns(d)
	w.must(rooms.FireDue(context.Background(), w.DB, w.Now(), w.timers, slog.New(slog.NewTextHandler(w.T.Output(), nil))))
	w.Accounts.DrainLetters(context.Background())
	w.Billing.Drain(context.Background())
}
