package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"wenzhen.example/rooms/audit"
	auditstore "wenzhen.example/rooms/store/audit"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/database"
	"wenzhen.example/server/datafolder"
)

// signAudit has the audit log signed with a key that is kept in the data folder.
// It makes no new key where entries were signed with another, unless that is
// accepted.
func (s *Server) signAudit(ctx context.Context) error {
	kept, err := s.secrets.Kept(datafolder.AuditKeyFile)
	if err != nil {
		return err
	}
	lost, err := s.lostAuditKey(ctx, kept)
	if err != nil {
		return err
	}
	if lost != nil && !slices.Contains(s.cfg.AcceptNewKeys, engine.AuditKey) {
		return s.explain(lost)
	}
	begun, err := s.secrets.Marked(auditBegun)
	if err != nil {
		return err
	}
	if renewed := kept == nil || lost != nil; renewed && !begun {
		if err := s.secrets.Mark(auditBegun); err != nil {
			return err
		}
		begun = true
	}
	if s.auditKey, err = s.secrets.Take("", datafolder.AuditKeyFile); err != nil {
		return err
	}
	last, err := database.KeptHead(s.cfg.Data, s.auditKey)
	if err != nil {
		return err
	}
	if err := (auditstore.Store{DB: s.db}).Begin(ctx, s.auditKey, begun, last); err != nil {
		return err
	}
	if begun {
		if err := s.secrets.Unmark(auditBegun); err != nil {
			return err
		}
	}
	s.ends = &ends{db: s.db, dir: s.cfg.Data, key: s.auditKey, synced: s.cfg.Database != database.SQLite || s.cfg.Synchronous == "full", now: s.clock, log: s.log}
	return s.ends.compare(ctx)
}

// ends compares the end of the audit log with the latest one that this node has
// signed or seen, and keeps it outside the database.
type ends struct {
	db  *engine.DB
	dir string // the data folder
	key []byte
	// synced says that what is committed survives a power cut.
	synced bool
	now    func() time.Time
	log    *slog.Logger
}

// endsEvery is the interval at which the end of the audit log is compared with
// its copy on disk and stored there. After each entry, this write would cost as
// much as the entry.
const endsEvery = time.Minute

func watchEnds(ctx context.Context, e *ends) {
	tick := time.NewTicker(endsEvery)
	defer tick.Stop()
	e.watch(ctx, tick.C)
}

// watch compares at every tick until ctx ends or ticks is closed.
func (e *ends) watch(ctx context.Context, ticks <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-ticks:
			if !ok {
				return
			}
		}
		if err := e.compare(ctx); err != nil && ctx.Err() == nil {
			e.log.Error("the end of the audit log could not be compared with the one before, or be kept", "error", err)
		}
	}
}

// compare marks the log as broken if its end is behind what this node has signed
// or seen, and keeps the end where it is not.
func (e *ends) compare(ctx context.Context) error {
	log := auditstore.Store{DB: e.db}
	num, sum := e.db.AuditSeen() // before the end, which others move on
	head, err := log.AuditHead(ctx)
	if err != nil {
		return err
	}
	older, err := audit.Behind(ctx, log, head, num, sum)
	if err != nil {
		return err
	}
	if older != "" || !head.Signed(e.key) {
		if err := log.InTx(ctx, func(tx audit.Tx) error { return audit.Inspect(tx, e.now()) }); err != nil {
			return err
		}
		if head, err = log.AuditHead(ctx); err != nil {
			return err
		}
	}
	e.db.SeeAudit(head.Num, head.SHA256)
	if !e.synced {
		return nil
	}
	return database.KeepHead(e.dir, e.key, head)
}

// close closes the database, and keeps the end that the log has then, unless
// something is wrong with it, which the next start finds.
func (e *ends) close(ctx context.Context) error {
	head, err := auditstore.Store{DB: e.db}.AuditHead(ctx)
	if err := e.db.Close(); err != nil {
		return err
	}
	if num, _ := e.db.AuditSeen(); err == nil && head.Num >= num && head.Signed(e.key) {
		err = database.KeepHead(e.dir, e.key, head)
	}
	if err != nil {
		e.log.Error("the end of the audit log could not be kept outside the database", "error", err)
	}
	return nil
}

// auditBegun is a file that is there from before a key for the audit log is made
// until the log is signed with it. A start that was interrupted in between is
// continued: the log that is not signed yet is not taken for a forged one.
const auditBegun = "audit.begun"

// lostAuditKey reports, by a *KeyLost, that there are entries that were signed
// with another key than the one kept.
func (s *Server) lostAuditKey(ctx context.Context, kept []byte) (*engine.KeyLost, error) {
	var lost *engine.KeyLost
	err := s.db.NeedsKey(ctx, engine.AuditKey)
	if !errors.As(err, &lost) {
		return nil, err
	}
	if kept != nil && (lost.Want == "" || lost.Want == datafolder.Fingerprint(kept, engine.AuditKey)) {
		return nil, nil
	}
	return lost, nil
}

// auditEvery is how often the whole audit log is checked.
const auditEvery = time.Hour

// watchAudit inspects the audit log every auditEvery until ctx ends, on one node of
// several. What it finds is entered in the log, and logged by the store.
func watchAudit(ctx context.Context, db *engine.DB, log *audit.Service, to *slog.Logger) {
	tick := time.NewTicker(auditEvery)
	defer tick.Stop()
	inspectAudit(ctx, db, log, tick.C, to)
}

// inspectAudit inspects the log at every tick.
func inspectAudit(ctx context.Context, db *engine.DB, log *audit.Service, ticks <-chan time.Time, to *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		err := db.Alone(ctx, "audit", func(ctx context.Context) error {
			_, err := log.Inspect(ctx)
			return err
		})
		if err != nil && ctx.Err() == nil {
			to.Error("the audit log could not be checked", "error", err)
		}
	}
}
