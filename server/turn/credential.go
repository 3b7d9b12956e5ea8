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

// grant is what a credential says: who may relay for which call ("" for none),
// until when.
type grant struct {
	until time.Time
	user  rooms.UserID
	call  call.ID
}

// username is "<seconds since 1970>:<user>:<call>".
func (g grant) username() string {
	return strconv.FormatInt(g.until.Unix(), 10) + ":" + string(g.user) + ":" + string(g.call)
}

// readUsername is the inverse of username.
func readUsername(name string) (grant, bool) {
	parts := strings.SplitN(name, ":", 3)
	if len(parts) != 3 || parts[1] == "" {
		return grant{}, false
	}
	seconds, err := strconv.ParseInt(parts[0], 10, 64)
	return grant{until: time.Unix(seconds, 0), user: rooms.UserID(parts[1]), call: call.ID(parts[2])}, err == nil
}

// password is the user name's HMAC-SHA1 in base64 (draft-uberti-behave-turn-rest-00).
func password(secret []byte, username string) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
