// Package server is Wenzhen running: it reads the configuration, puts the
// parts together, and starts and stops them in the right order. It is the only
// package that knows both the store and the transports.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/billing"
	"wenzhen/rooms/board"
	"wenzhen/rooms/call"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/lobby"
	"wenzhen/rooms/notification"
	"wenzhen/rooms/operations"
	"wenzhen/rooms/record"
	"wenzhen/rooms/schedule"
	"wenzhen/rooms/store"
	"wenzhen/server/blob"
	"wenzhen/server/cluster"
	"wenzhen/server/document"
	"wenzhen/server/export"
	"wenzhen/server/fhir"
	"wenzhen/server/identity"
	"wenzhen/server/mail"
	"wenzhen/server/metrics"
	"wenzhen/server/push"
	"wenzhen/server/realtime"
	"wenzhen/server/realtime/edge"
	"wenzhen/server/rest"
	"wenzhen/server/spec"
	"wenzhen/server/turn"
	"wenzhen/static"
)

// Server is one node of Wenzhen.
type Server struct {
	cfg Config
	log *slog.Logger

	hub       *rooms.Hub
	db        *store.DB
	blobs     *blob.Folder
	mail      *mail.Sender // nil where no mail is sent
	push      *push.Sender
	inboxes   *notification.Service
	providers *identity.Providers
	accounts  *account.Service
	catalogue *rooms.Catalogue
	timers    map[string]rooms.Fire
	bills     *billing.Service
	lobby     *lobby.Service
	desk      *operations.Service
	realtime  *realtime.Server
	node      *cluster.Node // nil without Redis
	turn      *turn.Server
	calls     *call.Service
	http      *http.Server
	fresh     *fresh
	listener  net.Listener
	metrics   *metrics.Metrics
	private   *side   // nil where no metrics are served
	plain     *side   // sends browsers on to HTTPS
	issuer    *issuer // nil where certificates are files, or there are none

	public   Public
	draining atomic.Bool
	stopHub  context.CancelFunc
	hubDone  chan struct{}
}

// Version is set by the linker (make build).
var Version = "dev"

// clock is the time that everything is dated with: UTC, in microseconds, as it
// is stored.
func clock() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// New opens the data folder, migrates the database and listens on the address;
// requests are answered once Run is called. Close, if Run is never called.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	s := &Server{cfg: cfg, log: log, hub: rooms.NewHub(256), hubDone: make(chan struct{})}
	hubCtx, stopHub := context.WithCancel(context.Background())
	s.stopHub = stopHub
	go func() {
		defer close(s.hubDone)
		s.hub.Run(hubCtx)
	}()
	if err := s.compose(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// compose makes the parts and introduces them to each other.
func (s *Server) compose(ctx context.Context) error {
	cfg, log := s.cfg, s.log
	var err error
	if s.listener, err = net.Listen("tcp", cfg.Addr); err != nil { // first: it tells the port
		return fmt.Errorf("listen: %w", err)
	}
	s.metrics = metrics.New(Version, clock)
	if s.private, err = listenBeside("metrics", cfg.MetricsAddr, s.metrics.Handler(), log); err != nil {
		return err
	}
	if s.issuer, err = newIssuer(cfg, clock, log); err != nil {
		return err
	}
	if s.plain, err = listenBeside("HTTP", cfg.HTTPAddr, s.issuer.beside(http.HandlerFunc(s.onward)), log); err != nil {
		return err
	}
	from, err := readProxies(cfg.TrustedProxies)
	if err != nil {
		return err
	}
	options := database(cfg.Data, cfg.Database)
	if options.Master, err = masterKey(cfg.EncryptionKey, cfg.EncryptionCommand); err != nil {
		return err
	}
	options.Synchronous, options.Hub, options.Now, options.Log = cfg.Synchronous, s.hub, clock, log
	options.Committed = s.metrics.Committed
	if s.db, err = store.Open(ctx, options); err != nil {
		return err
	}
	if s.blobs, err = blob.Open(filepath.Join(cfg.Data, attachmentsFolder), s.db.Vault()); err != nil {
		return err
	}
	mailer, err := s.openMail()
	if err != nil {
		return err
	}
	pushKey, err := secret(cfg.PushKey, cfg.Data, "push.key")
	if err != nil {
		return err
	}
	if s.push, err = push.New(push.Config{Key: string(pushKey), Subject: cmp.Or(cfg.PushContact, cfg.PublicURL, "https://localhost"), Allow: cfg.PushAllow}); err != nil {
		return err
	}
	accounts, err := s.openAccounts(ctx)
	if err != nil {
		return err
	}
	s.accounts = accounts
	presence := rooms.NewPresence(func(room rooms.RoomID, p rooms.Present) {
		switch {
		case room == lobby.Room:
			s.lobby.Recount()
		case room.Kind() == "consultation":
			consultation.PresenceUpdated.SendHere(s.hub, room, consultation.PresenceChange{ConsultationID: consultation.ID(room.Subject()), Present: p})
		}
	})
	consultations := consultation.New(store.Consultations{DB: s.db}, s.hub, presence, clock)
	if s.mail != nil {
		consultations.VerifiedOnly()
	}
	consultations.Asks(consultation.Evidence(cfg.FollowupEvidence))
	chats := chat.New(chat.Config{AttachmentBytes: cfg.AttachmentBytes, UserBytes: cfg.AttachmentQuota, KeepMessages: cfg.KeepMessages, VoiceLength: cfg.VoiceLength, VoiceBytes: cfg.VoiceBytes}, store.Chats{DB: s.db}, s.blobs, s.hub, clock)
	s.inboxes = notification.New(notification.Config{Push: s.push, Mail: mailer, MailDelay: cfg.MailDelay, SendTimeout: cfg.MailTimeout, Log: log},
		store.Notifications{DB: s.db}, presence, clock)
	s.hub.Listen(s.inboxes)
	schedules := schedule.New(store.Schedules{DB: s.db}, consultations, clock)
	sealKey, err := secret(cfg.SealKey, cfg.Data, "seal.key")
	if err != nil {
		return err
	}
	records := record.New(record.Config{Policy: record.Policy(cfg.Policy), SealKey: sealKey}, store.Records{DB: s.db}, chats, consultations, clock)
	if s.turn, err = relay(cfg, log); err != nil {
		return err
	}
	s.calls = call.New(call.Config{RingFor: cfg.CallRing, VanishAfter: cfg.CallVanish}, store.Calls{DB: s.db}, consultations, chats, s.turn, s.hub, clock)
	boards := board.New(store.Boards{DB: s.db}, s.hub, clock)
	bills, play, err := s.payments(consultations)
	if err != nil {
		return err
	}
	s.bills = bills
	limits := newLimits(cfg.CommandRate, cfg.CommandBurst, clock)
	s.timers = rooms.MergeTimers(accounts.Timers(), chats.Timers(), consultations.Timers(), schedules.Timers(), s.calls.Timers(), bills.Timers(), play.Timers())
	s.lobby = lobby.New(lobby.Config{Mode: lobby.Mode(cfg.Lobby), Welcome: cfg.LobbyWelcome}, store.Lobby{DB: s.db}, presence, s.hub, clock)
	s.desk = s.openDesk()
	s.catalogue = rooms.NewCatalogue(
		[]rooms.Guard{limits.guard, accounts.Alive},
		accounts.Commands(), consultations.Commands(), chats.Commands(), schedules.Commands(), s.calls.Commands(), boards.Commands(),
		bills.Commands(), play.Commands(), s.inboxes.Commands(),
		records.Commands(), audit.New(store.Audits{DB: s.db}).Commands(), s.lobby.Commands(), s.desk.Commands())

	s.realtime = realtime.New(realtime.Config{
		Edge: edge.Config{PingInterval: cfg.PingInterval, PingTimeout: cfg.PingTimeout, MaxPayload: cfg.PacketBytes, MaxConnections: cfg.Connections, ConnectionsPerAddress: cfg.ConnectionsPerAddress, AcceptRate: cfg.acceptRate(), ClosePace: cfg.DrainPace,
			MemoryLimit: cfg.MemoryLimit, Origins: cfg.origins(), Address: from.client, Log: log},
		CommandTimeout: cfg.CommandTimeout, SocketsPerUser: cfg.SocketsPerUser, Log: log, Now: clock, Observe: s.observed("socket"),
	}, s.catalogue, accounts, presence)
	s.hub.Listen(s.realtime)
	s.hub.Listen(s.lobby) // after the sockets: it tells those who were let in
	if err := s.join(presence, limits); err != nil {
		return err
	}
	s.hub.Listen(s.metrics) // after the sockets: it measures when they were told
	s.observe()

	s.public = Public{Version: Version, Mail: s.mail != nil, Providers: accounts.Providers(), IdleMinutes: cfg.IdleLogOff.Minutes(), Cancellation: PublicTerms{cfg.CancelFullBefore.Minutes(), cfg.CancelPartBefore.Minutes(), cfg.CancelPartPercent}, PushKey: s.push.PublicKey(), Realtime: cfg.realtime(), Gateways: bills.GatewayNames(), Limits: PublicLimits{TextCharacters: chat.TextLimit, AttachmentBytes: cfg.AttachmentBytes, VoiceSeconds: int(cfg.VoiceLength.Seconds()), VoiceBytes: cfg.VoiceBytes}}
	if cfg.Demo {
		if s.public.Demo, err = seed(ctx, demo{accounts: accounts, catalogue: s.catalogue}); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	if err := chats.PlantRetention(ctx); err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	if err := bills.PlantNightly(ctx); err != nil {
		return fmt.Errorf("reconciliation: %w", err)
	}
	printer, resources := document.New(static.Font(), s.publicURL), fhir.New(s.catalogue, s.publicURL, clock)
	app, _ := static.App()
	handler, err := rest.New(rest.Deps{Catalogue: s.catalogue, Accounts: accounts, Attachments: chats, Payments: bills, Realtime: s.realtime, Chat: s.realtime.Chat(),
		Printer: printer, FHIR: resources, Exporter: export.New(s.catalogue, chats, resources, printer, clock),
		App: app, Unbuilt: static.Unbuilt, Public: s.public, PublicURL: s.publicURL(),
		Documents: map[string][]byte{"openapi.json": spec.OpenAPI, "asyncapi.json": spec.AsyncAPI}, Ready: s.ready, Troubles: s.troubles, Origins: cfg.crossOrigins(), TrustedProxies: cfg.TrustedProxies,
		CommandTimeout: cfg.CommandTimeout, UploadTimeout: 5 * time.Minute, AttachmentBytes: cfg.AttachmentBytes, Log: log,
		Observe: s.observed("rest"), Requested: s.metrics.Request, Now: clock})
	if err != nil {
		return err
	}
	s.fresh = newFresh()
	s.http = &http.Server{ConnState: s.fresh.changed, Handler: s.strict(handler), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: transportLog(log)}
	return s.encrypt()
}

// Public is what GET /api/v1/config tells anyone.
type Public struct {
	Version string       `json:"version"`
	Limits  PublicLimits `json:"limits"`
	// Realtime is how connections are kept.
	Realtime PublicRealtime `json:"realtime"`
	// PushKey is what browsers subscribe to pushes with (applicationServerKey).
	PushKey string `json:"pushKey"`
	// Mail tells whether this server sends mail at all.
	Mail bool `json:"mail"`
	// Gateways are the ways to pay, in the order in which they are offered.
	Gateways []string `json:"gateways"`
	// Providers are the OpenID providers that one can log in with.
	Providers []account.IdentityProvider `json:"providers"`
	// IdleMinutes is after how long a doctor's or admin's browser that nobody
	// touches is to log off; 0 is never.
	IdleMinutes float64 `json:"idleMinutes"`
	// Cancellation is what patients who cancel get back.
	Cancellation PublicTerms   `json:"cancellation"`
	Demo         []DemoAccount `json:"demo,omitempty"`
}

// PublicLimits are the limits that a frontend should know.
type PublicLimits struct {
	TextCharacters  int   `json:"textCharacters"`
	AttachmentBytes int64 `json:"attachmentBytes"`
	VoiceSeconds    int   `json:"voiceSeconds"`
	VoiceBytes      int64 `json:"voiceBytes"`
}

// PublicTerms are what goes back to a patient who cancels an appointment: the
// whole price until FullMinutes before its start, PartPercent of it until
// PartMinutes before it, nothing later.
type PublicTerms struct {
	FullMinutes float64 `json:"fullMinutes"`
	PartMinutes float64 `json:"partMinutes"`
	PartPercent int     `json:"partPercent"`
}

// PublicRealtime is how connections are kept, in milliseconds.
type PublicRealtime struct {
	// PingIntervalMs and PingTimeoutMs are the heartbeat; Engine.IO's handshake
	// says them too.
	PingIntervalMs int64 `json:"pingIntervalMs"`
	PingTimeoutMs  int64 `json:"pingTimeoutMs"`
	// ReconnectDelayMs is the pause before the first try to come back, which
	// doubles up to ReconnectDelayMaxMs.
	ReconnectDelayMs    int64 `json:"reconnectDelayMs"`
	ReconnectDelayMaxMs int64 `json:"reconnectDelayMaxMs"`
}

func (c Config) realtime() PublicRealtime {
	return PublicRealtime{c.PingInterval.Milliseconds(), c.PingTimeout.Milliseconds(), c.ReconnectDelay.Milliseconds(), c.ReconnectDelayMax.Milliseconds()}
}

// URL is where the server can be reached from this machine.
func (s *Server) URL() string {
	host, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return s.listener.Addr().String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() || ip.IsLoopback() {
		host = "localhost"
	}
	return s.scheme() + "://" + net.JoinHostPort(host, port)
}

// publicURL is where browsers reach the server: the root of links in mails and
// of addresses that others send browsers back to.
func (s *Server) publicURL() string {
	if s.cfg.PublicURL != "" {
		return s.cfg.PublicURL
	}
	return s.URL()
}

// Demo is the logins that the demo shows; none unless it was asked for.
func (s *Server) Demo() []DemoAccount { return s.public.Demo }

// Catalogue is all that this server can be asked.
func (s *Server) Catalogue() *rooms.Catalogue { return s.catalogue }

func (s *Server) ready(ctx context.Context) error {
	if s.draining.Load() {
		return errors.New("draining")
	}
	return s.db.Ready(ctx)
}

// Run answers requests until ctx ends, then drains: no new connections, running
// requests finish, sockets are told to connect elsewhere, one after the other;
// all within DrainTimeout. It returns nil after a clean shutdown.
func (s *Server) Run(ctx context.Context) error {
	work, stopWork := context.WithCancel(context.Background())
	defer stopWork()
	if err := s.turn.Serve(s.calls.Permits); err != nil {
		return errors.Join(err, s.Close())
	}
	var tasks sync.WaitGroup
	tasks.Go(func() { s.private.serve(s.log) })
	tasks.Go(func() { s.plain.serve(s.log) })
	tasks.Go(func() { rooms.RunTimers(work, s.db, clock, time.Second, s.timers, s.log) })
	tasks.Go(func() { s.bills.Run(work) })
	tasks.Go(func() { s.realtime.Watch(work) })
	tasks.Go(func() { trim(work, s.realtime.Connections) })
	tasks.Go(func() { s.inboxes.Run(work) })
	tasks.Go(func() { watchAccounts(work, s.accounts, s.log) })
	tasks.Go(func() { s.lobby.Run(work) })
	tasks.Go(func() { s.desk.Run(work) })
	tasks.Go(func() { encryptAnew(work, s.db, s.blobs, s.log) })
	served := make(chan error, 1)
	go func() { served <- s.serve() }()

	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		err = s.drain()
		<-served
	}
	stopWork()
	err = errors.Join(err, s.private.close(), s.plain.close())
	tasks.Wait()
	return errors.Join(err, s.Close())
}

// serve answers, over TLS if there is a certificate, until the listener ends.
func (s *Server) serve() error {
	if s.http.TLSConfig != nil {
		return s.http.ServeTLS(s.listener, "", "")
	}
	return s.http.Serve(s.listener)
}

func (s *Server) drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.DrainTimeout)
	defer cancel()
	s.draining.Store(true)
	s.realtime.Drain()
	s.fresh.close()
	// Sockets first: a long poll is a running request that only they end.
	err := s.realtime.Close(ctx)
	if down := s.http.Shutdown(ctx); down != nil {
		err = errors.Join(err, down, s.http.Close())
	}
	return err
}

// Close writes what waits to be written and closes the files. It is for a
// server that does not run (any more).
func (s *Server) Close() error {
	var errs []error
	if s.listener != nil {
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, s.private.close(), s.plain.close())
	if s.realtime != nil && !s.draining.Load() {
		ctx, cancel := context.WithTimeout(context.Background(), s.cfg.DrainTimeout)
		errs = append(errs, s.realtime.Close(ctx))
		cancel()
	}
	if s.turn != nil {
		errs = append(errs, s.turn.Close())
	}
	if s.node != nil {
		errs = append(errs, s.node.Close())
	}
	if s.providers != nil {
		s.providers.Close()
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	s.stopHub() // after the last commit, so that it is still announced
	<-s.hubDone
	if s.push != nil {
		s.push.Close()
	}
	if s.blobs != nil {
		errs = append(errs, s.blobs.Close())
	}
	return errors.Join(errs...)
}
