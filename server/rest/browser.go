package rest

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"wenzhen.example/rooms"
)

const formType = "application/x-www-form-urlencoded"

// loginSeconds is how long the cookie of a browser that was sent away is kept.
const loginSeconds = 15 * 60

// oauthRedirect executes a command for a browser that is redirected to another site and
// back. A cookie that scripts cannot read ties the browser to the login that it
// began: its value is the input's field browser, and the field of that name in
// the answer becomes its new value.
func (s *server) oauthRedirect(r Route, command rooms.Handler) gin.HandlerFunc {
	read := inputOf(r, command)
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), s.deps.CommandTimeout)
		defer cancel()
		actor, err := s.actor(c, r)
		var fields map[string]json.RawMessage
		if err == nil {
			fields, err = s.loadBrowserID(c, actor, read)
		}
		var in, out json.RawMessage
		if err == nil {
			if in, err = json.Marshal(fields); err == nil {
				out, err = s.deps.Catalogue.Answer(ctx, actor, r.Command, in)
			}
		}
		answer := map[string]json.RawMessage{}
		if err == nil {
			err = json.Unmarshal(out, &answer)
		}
		switch {
		case err != nil && r.content == redirect:
			// A page says so; nobody reads JSON here.
			e := rooms.Refusal(ctx, s.deps.Log, r.Command, traceID(c), err)
			c.Set(codeKey, string(e.Code))
			c.Redirect(http.StatusFound, "/login?"+url.Values{"problem": {string(e.Code)}, "provider": {c.Param("provider")}}.Encode())
			return
		case err != nil:
			s.refuse(c, r.Command, err)
			return
		}
		if value := text(answer["browser"]); value != "" {
			http.SetCookie(c.Writer, s.loginCookie(value, loginSeconds))
			delete(answer, "browser")
		}
		if r.content == redirect {
			c.Redirect(r.Status, text(answer["redirectUrl"]))
			return
		}
		c.JSON(r.Status, answer)
	}
}

// loadBrowserID is the input with the browser that the cookie says it is.
func (s *server) loadBrowserID(c *gin.Context, actor rooms.Actor, read func(*gin.Context, rooms.Actor) (json.RawMessage, error)) (map[string]json.RawMessage, error) {
	raw, err := read(c, actor)
	if err != nil {
		return nil, err
	}
	fields := map[string]json.RawMessage{}
	if len(raw) > 0 {
		if fields, err = rooms.Members(raw); err != nil {
			return nil, err
		}
	}
	known := ""
	if cookie, err := c.Request.Cookie(s.loginCookie("", 0).Name); err == nil {
		known = cookie.Value
	}
	fields["browser"], err = json.Marshal(known)
	return fields, err
}

// loginCookie comes along when another site sends the browser back (Lax). Over
// TLS nobody but this very host can set it (__Host-).
func (s *server) loginCookie(value string, seconds int) *http.Cookie {
	cookie := &http.Cookie{Name: "wenzhen-away", Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if strings.HasPrefix(s.deps.PublicURL, "https://") {
		cookie.Name, cookie.Secure = "__Host-"+cookie.Name, true
	}
	return cookie
}

// text is a JSON string's; "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// readForm reads a form, as others' standards have it, as one JSON object.
func readForm(c *gin.Context) (json.RawMessage, error) {
	if kind, _, err := mime.ParseMediaType(c.ContentType()); err != nil || kind != formType {
		return nil, rooms.Invalid("", "the body must be %s", formType)
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, bodyBytes))
	if err != nil {
		return nil, bodyError("", err, bodyBytes)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, rooms.Invalid("", "the form is not well-formed")
	}
	fields := map[string]string{}
	for name, given := range values {
		if len(given) > 1 {
			return nil, rooms.Invalid(name, "%s is given twice", name)
		}
		fields[name] = given[0]
	}
	return json.Marshal(fields)
}
