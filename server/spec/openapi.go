package spec

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/server/spec/source"
)

// Contract is everything that is written down.
type Contract struct {
	Commands []rooms.Handler
	Routes   []Route
	Other    []OtherRoute
	Source   source.Source
	// Version is that of the release, such as 0.1.0.
	Version string
}

// Route is where HTTP offers a command.
type Route struct {
	Method, Path string // from the root, as OpenAPI writes it: /api/v1/me/patients/{patientId}
	Command      string
	// Status is that of success; 204 has no body.
	Status int
	// Later routes may answer with 202 instead, and the same content.
	Later bool
	// Anonymous routes take no access token.
	Anonymous bool
	// Versioned routes answer with an ETag and take If-Match.
	Versioned bool
	// Idempotent routes take an Idempotency-Key.
	Idempotent bool
	// Takes and Gives are media types; JSON when empty.
	Takes, Gives string
}

// policy explains x-audience, x-access and x-rate.
const policy = "x-audience lists the roles that may run a command. x-access says whose things it is about: own (the caller's, or " +
	"what the whole audience may see), owner (a thing of the user whom it belongs to), participants (a consultation, for those who " +
	"take part), all (things of all users, for staff), bearer (for those who have the secret in the input). Others get not_found. " +
	"x-rate is how often one user may send a command that has a rate of its own: perSecond, and burst at once. More are answered rate_limited."

// problem is the answer to everything that fails.
const problem = "#/components/responses/Problem"

// OpenAPI writes the REST half as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1),
// in JSON. Errors: a command without audience or access, a route whose command
// is not among the commands, types that JSON does not have, two types of one name.
func (c Contract) OpenAPI() ([]byte, error) {
	s, err := c.schemas()
	if err != nil {
		return nil, err
	}
	paths := object{}
	add := func(path, method string, operation object) {
		method = strings.ToLower(method)
		for i, p := range paths {
			if p.name == path {
				paths[i].value = append(p.value.(object), member{method, operation})
				return
			}
		}
		paths = append(paths, member{path, object{{method, operation}}})
	}
	used := map[string]int{}
	for _, r := range c.Routes {
		command, ok := c.command(r.Command)
		if !ok {
			return nil, fmt.Errorf("spec: route %s %s names command %q, which does not exist", r.Method, r.Path, r.Command)
		}
		used[r.Command]++
		add(r.Path, r.Method, s.operation(r, command, used[r.Command]))
	}
	for _, p := range c.Other {
		add(p.Path, p.Method, p.operation())
	}
	s.ref(reflect.TypeFor[rooms.Error]())
	problemSchema := object{{"type", "object"}, {"description", "RFC 9457, with Wenzhen's error object as extension members."}, {"properties", object{
		{"type", object{{"type", "string"}}}, {"title", object{{"type", "string"}}}, {"status", object{{"type", "integer"}}},
		{"detail", object{{"type", "string"}}}, {"instance", object{{"type", "string"}}}, {"code", s.ref(reflect.TypeFor[rooms.Code]())},
		{"field", object{{"type", "string"}, {"description", "The field of the input that is at fault."}}},
		{"retryable", object{{"type", "boolean"}}}, {"retryAfterMs", object{{"type", "integer"}}},
		{"traceId", object{{"type", "string"}, {"description", "Names the line in the server's log."}}},
		{"state", object{{"type", "string"}, {"description", "The present state of what a conflict is about."}}},
	}}, {"required", []any{"type", "title", "status", "detail", "instance", "code", "retryable", "traceId"}}}
	doc := object{
		{"openapi", "3.1.1"},
		{"info", object{
			{"title", "Wenzhen REST API"}, {"version", c.Version},
			{"summary", "Online doctor consultations: accounts, doctors, schedules, consultations and their messages."},
			{"description", "JSON in camelCase; times are RFC 3339 in UTC; money is in integer minor units with an ISO 4217 currency; ids are opaque. " +
				"The same commands are offered over Socket.IO: see /api/asyncapi.json. " + policy},
		}},
		{"servers", []any{object{{"url", "/"}, {"description", "This server"}}}},
		{"security", []any{object{{"accessToken", []any{}}}}},
		{"tags", tags(c.Routes)},
		{"paths", paths},
		{"components", object{
			{"securitySchemes", object{{"accessToken", object{{"type", "http"}, {"scheme", "bearer"}, {"description", "The accessToken of POST /api/v1/auth/login."}}}}},
			{"responses", object{{"Problem", object{{"description", "The error. Programs use `code`; `detail` is a message for people."},
				{"content", object{{"application/problem+json", object{{"schema", problemSchema}}}}}}}}},
			{"schemas", s.components()},
		}},
	}
	if err := cmp.Or(s.err, c.undeclared()); err != nil {
		return nil, err
	}
	return document(doc)
}

// undeclared reports a command without a policy.
func (c Contract) undeclared() error {
	for _, command := range c.Commands {
		if command.For == 0 || command.Access == "" {
			return fmt.Errorf("spec: command %s does not declare who may run it: For and Access", command.Name)
		}
	}
	return nil
}

func (c Contract) command(name string) (rooms.Handler, bool) {
	for _, b := range c.Commands {
		if b.Name == name {
			return b, true
		}
	}
	return rooms.Handler{}, false
}

func (s *schemas) operation(r Route, command rooms.Handler, nth int) object {
	path := parametersOf(r.Path)
	parameters := []any{}
	for _, f := range wireFields(command.In) {
		switch {
		case path[f.name]:
			parameters = append(parameters, s.parameter(f, "path"))
		case r.Method == http.MethodGet || r.Method == http.MethodDelete:
			parameters = append(parameters, s.parameter(f, "query"))
		}
		delete(path, f.name)
	}
	for name := range path { // of a file, whose command takes it otherwise
		parameters = append(parameters, object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", object{{"type", "string"}}}})
	}
	header := func(name, why string) {
		parameters = append(parameters, object{{"name", name}, {"in", "header"}, {"description", why}, {"schema", object{{"type", "string"}}}})
	}
	if r.Idempotent {
		header("Idempotency-Key", "The same key of the same user answers with what the first request made.")
	}
	if r.Versioned && r.Method != http.MethodGet {
		header("If-Match", "The ETag that was read; a newer version answers conflict.")
	}
	o := object{
		{"operationId", operationID(command.Name, nth)}, {"tags", []any{noun(command.Name)}}, {"summary", command.Doc},
		{"x-command", command.Name}, {"x-audience", audience(command.For)}, {"x-access", command.Access},
	}.with("x-rate", rate(command.Rate))
	if r.Anonymous || command.For.Has(rooms.RoleGuest) {
		o = append(o, member{"security", []any{object{}, object{{"accessToken", []any{}}}}})
	}
	return o.with("parameters", parameters).with("requestBody", s.requestBody(r, command)).with("responses", s.responses(r, command))
}

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

// parametersOf are the names between braces.
func parametersOf(path string) map[string]bool {
	names := map[string]bool{}
	for _, found := range pathParameter.FindAllStringSubmatch(path, -1) {
		names[found[1]] = true
	}
	return names
}

func (s *schemas) parameter(f wireField, in string) object {
	o := object{{"name", f.name}, {"in", in}}
	if in == "path" {
		o = append(o, member{"required", true})
	}
	return o.with("description", s.source.Field(f.owner, f.goName)).with("schema", f.bounded(s.ref(f.of)))
}

func (s *schemas) requestBody(r Route, command rooms.Handler) object {
	if r.Takes == "multipart/form-data" {
		form := object{{"type", "object"}, {"properties", object{{"file", object{{"type", "string"}, {"contentMediaType", "application/octet-stream"}}}}}, {"required", []any{"file"}}}
		return object{{"required", true}, {"content", object{{r.Takes, object{{"schema", form}}}}}}
	}
	if r.Method == http.MethodGet || r.Method == http.MethodDelete {
		return nil
	}
	takes := "application/json"
	if r.Takes != "" {
		takes = r.Takes
	}
	inPath := parametersOf(r.Path)
	all := wireFields(command.In)
	rest := all[:0:0]
	for _, f := range all {
		if !inPath[f.name] {
			rest = append(rest, f)
		}
	}
	switch len(rest) {
	case 0:
		return nil
	case len(all):
		return object{{"required", true}, {"content", object{{takes, object{{"schema", s.ref(command.In)}}}}}}
	}
	schema := s.object(command.In, inPath)
	return object{{"required", schema.at("required") != nil}, {"content", object{{takes, object{{"schema", schema}}}}}}
}

func (s *schemas) responses(r Route, command rooms.Handler) object {
	success := object{{"description", http.StatusText(r.Status)}}
	switch {
	case r.Gives != "":
		success = append(success, member{"content", object{{r.Gives, object{}}}})
	case r.Status == http.StatusFound:
		success = append(success, member{"headers", object{{"Location", object{{"description", "Where to go on."}, {"schema", object{{"type", "string"}}}}}}})
	case r.Status != http.StatusNoContent:
		success = append(success, member{"content", object{{"application/json", object{{"schema", s.ref(command.Out)}}}}})
	}
	if r.Versioned {
		success = append(success, member{"headers", object{{"ETag", object{{"description", "The version, for If-Match."}, {"schema", object{{"type", "string"}}}}}}})
	}
	if r.Later {
		later := append(object{{"description", http.StatusText(http.StatusAccepted)}}, success[1:]...)
		return object{{strconv.Itoa(r.Status), success}, {strconv.Itoa(http.StatusAccepted), later}, {"default", object{{"$ref", problem}}}}
	}
	return object{{strconv.Itoa(r.Status), success}, {"default", object{{"$ref", problem}}}}
}

// operationID is the command's name as an identifier, numbered where several
// routes offer it.
func operationID(command string, nth int) string {
	var b strings.Builder
	for i, part := range strings.FieldsFunc(command, func(r rune) bool { return r == ':' || r == '-' || r == '_' }) {
		if i > 0 {
			part = source.Sentence(part)
		}
		b.WriteString(part)
	}
	if nth > 1 {
		b.WriteString(strconv.Itoa(nth))
	}
	return b.String()
}

// noun is what a command is about: message of message:send.
func noun(command string) string {
	n, _, _ := strings.Cut(command, ":")
	return n
}

func tags(routes []Route) []any {
	all, known := []any{}, map[string]bool{}
	for _, r := range routes {
		if n := noun(r.Command); !known[n] {
			known[n] = true
			all = append(all, object{{"name", n}})
		}
	}
	return append(all, object{{"name", serverTag}})
}

// rate is a command's own rate; nothing if it has none.
func rate(r rooms.Rate) object {
	if r == (rooms.Rate{}) {
		return nil
	}
	return object{{"perSecond", r.PerSecond}, {"burst", r.Burst}}
}

// audience lists the roles that may try a command.
func audience(a rooms.Audience) []string {
	var all []string
	for _, role := range []rooms.Role{rooms.RoleGuest, rooms.RolePatient, rooms.RoleDoctor, rooms.RoleAdmin} {
		if a.Has(role) {
			all = append(all, cmp.Or(string(role), "guest"))
		}
	}
	return all
}
