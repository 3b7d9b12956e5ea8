package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Head is the end of the log, signed by a key that is not in the database. An
// empty signature is none.
type Head struct {
	// Num and SHA256 are those of the last entry.
	Num    int64
	SHA256 string
	// Since is the first entry that was written with this key; entries before it
	// are from before there was a key, or from one that was lost. 0 means all.
	Since int64
	// BrokenAt is the entry that says that what was before it had been rewritten
	// or cut; 0 if that was never found. BrokenLast is the latest such entry.
	BrokenAt, BrokenLast int64
	Signature            string
}

// Sign returns the signature of a head: HMAC-SHA-256, in hex. Without a key it
// is empty.
func (h Head) Sign(key []byte) string {
	return authenticate(key, "wenzhen audit head 2\n%d\n%s\n%d\n%d\n%d", h.Num, h.SHA256, h.Since, h.BrokenAt, h.BrokenLast)
}

func authenticate(key []byte, format string, args ...any) string {
	if len(key) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, format, args...)
	return hex.EncodeToString(mac.Sum(nil))
}

// Signed reports whether the head has the signature that the key makes. With no
// key it reports true: there is nothing to compare. Versions before the log
// could be marked signed the number and the hash alone.
func (h Head) Signed(key []byte) bool {
	if len(key) == 0 || hmac.Equal([]byte(h.Signature), []byte(h.Sign(key))) {
		return true
	}
	if h.Since != 0 || h.BrokenAt != 0 || h.BrokenLast != 0 {
		return false
	}
	return hmac.Equal([]byte(h.Signature), []byte(authenticate(key, "wenzhen audit head\n%d\n%s", h.Num, h.SHA256)))
}

// End is the end of the log as it is stored: the head, and the entry with the
// highest number, which should be the same.
type End struct {
	Head
	LastNum    int64
	LastSHA256 string
	// Unsigned means that the head has not the signature of this server's key.
	Unsigned bool
	// SeenNum and SeenSHA256 are those of the last entry that this process has
	// signed or seen, and AtSeen the hash that the entry of that number has now.
	SeenNum            int64
	SeenSHA256, AtSeen string
}

// wrong says what is wrong with an end; empty if it is as it should be.
func (e End) wrong() string {
	switch {
	case e.Unsigned:
		return fmt.Sprintf("the end of the log, entry %d, is not signed by this server's key: it was written by something else", e.LastNum)
	case e.LastNum != e.Num || e.LastSHA256 != e.SHA256:
		return fmt.Sprintf("the last entry is %d, and not %d as this server has signed", e.LastNum, e.Num)
	}
	return behind(e.Num, e.SeenNum, e.SeenSHA256, e.AtSeen)
}

// behind says what is wrong with a log that ends with entry num, if the entry seen
// had a hash and now has another, or is not there any more: an older state of the
// log, with the signature of that time, was put in its place.
func behind(num, seen int64, was, is string) string {
	switch {
	case num < seen:
		return fmt.Sprintf("the log ends with entry %d, and had entry %d before: an older state of it was put in its place", num, seen)
	case seen > 0 && was != is:
		return fmt.Sprintf("entry %d is another than it was: an older state of the log was put in its place and continued", seen)
	}
	return ""
}

// base is what a log goes on from whose end is wrong: never a number that is taken.
func (e End) base() Head {
	head := e.Head
	if e.Unsigned || e.LastNum >= e.Num {
		head.Num, head.SHA256 = e.LastNum, e.LastSHA256
	}
	return head
}
