package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"wenzhen/rooms/audit"
	"wenzhen/rooms/store"
)

// VerifyAudit follows the chain of a database's audit log from its first entry
// to its last, whether or not a server runs on it.
func VerifyAudit(ctx context.Context, at Place, log *slog.Logger) (v audit.Verdict, err error) {
	err = at.with(ctx, log, func(db *store.DB) (err error) {
		v, err = audit.Follow(ctx, store.Audits{DB: db})
		return err
	})
	return v, err
}

// auditPage is how many entries are read at a time.
const auditPage = 1000

// ExportAudit writes a database's audit log as JSON Lines, one entry after the
// other as they are numbered, and returns how many there are. The entries that
// were there at the beginning are all there; those that come meanwhile are, too.
func ExportAudit(ctx context.Context, at Place, w io.Writer, log *slog.Logger) (n int64, err error) {
	out := bufio.NewWriter(w)
	lines := json.NewEncoder(out)
	err = at.with(ctx, log, func(db *store.DB) error {
		for {
			page, err := store.Audits{DB: db}.AuditAfter(ctx, n, auditPage)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, e := range page {
				if err := lines.Encode(e); err != nil {
					return err
				}
				n = e.Num
			}
		}
	})
	return n, errors.Join(err, out.Flush())
}

// VerifyExportedAudit follows the chain of an exported log from its first
// entry to its last. That entries are missing at its end only a comparison with
// a later export, or with the database, can tell.
func VerifyExportedAudit(r io.Reader) (v audit.Verdict, err error) {
	lines := json.NewDecoder(r)
	var last audit.LogEntry
	for {
		var e audit.LogEntry
		if err := lines.Decode(&e); errors.Is(err, io.EOF) {
			v.OK = true
			return v, nil
		} else if err != nil {
			return v, fmt.Errorf("after entry %d: %w", last.Num, err)
		}
		if at, why := audit.Check(last, []audit.LogEntry{e}); why != nil {
			v.BrokenAt, v.Why = at, why.Error()
			return v, nil
		}
		last = e
		v.Entries++
	}
}
