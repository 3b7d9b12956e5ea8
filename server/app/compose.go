package app

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/rooms/store"
	accountstore "wenzhen.example/rooms/store/account"
	auditstore "wenzhen.example/rooms/store/audit"
	billingstore "wenzhen.example/rooms/store/billing"
	boardstore "wenzhen.example/rooms/store/board"
	callstore "wenzhen.example/rooms/store/call"
	chatstore "wenzhen.example/rooms/store/chat"
	consultationstore "wenzhen.example/rooms/store/consultation"
	lobbystore "wenzhen.example/rooms/store/lobby"
	notificationstore "wenzhen.example/rooms/store/notification"
	recordstore "wenzhen.example/rooms/store/record"
	schedulestore "wenzhen.example/rooms/store/schedule"
	"wenzhen.example/server"
	"wenzhen.example/server/database"
	"wenzhen.example/server/document"
	"wenzhen.example/server/export"
	"wenzhen.example/server/fhir"
	"wenzhen.example/server/httpserver"
	"wenzhen.example/server/limits"
	"wenzhen.example/server/metrics"
	"wenzhen.example/server/push"
	"wenzhen.example/server/realtime"
	"wenzhen.example/server/realtime/edge"
	"wenzhen.example/server/rest"
	"wenzhen.example/server/services"
	"wenzhen.example/server/spec"
	"wenzhen.example/static"
)

// parts are what only the composition needs.
type parts struct {
	presence *rooms.Presence
	limits   *limits.Limits
	leases   *rooms.Leases
	from     httpserver.Proxies // whose word on addresses is believed
}

// compose makes the parts and introduces them to each other, from the inside
// out: what is remembered, what is known, how it is asked. What was made when a
// step fails is for Close.
func (s *Server) compose(ctx context.Context) error {
	var p parts
	for _, step := range []func(context.Context, *parts) error{s.listen, s.openTraces, s.openData, s.openKeys, s.openServices, s.openCatalogue, s.openRealtime, s.plant, s.openHTTP} {
		if err := step(ctx, &p); err != nil {
			return err
		}
	}
	return s.encrypt()
}

// listen opens the addresses, at which nobody answers yet. It comes first: it
// tells the port.
func (s *Server) listen(ctx context.Context, p *parts) (err error) {
	if s.listener, err = httpserver.Listen(ctx, s.cfg.Addr); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.metrics, s.idle = metrics.New(server.Version, s.clock), httpserver.NewIdleConns(s.cfg.WaitingConnections)
	if s.private, err = httpserver.ListenAux("metrics", s.cfg.MetricsAddr, s.metrics.Handler(), s.log); err != nil {
		return err
	}
	if s.issuer, err = s.openIssuer(); err != nil {
		return err
	}
	if s.httpsRedirect, err = httpserver.ListenAux("HTTP", s.cfg.HTTPAddr, s.issuer.Challenges(httpserver.RedirectToHTTPS(s.cfg.PublicURL, s.listener.Addr())), s.log); err != nil {
		return err
	}
	p.from, err = httpserver.ReadProxies(s.cfg.TrustedProxies)
	return err
}

// openData opens the database and the attachments.
func (s *Server) openData(ctx context.Context, _ *parts) (err error) {
	options := database.Options(s.cfg.Data, s.cfg.Database)
	if options.Master, err = database.MasterKey(s.cfg.EncryptionKey, s.cfg.EncryptionCommand); err != nil {
		return err
	}
	options.Synchronous, options.Hub, options.Now, options.Log = s.cfg.Synchronous, s.hub, s.clock, s.log
	options.Committed, options.Trace = s.metrics.Committed, s.tracing.Tracer()
	if s.db, err = store.Open(ctx, options, s.hangUp); err != nil {
		return err
	}
	s.blobs, err = database.Attachments(s.cfg.Data, s.db.Vault())
	return err
}

// hangUp takes a login that ends out of a call. No login ends before there are
// services.
func (s *Server) hangUp(tx call.Tx, id call.ID) error { return s.services.Calls.HangUp(tx, id) }

// openServices makes the features, with the outside parties that they need.
func (s *Server) openServices(ctx context.Context, p *parts) error {
	o, err := s.serviceOptions(p)
	if err != nil {
		return err
	}
	if s.services, err = services.New(o); err != nil {
		return err
	}
	// The timers of billing hand what is due to its workers, which trace it.
	s.timers = rooms.MergeTimers(s.tracedTimers(s.services.Timers()), s.services.Billing.Timers())
	return s.services.Accounts.Open(ctx)
}

// serviceOptions are those of the services, by the settings.
func (s *Server) serviceOptions(p *parts) (o services.Options, err error) {
	cfg, db := s.cfg, s.db
	mailer, err := s.openMail()
	if err != nil {
		return o, err
	}
	if s.push, err = push.New(push.Config{Key: string(s.keys.push), Subject: cmp.Or(cfg.PushContact, cfg.PublicURL, "https://localhost"), Allow: cfg.PushAllow}); err != nil {
		return o, err
	}
	if s.turn, err = relay(cfg, s.keys.turn, s.clock, s.log); err != nil {
		return o, err
	}
	s.reads = newReads(db, cfg.Data, s.clock, s.log)
	p.presence = s.newPresence()
	o = services.Options{Hub: s.hub, Presence: p.presence, Now: s.clock, Audit: audit.Options{Key: s.auditKey},
		Stores: services.Stores{Accounts: accountstore.Store{DB: db}, Audits: auditstore.Store{DB: db}, Consultations: consultationstore.Store{DB: db},
			Chats: chatstore.Store{DB: db}, Notifications: notificationstore.Store{DB: db}, Schedules: schedulestore.Store{DB: db}, Records: recordstore.Store{DB: db},
			Calls: callstore.Store{DB: db}, Boards: boardstore.Store{DB: db}, Billing: billingstore.Store{DB: db}, Lobby: lobbystore.Store{DB: db}},
		Calendars:    func(accounts schedule.Calendars) schedule.Calendars { return feeds{accounts, s.reads} },
		Consultation: s.consultationOptions(),
		Chat: chat.Options{Blobs: s.blobs, AttachmentBytes: cfg.AttachmentBytes, UserBytes: cfg.AttachmentQuota, KeepMessages: cfg.KeepMessages,
			VoiceLength: cfg.VoiceLength, VoiceBytes: cfg.VoiceBytes, SearchFor: searchFor, PictureFor: s.pictureFor},
		Notification: notification.Options{Push: s.push, Mail: mailer, MailDelay: cfg.MailDelay, SendTimeout: cfg.MailTimeout,
			Log: s.log, Trace: s.tracing.Tracer()},
		Record: record.Options{Policy: record.Policy(cfg.Policy), SealKey: s.keys.seal, PublicKeys: s.sealKeys},
		Call:   call.Options{Relay: s.turn, RingFor: cfg.CallRing, VanishAfter: cfg.CallVanish},
		Lobby:  lobby.Options{Mode: lobby.Mode(cfg.Lobby), Welcome: cfg.LobbyWelcome}}
	if o.Account, err = s.accountOptions(); err != nil {
		return o, err
	}
	o.Billing, o.Sandbox, err = s.payments()
	return o, err
}

// consultationOptions are those that settings decide.
func (s *Server) consultationOptions() consultation.Options {
	cfg := s.cfg
	return consultation.Options{Reads: s.reads.Note, RequireVerifiedEmail: s.mail != nil, InvitedMost: cfg.InvitedMost,
		EvidencePolicy: consultation.Evidence(cfg.FollowupEvidence), PayWithin: cfg.PayWithin,
		Terms: consultation.CancelTerms{Full: cfg.CancelFullBefore, Part: cfg.CancelPartBefore, Percent: cfg.CancelPartPercent},
		Caps: consultation.Caps{Unpaid: cfg.UnpaidHolds, UnpaidADay: cfg.UnpaidHoldsADay, Free: cfg.FreeOpen, FreeADay: cfg.FreeADay,
			Invitations: cfg.InvitationsADay, Invited: cfg.InvitedADay}}
}

// presenceChanged tells those in a room who is here now.
func (s *Server) presenceChanged(room rooms.RoomID, present rooms.Present) {
	switch {
	case room == lobby.Room:
		s.services.Lobby.Recount()
	case room.Kind() == "consultation":
		consultation.PresenceUpdated.SendHere(s.hub, room, consultation.PresenceChange{ConsultationID: consultation.ID(room.Subject()), Present: present})
	}
}

// The most time that one search in messages, and that decoding one picture may
// take.
const (
	searchFor  = 2 * time.Second
	pictureFor = 1500 * time.Millisecond
)

// openCatalogue puts all that can be asked behind the guards that everything passes.
func (s *Server) openCatalogue(_ context.Context, p *parts) error {
	s.dashboard = s.openDashboard()
	commands := slices.Concat(s.services.Commands(), s.dashboard.Commands())
	p.limits = limits.New(limits.Options{PerSecond: s.cfg.CommandRate, Burst: s.cfg.CommandBurst, Commands: commands, Now: s.clock})
	s.catalogue = rooms.NewCatalogue(rooms.CatalogueOptions{Guards: s.services.Guards(p.limits.Guard, s.cfg.SignConfirm),
		Trace: s.tracing.Tracer(), Answered: s.reads.command}, commands)
	return nil
}

// listeners are called with each event and signal, in this order.
func (s *Server) listeners(p *parts) []rooms.Listener {
	return []rooms.Listener{
		s.services.Notifications, // wakes what writes the inbox: it needs nothing of the others
		s.realtime,               // the sockets
		p.leases,                 // what is remembered of a session that ended is forgotten after its sockets were closed
		s.turn,                   // as are its relays
		s.services.Lobby,         // after the sockets: it greets those who were let in
		s.metrics,                // last: it measures when the sockets have received it
	}
}

// openRealtime makes the realtime server, and this server one node among others.
func (s *Server) openRealtime(_ context.Context, p *parts) error {
	cfg := s.cfg
	s.realtime = realtime.New(realtime.Config{
		Edge: edge.Config{PingInterval: cfg.PingInterval, PingTimeout: cfg.PingTimeout, MaxPayload: cfg.PacketBytes, MaxConnections: cfg.Connections,
			ConnectionsPerAddress: cfg.ConnectionsPerAddress, AcceptRate: cfg.acceptRate(), BodyTimeout: cfg.BodyTimeout, ClosePace: cfg.DrainPace, LingerTime: s.linger,
			MemoryLimit: cfg.MemoryLimit, Origins: cfg.origins(), Address: p.from.Client, Sources: sources, Log: s.log},
		CommandTimeout: cfg.CommandTimeout, SocketsPerUser: cfg.SocketsPerUser, Limit: p.limits.Guard, Log: s.log, Now: s.clock, Observe: s.observed("socket"), Trace: s.tracing.Tracer(),
	}, s.catalogue, s.services.Accounts, p.presence)
	p.leases = rooms.NewLeases()
	s.hub.Listen(s.listeners(p)...)
	s.join(p)
	s.observe()
	return nil
}

// plant plants what must be there before the first request: the demo's people,
// and the timers that come back by themselves.
func (s *Server) plant(ctx context.Context, p *parts) error {
	s.public = s.publicly()
	if !s.cfg.Demo {
		if err := noDemoAccounts(ctx, s.services.Accounts, accountstore.Store{DB: s.db}); err != nil {
			return err
		}
	} else {
		var err error
		if s.public.Demo, err = seed(ctx, demo{accounts: s.services.Accounts, store: accountstore.Store{DB: s.db}, catalogue: s.catalogue}); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	if err := s.services.Chats.PlantRetention(ctx); err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	if err := s.services.Billing.PlantNightly(ctx); err != nil {
		return fmt.Errorf("reconciliation: %w", err)
	}
	return nil
}

// openHTTP makes what answers HTTP, the realtime server in it.
func (s *Server) openHTTP(_ context.Context, p *parts) error {
	cfg := s.cfg
	printer, resources := document.New(static.Fonts, s.publicURL), fhir.New(s.catalogue, s.publicURL, s.clock)
	app, _ := static.App()
	handler, err := rest.New(rest.Deps{Catalogue: s.catalogue, Accounts: s.services.Accounts, Attachments: downloads{s.services.Chats, s.reads}, Payments: s.services.Billing, Realtime: s.realtime, LobbyWebSocket: s.realtime.LobbyWebSocket(),
		Printer: printer, FHIR: resources, Exporter: export.New(s.catalogue, s.services.Chats, resources, printer, s.clock), Leases: p.leases,
		App: app, Unbuilt: static.Unbuilt, Public: s.public, PublicURL: s.publicURL(),
		Documents: map[string][]byte{"openapi.json": spec.OpenAPI, "asyncapi.json": spec.AsyncAPI}, Ready: s.ready, Troubles: s.troubles,
		Origins: cfg.crossOrigins(), Address: p.from.Client,
		CommandTimeout: cfg.CommandTimeout, UploadTimeout: 5 * time.Minute, BodyTimeout: cfg.BodyTimeout, AttachmentBytes: cfg.AttachmentBytes, Log: s.log,
		Observe: s.observed("rest"), Requested: s.metrics.Request, Trace: s.tracing.Requests(), Now: s.clock})
	if err != nil {
		return err
	}
	s.http = &http.Server{ConnState: s.idle.ConnState, Handler: s.parting(s.withHSTS(handler)), ReadHeaderTimeout: 10 * time.Second, WriteTimeout: answerTimeout, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: httpserver.ErrorLog(s.log)}
	return nil
}
