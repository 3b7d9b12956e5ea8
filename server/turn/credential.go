package turn

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the scheme says so; an HMAC is not hurt by collisions
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/call"
)

// holder is who may relay for which call, and in which session: what a relay
// ends with.
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

// grant is what a credential says: who may relay, until when.
type grant struct {
	until time.Time
	holder
}

// username is "<seconds since 1970>:<user>:<session>:<call>".
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

// password is the user name's HMAC-SHA1 in base64 (draft-uberti-behave-turn-rest-00).
func password(secret []byte, username string) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
