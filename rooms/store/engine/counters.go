package engine

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// CountWith derives from a secret, which is not in the database, the key that the
// subjects of counters are hashed with. They have addresses of people and of
// networks, which somebody with the database could try out on a plain hash. With
// another secret what was counted is forgotten. It is called before anything else
// uses the database.
func (db *DB) CountWith(secret []byte) error {
	key, err := hkdf.Key(sha256.New, secret, nil, "wenzhen attempts", sha256.Size)
	if err != nil {
		return fmt.Errorf("counters: %w", err)
	}
	db.opts.signs.counters = key
	return nil
}

// Counter is how a subject of a counter is stored: its kind, which is what is
// before the first colon, and a keyed hash of it.
func (tx *Tx) Counter(subject string) string {
	kind, _, _ := strings.Cut(subject, ":")
	mac := hmac.New(sha256.New, tx.signs.counters)
	mac.Write([]byte(subject))
	return kind + ":" + hex.EncodeToString(mac.Sum(nil))
}
