package turn

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the scheme requires it; collisions do not weaken an HMAC
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/call"
)

// holder is the user, session and call that a relay belongs to. The relay ends
// with the session, the call, or the user's membership in it.
type holder struct {
	user    rooms.UserID
	session rooms.SessionID
	call    call.ID
}

func (h holder) String() string {
	return string(h.user) + ":" + string(h.session) + ":" + string(h.call)
}

// readHolder is the inverse of String.
func readHolder(text string) (holder, bool) {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return holder{}, false
	}
	return holder{rooms.UserID(parts[0]), rooms.SessionID(parts[1]), call.ID(parts[2])}, true
}

// grant is the content of a credential: a holder and a time of expiry.
type grant struct {
	until time.Time
	holder
}

// username returns "<seconds since 1970>:<user>:<session>:<call>".
func (g grant) username() string {
	return strconv.FormatInt(g.until.Unix(), 10) + ":" + g.holder.String()
}

// readUsername is the inverse of username.
func readUsername(name string) (grant, bool) {
	until, rest, _ := strings.Cut(name, ":")
	seconds, err := strconv.ParseInt(until, 10, 64)
	h, ok := readHolder(rest)
	return grant{time.Unix(seconds, 0), h}, ok && err == nil
}

// password returns the user name's HMAC-SHA1 in base64 (draft-uberti-behave-turn-rest-00).
func password(secret []byte, username string) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
