package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"wenzhen/rooms/audit"
	auditstore "wenzhen/rooms/store/audit"
	"wenzhen/rooms/store/engine"
	"wenzhen/server/datafolder"
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
	if err := (auditstore.Store{DB: s.db}).Begin(ctx, s.auditKey, begun); err != nil || !begun {
		return err
	}
	return s.secrets.Unmark(auditBegun)
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

// auditEvery is how often the whole audit log is followed.
const auditEvery = time.Hour

// watchAudit follows the audit log again and again until ctx ends, on one node of
// several. What it finds is entered in the log, and logged by the store.
func watchAudit(ctx context.Context, db *engine.DB, log *audit.Service, to *slog.Logger) {
	tick := time.NewTicker(auditEvery)
	defer tick.Stop()
	followAudit(ctx, db, log, tick.C, to)
}

// followAudit follows the log at every tick.
func followAudit(ctx context.Context, db *engine.DB, log *audit.Service, ticks <-chan time.Time, to *slog.Logger) {
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
			to.Error("the audit log could not be followed", "error", err)
		}
	}
}
