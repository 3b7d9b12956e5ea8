package rest

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-contrib/cors"
	"github.com/gin-contrib/gzip"
	"github.com/gin-gonic/gin"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
)

// Accounts is what REST asks about logins.
type Accounts interface {
	Authenticate(ctx context.Context, token string) (rooms.Actor, time.Time, error)
}

// Attachments opens files for participants.
type Attachments interface {
	Open(ctx context.Context, actor rooms.Actor, id chat.AttachmentID, thumbnail bool) (chat.Attachment, io.ReadSeekCloser, error)
}

// Deps are what REST is made of.
type Deps struct {
	Catalogue   *rooms.Catalogue
	Accounts    Accounts
	Attachments Attachments
	Printer     Printer
	FHIR        FHIR
	Payments    Payments
	Exporter    Exporter
	// Leases end downloads, uploads and exports with the access that they are for.
	Leases   *rooms.Leases
	Realtime http.Handler
	// LobbyWebSocket serves bare WebSockets.
	LobbyWebSocket http.Handler
	// App is the built frontend; Unbuilt is shown when there is none.
	App     fs.FS
	Unbuilt []byte
	// Public is what GET /config tells anyone.
	Public any
	// Documents are the specifications, by their names below /api.
	Documents map[string][]byte
	// PublicURL is where browsers reach the server.
	PublicURL string
	// Ready reports whether the server can take requests.
	Ready func(context.Context) error
	// Troubles names what the server does without while it is ready all the same.
	Troubles func() map[string]string
	// Origins may call from other sites' pages.
	Origins []string
	// Address is where a request came from. Realtime has the same.
	Address        func(*http.Request) string
	CommandTimeout time.Duration
	UploadTimeout  time.Duration
	// BodyTimeout is how long the body of a request may take to arrive; that of
	// an upload has UploadTimeout.
	BodyTimeout     time.Duration
	AttachmentBytes int64
	Log             *slog.Logger
	// Observe is called for every command that was answered, with its name, the
	// code of its error or "", and the time that it took. Requested is called for
	// every request, with the pattern that it matched. Neither may block.
	Observe   func(command string, code rooms.Code, took time.Duration)
	Requested func(method, route string, status int)
	// Trace begins the span of a request to a route, which is a pattern, and
	// returns the context of its handlers and what ends the span, with the code
	// of the failure or "". nil traces nothing.
	Trace func(r *http.Request, route string) (ctx context.Context, ended func(status int, code rooms.Code))
	Now   func() time.Time
}

// bodyBytes bounds a JSON body.
const bodyBytes = 1 << 20

type server struct{ deps Deps }

// New makes the HTTP handler of everything: API, realtime, frontend, health.
func New(deps Deps) (http.Handler, error) {
	g, err := router(deps)
	if err != nil {
		return nil, err
	}
	return withBodyTimeout(g, deps.BodyTimeout), nil
}

// router has every route.
func router(deps Deps) (*gin.Engine, error) {
	s := &server{deps: deps}
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.HandleMethodNotAllowed = true
	g.UseRawPath = true
	g.ForwardedByClientIP = false // Deps.Address alone says where a request came from
	// Realtime comes before every middleware: it takes the connection over.
	g.Any(realtimeRoutes[0], gin.WrapH(deps.Realtime))
	g.Any(realtimeRoutes[1], s.socketIO(gin.WrapH(deps.Realtime)))
	g.GET("/chat", gin.WrapH(deps.LobbyWebSocket))

	if deps.Trace != nil {
		g.Use(s.traced)
	}
	g.Use(s.requestID, s.logged, s.recovered, secured)
	if len(deps.Origins) > 0 {
		g.Use(cors.New(cors.Config{AllowOrigins: deps.Origins, AllowMethods: []string{"GET", "POST", "PUT", "PATCH", "DELETE"},
			AllowHeaders:  []string{"Authorization", "Content-Type", "Idempotency-Key", "If-Match", "X-Request-Id", "traceparent"},
			ExposeHeaders: []string{"X-Request-Id", "Retry-After", "ETag"}, MaxAge: time.Hour}))
	}
	get(g, "/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	get(g, "/readyz", s.ready)
	get(g, "/calendar/:file", s.calendar)
	for name, document := range deps.Documents {
		get(g, "/api/"+name, gzip.Gzip(gzip.DefaultCompression), func(c *gin.Context) {
			c.Header("Cache-Control", revalidate)
			c.Data(http.StatusOK, "application/json; charset=utf-8", document)
		})
	}
	api := g.Group("/api/v1")
	get(api, "/config", func(c *gin.Context) { c.JSON(http.StatusOK, deps.Public) })
	api.POST("/webhooks/:gateway", s.webhook)
	get(api, "/fhir/R4/*path", s.fhir)
	for _, r := range Routes() {
		command, ok := deps.Catalogue.Command(r.Command)
		if !ok {
			return nil, missing(r)
		}
		handler := s.handler(r, command)
		api.Handle(r.Method, r.Path, s.observed(r), handler)
		if r.headed() {
			api.HEAD(r.Path, s.observed(r), handler)
		}
	}
	g.NoMethod(func(c *gin.Context) {
		s.problem(c, http.StatusMethodNotAllowed, rooms.Invalid("", "%s is not for %s", c.Request.URL.Path, c.Request.Method))
	})
	g.NoRoute(gzip.Gzip(gzip.DefaultCompression), s.frontend())
	return g, nil
}

// get serves a GET, and with it a HEAD, of which net/http sends no body.
func get(on gin.IRoutes, path string, handlers ...gin.HandlerFunc) {
	on.GET(path, handlers...)
	on.HEAD(path, handlers...)
}

// headed reports whether a HEAD is answered as the GET would be: not where the
// GET uses something up, as a login that comes back from another site does.
func (r Route) headed() bool {
	return r.Method == http.MethodGet && r.content != browser && r.content != redirect && r.content != archived
}

// handler is what answers a route.
func (s *server) handler(r Route, command rooms.Handler) gin.HandlerFunc {
	switch r.content {
	case upload:
		return s.upload(r, command)
	case download, thumbnail:
		return s.download(r, command)
	case browser, redirect:
		return s.oauthRedirect(r, command)
	case printed:
		return s.print(r, command)
	case archived:
		return s.export(r, command)
	}
	return s.answer(r, command)
}

func (s *server) ready(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), 2*time.Second)
	defer cancel()
	if err := s.deps.Ready(ctx); err != nil {
		s.refuse(c, "readyz", rooms.Unavailable(err, "not ready"))
		return
	}
	if troubles := s.deps.Troubles(); len(troubles) > 0 {
		c.JSON(http.StatusOK, gin.H{"status": "degraded", "troubles": troubles})
		return
	}
	c.JSON(http.StatusOK, gin.H{"status": "ready"})
}
