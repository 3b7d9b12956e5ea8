package engine

import (
	"log/slog"
	"sync/atomic"

	"wenzhen/rooms"
)

// signs is the key that signs the end of the audit log, and the one for counters,
// shared by everything that writes one database.
type signs struct {
	key      []byte
	counters []byte
	broken   atomic.Int64
	log      *slog.Logger
}

// saw remembers and logs that the log is marked as broken.
func (s *signs) saw(brokenAt int64) {
	if brokenAt > 0 && s.broken.Swap(brokenAt) != brokenAt {
		s.log.Error("the audit log has been rewritten or cut by something else than this server; see wenzhen audit verify", "before entry", brokenAt)
	}
}

// auditTurn is what transactions queue for that lost a race for the head of the
// audit log, as others do for a room.
const auditTurn rooms.RoomID = "audit"

// auditAlone is what transactions that lost there postgresCrowd times have for
// themselves: until they end, others that reach the audit log lose (claim).
const auditAlone rooms.RoomID = "audit:alone"

// QueueForAudit has the transaction queue for the head of the audit log, should it
// lose a race for it. It fails if this try has to make way.
func (tx *Tx) QueueForAudit() error {
	tx.rooms = append(tx.rooms, auditTurn)
	return tx.claim(auditAlone)
}

// AuditKey is the key that signs the end of the audit log; nil where there is none.
func (tx *Tx) AuditKey() []byte { return tx.signs.key }

// SawAudit remembers and logs that the audit log is marked as broken before an
// entry; 0 is not at all.
func (tx *Tx) SawAudit(brokenAt int64) { tx.signs.saw(brokenAt) }

// SignAudit has every entry of the audit log signed with key from now on. It is
// called before anything else uses the database.
func (db *DB) SignAudit(key []byte) { db.opts.signs.key = key }

// AuditBroken is the entry before which the audit log has been rewritten or cut,
// as far as this process has noticed; 0 if it has not.
func (db *DB) AuditBroken() int64 { return db.opts.signs.broken.Load() }
