package app

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/board"
	"wenzhen/rooms/call"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/lobby"
	"wenzhen/rooms/notification"
	"wenzhen/rooms/record"
	"wenzhen/rooms/schedule"
	"wenzhen/rooms/store"
	"wenzhen/server"
	"wenzhen/server/database"
	"wenzhen/server/datafolder"
	"wenzhen/server/document"
	"wenzhen/server/export"
	"wenzhen/server/fhir"
	"wenzhen/server/httpserver"
	"wenzhen/server/limits"
	"wenzhen/server/metrics"
	"wenzhen/server/payment/sandbox"
	"wenzhen/server/push"
	"wenzhen/server/realtime"
	"wenzhen/server/realtime/edge"
	"wenzhen/server/rest"
	"wenzhen/server/spec"
	"wenzhen/static"
)

// parts are what only the composing needs to know of: the services that the
// server does not run itself, and what they share.
type parts struct {
	presence      *rooms.Presence
	limits        *limits.Limits
	leases        *rooms.Leases
	from          httpserver.Proxies // whose word on addresses is believed
	consultations *consultation.Service
	chats         *chat.Service
	schedules     *schedule.Service
	records       *record.Service
	boards        *board.Service
	play          *sandbox.Gateway // nil where there is no play money
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
	if s.plain, err = httpserver.ListenAux("HTTP", s.cfg.HTTPAddr, s.issuer.Challenges(httpserver.RedirectToHTTPS(s.cfg.PublicURL, s.listener.Addr())), s.log); err != nil {
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
	if s.db, err = store.Open(ctx, options); err != nil {
		return err
	}
	s.blobs, err = database.Attachments(s.cfg.Data, s.db.Vault())
	return err
}

// openServices makes the features, with the outside parties that they need.
func (s *Server) openServices(ctx context.Context, p *parts) error {
	cfg := s.cfg
	mailer, err := s.openMail()
	if err != nil {
		return err
	}
	pushKey, err := s.secrets.Take(cfg.PushKey, datafolder.PushKeyFile)
	if err != nil {
		return err
	}
	if s.push, err = push.New(push.Config{Key: string(pushKey), Subject: cmp.Or(cfg.PushContact, cfg.PublicURL, "https://localhost"), Allow: cfg.PushAllow}); err != nil {
		return err
	}
	if s.accounts, err = s.openAccounts(ctx); err != nil {
		return err
	}
	s.audits = audit.New(store.Audits{DB: s.db}, s.auditKey, s.clock)
	s.reads = newReads(s.db, cfg.Data, s.clock, s.log)
	p.presence = rooms.NewPresence(s.presenceChanged)
	p.consultations = consultation.New(store.Consultations{DB: s.db}, s.hub, p.presence, s.clock)
	p.consultations.Reads(s.reads.Note)
	if s.mail != nil {
		p.consultations.VerifiedOnly()
	}
	p.consultations.Invites(cfg.InvitedMost)
	p.consultations.Asks(consultation.Evidence(cfg.FollowupEvidence))
	p.consultations.CapBy(consultation.Caps{Unpaid: cfg.UnpaidHolds, UnpaidADay: cfg.UnpaidHoldsADay, Free: cfg.FreeOpen, FreeADay: cfg.FreeADay,
		Invitations: cfg.InvitationsADay, Invited: cfg.InvitedADay})
	p.chats = chat.New(chat.Config{AttachmentBytes: cfg.AttachmentBytes, UserBytes: cfg.AttachmentQuota, KeepMessages: cfg.KeepMessages,
		VoiceLength: cfg.VoiceLength, VoiceBytes: cfg.VoiceBytes}, store.Chats{DB: s.db}, s.blobs, s.hub, s.clock)
	s.inboxes = notification.New(notification.Config{Push: s.push, Mail: mailer, MailDelay: cfg.MailDelay, SendTimeout: cfg.MailTimeout, Log: s.log, Trace: s.tracing.Tracer()},
		store.Notifications{DB: s.db}, p.presence, s.clock)
	s.hub.Listen(s.inboxes)
	p.schedules = schedule.New(store.Schedules{DB: s.db}, p.consultations, feeds{s.accounts, s.reads}, s.clock)
	s.accounts.Unwinds(p.schedules, p.consultations)
	p.records = record.New(record.Config{Policy: record.Policy(cfg.Policy), SealKey: s.keys.seal, PublicKeys: s.sealKeys}, store.Records{DB: s.db}, p.chats, p.consultations, s.clock)
	turnKey, err := s.secrets.Take(cfg.TurnSecret, datafolder.TurnKeyFile)
	if err != nil {
		return err
	}
	if s.turn, err = relay(cfg, turnKey, s.clock, s.log); err != nil {
		return err
	}
	s.calls = call.New(call.Config{RingFor: cfg.CallRing, VanishAfter: cfg.CallVanish}, store.Calls{DB: s.db}, p.consultations, p.chats, s.turn, s.hub, s.clock)
	store.Calls{DB: s.db}.HangsUp(s.calls.HangUp)
	p.boards = board.New(store.Boards{DB: s.db}, s.hub, s.clock)
	if s.bills, p.play, err = s.payments(p.consultations); err != nil {
		return err
	}
	s.lobby = lobby.New(lobby.Config{Mode: lobby.Mode(cfg.Lobby), Welcome: cfg.LobbyWelcome}, store.Lobby{DB: s.db}, p.presence, s.hub, s.clock)
	s.timers = rooms.MergeTimers(s.tracedTimers(s.accounts.Timers(), p.chats.Timers(), p.consultations.Timers(), p.schedules.Timers(), s.calls.Timers(), p.play.Timers()),
		s.bills.Timers()) // which hand what is due to workers, who trace it
	return nil
}

// presenceChanged tells those in a room who is here now.
func (s *Server) presenceChanged(room rooms.RoomID, present rooms.Present) {
	switch {
	case room == lobby.Room:
		s.lobby.Recount()
	case room.Kind() == "consultation":
		consultation.PresenceUpdated.SendHere(s.hub, room, consultation.PresenceChange{ConsultationID: consultation.ID(room.Subject()), Present: present})
	}
}

// signatures are the commands that count as one.
var signatures = []string{record.SignDiagnosis.Name, record.SignPrescription.Name, record.ApprovePrescription.Name, record.RejectPrescription.Name,
	record.VoidPrescription.Name, consultation.End.Name}

// openCatalogue puts all that can be asked behind the guards that everything passes.
func (s *Server) openCatalogue(_ context.Context, p *parts) error {
	p.limits = limits.New(s.cfg.CommandRate, s.cfg.CommandBurst, s.clock)
	s.desk = s.openDesk()
	s.catalogue = rooms.NewCatalogue(
		[]rooms.Guard{p.limits.Guard, s.accounts.Alive, s.accounts.ConfirmedWithin(s.cfg.SignConfirm, signatures...)},
		s.accounts.Commands(), p.consultations.Commands(), p.chats.Commands(), p.schedules.Commands(), s.calls.Commands(), p.boards.Commands(),
		s.bills.Commands(), p.play.Commands(), s.inboxes.Commands(),
		p.records.Commands(), s.audits.Commands(), s.lobby.Commands(), s.desk.Commands())
	s.catalogue.Trace(s.tracing.Tracer())
	s.catalogue.Answered(s.reads.command)
	return nil
}

// openRealtime makes the realtime server, and this server one node among others. The
// order in which the hub's listeners come matters.
func (s *Server) openRealtime(_ context.Context, p *parts) error {
	cfg := s.cfg
	s.realtime = realtime.New(realtime.Config{
		Edge: edge.Config{PingInterval: cfg.PingInterval, PingTimeout: cfg.PingTimeout, MaxPayload: cfg.PacketBytes, MaxConnections: cfg.Connections,
			ConnectionsPerAddress: cfg.ConnectionsPerAddress, AcceptRate: cfg.acceptRate(), BodyTimeout: cfg.BodyTimeout, ClosePace: cfg.DrainPace, LingerTime: s.linger,
			MemoryLimit: cfg.MemoryLimit, Origins: cfg.origins(), Address: p.from.Client, Sources: sources, Log: s.log},
		CommandTimeout: cfg.CommandTimeout, SocketsPerUser: cfg.SocketsPerUser, Log: s.log, Now: s.clock, Observe: s.observed("socket"), Trace: s.tracing.Tracer(),
	}, s.catalogue, s.accounts, p.presence)
	s.hub.Listen(s.realtime)
	p.leases = rooms.NewLeases()
	s.hub.Listen(p.leases)
	s.hub.Listen(s.turn)  // after the sockets: what is remembered of a session that ended is forgotten
	s.hub.Listen(s.lobby) // after the sockets: it tells those who were let in
	if err := s.join(p.presence, p.limits); err != nil {
		return err
	}
	s.hub.Listen(s.metrics) // after the sockets: it measures when they were told
	s.observe()
	return nil
}

// plant plants what must be there before the first request: the demo's people,
// and the timers that come back by themselves.
func (s *Server) plant(ctx context.Context, p *parts) error {
	s.public = s.publicly()
	if !s.cfg.Demo {
		if err := noDemoAccounts(ctx, s.accounts); err != nil {
			return err
		}
	} else {
		var err error
		if s.public.Demo, err = seed(ctx, demo{accounts: s.accounts, catalogue: s.catalogue}); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	if err := p.chats.PlantRetention(ctx); err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	if err := s.bills.PlantNightly(ctx); err != nil {
		return fmt.Errorf("reconciliation: %w", err)
	}
	return nil
}

// openHTTP makes what answers HTTP, the realtime server in it.
func (s *Server) openHTTP(_ context.Context, p *parts) error {
	cfg := s.cfg
	printer, resources := document.New(static.Fonts, s.publicURL), fhir.New(s.catalogue, s.publicURL, s.clock)
	app, _ := static.App()
	handler, err := rest.New(rest.Deps{Catalogue: s.catalogue, Accounts: s.accounts, Attachments: downloads{p.chats, s.reads}, Payments: s.bills, Realtime: s.realtime, Chat: s.realtime.Chat(),
		Printer: printer, FHIR: resources, Exporter: export.New(s.catalogue, p.chats, resources, printer, s.clock), Leases: p.leases,
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
