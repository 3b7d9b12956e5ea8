package engine

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"wenzhen.example/rooms"
)

// signs is the key that signs the end of the audit log, and the one for counters,
// shared by everything that writes one database.
type signs struct {
	key      []byte
	counters []byte
	broken   atomic.Int64
	log      *slog.Logger

	mu sync.Mutex
	// seen is the latest end of the audit log that this process has signed or seen
	// in the database, wrote the one that it has written last, which may not be
	// committed yet.
	seen, wrote auditEnd
}

// auditEnd is an end of the audit log: the number and the hash of an entry.
type auditEnd struct {
	num    int64
	sha256 string
	// anew means that the log ends here although a later end has been seen.
	anew bool
}

// sees takes an end as the one that the log has been seen to have, unless it has
// been seen to have a later one.
func (s *signs) sees(end auditEnd) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if end.anew {
		s.wrote.anew = false
	}
	if end.num > s.seen.num || end.anew {
		s.seen = end
	}
}

func (s *signs) latest() (num int64, sha256 string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.num, s.seen.sha256
}

// AuditSeen is the last entry that an audit log with this end must have, as far as
// this process has signed or seen it; 0 before there was one. It is the end itself
// if this process has just written that, in this transaction or in one that is
// committed together with it.
func (tx *Tx) AuditSeen(num int64, sha256 string) (int64, string) {
	s := tx.signs
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrote.num == num && s.wrote.sha256 == sha256 && (num >= s.seen.num || s.wrote.anew) {
		return num, sha256
	}
	return s.seen.num, s.seen.sha256
}

// AuditEnds says how the audit log ends once the transaction is committed. anew
// has that count although a later end has been seen: a break was marked.
func (tx *Tx) AuditEnds(num int64, sha256 string, anew bool) {
	tx.ends = auditEnd{num, sha256, anew || tx.ends.anew}
	s := tx.signs
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote = auditEnd{num, sha256, tx.ends.anew || s.wrote.anew}
}

// AuditSeen is the last entry of the audit log that this process has signed or
// seen; 0 before there was one.
func (db *DB) AuditSeen() (num int64, sha256 string) { return db.opts.signs.latest() }

// SeeAudit says that the audit log has an entry, which was read from the database,
// or was kept outside of it.
func (db *DB) SeeAudit(num int64, sha256 string) {
	db.opts.signs.sees(auditEnd{num: num, sha256: sha256})
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
