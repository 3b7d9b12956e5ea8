package edge

import (
	"encoding/json"
	"net/http"
)

// refusal is an error response of Engine.IO.
type refusal struct {
	status  int
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// The codes of Engine.IO.
var (
	errTransport   = refusal{http.StatusBadRequest, 0, "Transport unknown"}
	errUnknownSID  = refusal{http.StatusBadRequest, 1, "Session ID unknown"}
	errMethod      = refusal{http.StatusBadRequest, 2, "Bad handshake method"}
	errBadRequest  = refusal{http.StatusBadRequest, 3, "Bad request"}
	errForbidden   = refusal{http.StatusForbidden, 4, "Forbidden"}
	errProtocol    = refusal{http.StatusBadRequest, 5, "Unsupported protocol version"}
	errBodyTooBig  = refusal{http.StatusRequestEntityTooLarge, 3, "Payload too large"}
	errBodyTimeout = refusal{http.StatusRequestTimeout, 3, "Payload was sent too slowly"}
	errTooMany     = refusal{http.StatusTooManyRequests, 3, "Too many requests from this address"}
	errBusy        = refusal{http.StatusServiceUnavailable, 3, "Server is busy"}
	errDraining    = refusal{http.StatusServiceUnavailable, 3, "Server is going away"}
)

// unknownHeader is a request header with the status for a session that is not on
// this node. A balancer that can try another node sends 404. Without it the
// status is 400, as in Engine.IO.
const unknownHeader = "Wenzhen-Unknown-Session"

// refuseUnknown answers a request for a session that is not on this node.
func refuseUnknown(w http.ResponseWriter, r *http.Request) {
	why := errUnknownSID
	if r.Header.Get(unknownHeader) == "404" {
		why.status = http.StatusNotFound
	}
	refuse(w, why)
}

func refuse(w http.ResponseWriter, why refusal) {
	body, _ := json.Marshal(why)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if why.status == http.StatusServiceUnavailable || why.status == http.StatusTooManyRequests {
		h.Set("Retry-After", retryAfter())
	}
	w.WriteHeader(why.status)
	w.Write(body)
}
