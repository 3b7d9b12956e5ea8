package edge

import (
	"net/http"
	"net/url"
	"strings"
)

// ServeHTTP serves Engine.IO under Config.Path, with or without a slash at
// the end; everything else is answered with 404.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.TrimSuffix(r.URL.Path, "/") != e.cfg.Path {
		http.NotFound(w, r)
		return
	}
	if !e.cfg.allowed(r) {
		e.counters.refused.Add(1)
		refuse(w, errForbidden)
		return
	}
	cors(w, r)
	query := r.URL.Query()
	upgrade := isUpgrade(r)
	if why := verify(r, query, upgrade); why != nil {
		refuse(w, *why)
		return
	}
	switch {
	case r.Method == http.MethodOptions:
		preflight(w, r)
	case upgrade:
		e.serveUpgrade(w, r, query.Get("sid"))
	default:
		e.servePolling(w, r, query.Get("sid"))
	}
}

// verify checks the parts of a request that do not depend on a session.
func verify(r *http.Request, query url.Values, upgrade bool) *refusal {
	if r.Method == http.MethodOptions {
		return nil
	}
	transport := query.Get("transport")
	switch {
	case transport != "polling" && transport != "websocket":
		return &errTransport
	case query.Get("EIO") != "4":
		return &errProtocol
	case upgrade != (transport == "websocket"):
		return &errBadRequest
	case query.Has("j"):
		// JSONP is not supported: it requires a page without a script policy.
		return &errBadRequest
	case r.Method == http.MethodGet:
		return nil
	case query.Get("sid") == "":
		return &errMethod
	case r.Method != http.MethodPost || upgrade:
		return &errBadRequest
	}
	return nil
}

// servePolling serves a request of the polling transport.
func (e *Engine) servePolling(w http.ResponseWriter, r *http.Request, sid string) {
	address := e.cfg.Address(r)
	if !e.limits.begin(address) {
		e.counters.refused.Add(1)
		refuse(w, errTooMany)
		return
	}
	defer e.limits.finish(address)
	if sid == "" {
		e.openPolling(w, r, address)
		return
	}
	s := e.find(sid)
	switch {
	case s == nil && r.Method == http.MethodPost && e.closedByShutdown(sid):
		e.dropPost(w, r)
	case s == nil:
		refuseUnknown(w, r)
	case r.Method == http.MethodPost:
		s.servePost(w, r)
	default:
		s.serveGet(w, r)
	}
}

// openPolling opens a session and answers with its OPEN packet.
func (e *Engine) openPolling(w http.ResponseWriter, r *http.Request, address string) {
	if why := e.admit(r.Context(), address); why != nil {
		e.counters.refused.Add(1)
		refuse(w, *why)
		return
	}
	s := newConnection(e, newPeer(address, r))
	s.poll = &polling{limit: e.cfg.SendQueue}
	s.out = s.poll
	if !e.add(s) {
		e.counters.refused.Add(1)
		refuse(w, errBusy)
		return
	}
	if err := e.respond(w, e.openFrame(s, `"websocket"`).payload()); err != nil {
		s.drop(reasonTransportError)
	}
}
