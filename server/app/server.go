// Package app is one node of Wenzhen: it reads the configuration, makes storage,
// services and transports in this order, and starts and stops them. It is the
// only package that knows both the store and the transports.
package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/blob"
	"wenzhen.example/server/cluster"
	"wenzhen.example/server/database"
	"wenzhen.example/server/datafolder"
	"wenzhen.example/server/httpserver"
	"wenzhen.example/server/identity"
	"wenzhen.example/server/mail"
	"wenzhen.example/server/metrics"
	"wenzhen.example/server/process"
	"wenzhen.example/server/push"
	"wenzhen.example/server/realtime"
	"wenzhen.example/server/services"
	"wenzhen.example/server/tracing"
	"wenzhen.example/server/turn"
)

// Server is one node of Wenzhen.
type Server struct {
	cfg Config
	log *slog.Logger

	folder        *process.FileLock // locked; nil with PostgreSQL
	hub           *rooms.Hub
	db            *engine.DB
	blobs         *blob.Folder
	mail          *mail.Sender // nil where no mail is sent
	push          *push.Sender
	logins        []identity.Config // what the file of providers had at the start
	providers     *identity.Providers
	services      *services.Services
	catalogue     *rooms.Catalogue
	timers        map[string]rooms.TimerFunc
	auditKey      []byte // signs the end of the audit log
	ends          *ends  // of the audit log; nil until it is signed
	reads         *reads
	dashboard     *operations.Service
	realtime      *realtime.Server
	node          *cluster.Node // nil without Redis
	turn          *turn.Server
	http          *http.Server
	idle          *httpserver.IdleConns
	listener      net.Listener
	metrics       *metrics.Metrics
	tracing       *tracing.Traces         // nil where nothing is traced
	private       *httpserver.AuxListener // nil where no metrics are served
	httpsRedirect *httpserver.AuxListener // sends browsers on to HTTPS
	issuer        *httpserver.Issuer      // nil where certificates are files, or there are none

	secrets  datafolder.Secrets
	keys     serverKeys
	sealKeys []ed25519.PublicKey // that documents have been sealed with
	enrolled engine.Node         // this server; without an id until it has joined

	public     Public
	clock      func() time.Time
	hashing    account.Hashing
	pictureFor time.Duration
	draining   atomic.Bool
	drained    time.Time // when a shutdown is to be over
	noticed    func(context.Context)
	linger     time.Duration // of closed connections; 0 is the default
	stopHub    context.CancelFunc
	hubDone    chan struct{}
}

// timersEvery is how often due timers are looked for.
const timersEvery = time.Second

// answerTimeout is how long a request may take until its answer is read; what
// takes longer by nature (files, exports, polls) says so itself.
const answerTimeout = 2 * time.Minute

// Option changes what a server has from its surroundings.
type Option func(*Server)

// WithClock makes a server go by another clock than the system's: UTC, in
// microseconds. It may jump, as that of a machine may.
func WithClock(now func() time.Time) Option { return func(s *Server) { s.clock = now } }

// WithHashing makes passwords cheaper to hash than they have to be: for tests,
// which have many people.
func WithHashing(cost account.Hashing) Option { return func(s *Server) { s.hashing = cost } }

// WithPictureTime replaces the time that decoding one picture may take; 0 is no
// limit: for tests, whose machines may be busy.
func WithPictureTime(d time.Duration) Option { return func(s *Server) { s.pictureFor = d } }

// New opens the data folder, migrates the database and listens on the address;
// requests are answered once Run is called. Close, if Run is never called.
func New(ctx context.Context, cfg Config, log *slog.Logger, opts ...Option) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withoutSlashes()
	if err := datafolder.Open(cfg.Data, cfg.Database == database.SQLite); err != nil {
		return nil, err
	}
	datafolder.WarnIfOpen(cfg.Data, log)
	var folder *process.FileLock
	if cfg.Database == database.SQLite {
		var err error
		if folder, err = datafolder.Lock(cfg.Data); err != nil {
			return nil, err
		}
	}
	s := &Server{cfg: cfg, log: log, folder: folder, clock: database.Now, pictureFor: pictureFor, hubDone: make(chan struct{})}
	s.noticed = s.noticing
	for _, opt := range opts {
		opt(s)
	}
	if err := s.openNode(); err != nil {
		if folder != nil {
			err = errors.Join(err, folder.Close())
		}
		return nil, err
	}
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

// Run serves requests until ctx ends and then drains: it asks the clients of its
// sockets one after the other to connect elsewhere, stops accepting connections,
// and lets running requests finish, all within DrainTimeout. It returns nil after
// a clean shutdown.
func (s *Server) Run(ctx context.Context) error {
	if err := s.turn.Serve(s.permitsRelay); err != nil {
		return errors.Join(err, s.Close())
	}
	stop := start(s.tasks())
	var err error
	served := make(chan struct{})
	go func() {
		defer close(served)
		err = s.serve()
	}()
	select {
	case <-served:
	case <-ctx.Done():
		err = s.drain(served)
	}
	return errors.Join(err, stop(), s.Close())
}

// serve answers, over TLS if there is a certificate, until the listener ends.
func (s *Server) serve() error {
	if s.http.TLSConfig != nil {
		return s.http.ServeTLS(s.listener, "", "")
	}
	return s.http.Serve(s.listener)
}

// Close writes what waits to be written and closes the files. It is for a
// server that does not run (any more).
func (s *Server) Close() error { return closeAll(s.closings()) }
