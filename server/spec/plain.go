package spec

const plainTag = "server"

// plainRoute is a route that asks for no command.
type plainRoute struct {
	method, path, doc string
	// gives is the media type of the answer; a stream has none.
	gives string
}

// plain are all of them.
func plain() []plainRoute {
	const asJSON = "application/json"
	return []plainRoute{
		{"get", "/api/v1/config", "What anyone may know of this server: its version, its limits.", asJSON},
		{"get", "/api/openapi.json", "This document.", asJSON},
		{"get", "/api/asyncapi.json", "The commands and events of Socket.IO, as AsyncAPI 3.", asJSON},
		{"get", "/calendar/{file}", "The private calendar feed of a user, <token>.ics (RFC 5545); GET /api/v1/me has its URL.", "text/calendar"},
		{"post", "/api/v1/webhooks/{gateway}", "Where payment gateways call back; who calls is known by the signature alone.", asJSON},
		{"get", "/chat", "The lobby as a plain WebSocket (RFC 6455): a text message in is a line said, a text message out a line heard. 426 without an upgrade.", "text/plain"},
		{"get", "/healthz", "Is the process alive?", asJSON},
		{"get", "/readyz", "Can it take requests? 503 while it drains.", asJSON},
	}
}

func (p plainRoute) operation() object {
	o := object{{"operationId", operationID(p.method+":"+lettersOf(p.path), 1)}, {"tags", []any{plainTag}}, {"summary", p.doc}, {"security", []any{}}}
	parameters := []any{}
	for name := range parametersOf(p.path) {
		parameters = append(parameters, object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", object{{"type", "string"}}}})
	}
	success := object{{"description", "OK"}, {"content", object{{p.gives, object{}}}}}
	return o.with("parameters", parameters).with("responses", object{{"200", success}, {"default", object{{"$ref", problem}}}})
}

func lettersOf(path string) string {
	b := []byte(path)
	for i, c := range b {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			b[i] = '-'
		}
	}
	return string(b)
}
