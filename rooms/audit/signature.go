package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Head is the end of the log: the number and SHA256 of the last entry, and the
// signature of both. An empty signature is none.
type Head struct {
	Num       int64
	SHA256    string
	Signature string
}

// Sign returns the signature of a head by a key that is not in the database:
// HMAC-SHA-256, in hex. Without a key it is empty.
func (h Head) Sign(key []byte) string {
	if len(key) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "wenzhen audit head\n%d\n%s", h.Num, h.SHA256)
	return hex.EncodeToString(mac.Sum(nil))
}

// Signed reports whether the head has the signature that the key makes. With no
// key it reports true: there is nothing to compare.
func (h Head) Signed(key []byte) bool {
	return len(key) == 0 || h.Num == 0 || hmac.Equal([]byte(h.Signature), []byte(h.Sign(key)))
}
