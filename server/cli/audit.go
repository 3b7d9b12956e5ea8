package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"wenzhen.example/rooms/audit"
	auditstore "wenzhen.example/rooms/store/audit"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/database"
	"wenzhen.example/server/datafolder"
)

// VerifyAudit follows the chain of a database's audit log from its first entry
// to its last, whether or not a server runs on it.
func VerifyAudit(ctx context.Context, at Place, log *slog.Logger) (v audit.Verdict, err error) {
	err = at.with(ctx, log, func(db *engine.DB) (err error) {
		key, err := datafolder.Secrets{Dir: at.Data, Vault: db.Vault()}.Kept(datafolder.AuditKeyFile)
		if err != nil {
			return err
		}
		v, err = audit.VerifyLog(ctx, auditstore.Store{DB: db}, key)
		return err
	})
	return v, err
}

// CompareAudit compares the audit log of a database with an earlier export of
// it, which was kept where nobody could change it: each entry of the export must
// be in the database, as it was. The verdict names the first entry that is not.
// An export without entries is an error: it would show nothing.
func CompareAudit(ctx context.Context, at Place, earlier io.Reader, log *slog.Logger) (v audit.Verdict, err error) {
	err = at.with(ctx, log, func(db *engine.DB) error {
		lines := json.NewDecoder(earlier)
		for {
			var page []audit.LogEntry
			for len(page) < auditPage {
				var e audit.LogEntry
				if err := lines.Decode(&e); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					return fmt.Errorf("after entry %d of the export: %w", v.Entries, err)
				}
				page = append(page, e)
			}
			if len(page) == 0 && v.Entries == 0 {
				return errors.New("the earlier export has no entries, so there is nothing to compare with")
			} else if len(page) == 0 {
				v.OK = true
				return nil
			}
			have, err := auditstore.Store{DB: db}.AuditAfter(ctx, page[0].Num-1, len(page))
			if err != nil {
				return err
			}
			for i, e := range page {
				if i >= len(have) || have[i].Num != e.Num || have[i].SHA256 != e.SHA256 {
					v.BrokenAt, v.Why = e.Num, "the database does not have the entry as the export has it"
					return nil
				}
				v.Entries++
			}
		}
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
	err = at.with(ctx, log, func(db *engine.DB) error {
		if err := database.EnterAtConsole(ctx, db, audit.AuditExported, "audit"); err != nil {
			return err
		}
		for {
			page, err := auditstore.Store{DB: db}.AuditAfter(ctx, n, auditPage)
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
