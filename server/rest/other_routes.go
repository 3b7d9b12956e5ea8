package rest

// OtherRoute is a route that asks for no command.
type OtherRoute struct {
	Method, Path, Doc string
	// Gives is the media type of the answer.
	Gives string
}

// OtherRoutes are all of them, but for realtimeRoutes.
func OtherRoutes() []OtherRoute {
	const asJSON = "application/json"
	return []OtherRoute{
		{"GET", "/api/v1/config", "What anyone may know of this server: its version, its limits.", asJSON},
		{"GET", "/api/openapi.json", "This document.", asJSON},
		{"GET", "/api/asyncapi.json", "The commands and events of Socket.IO, as AsyncAPI 3.", asJSON},
		{"GET", "/api/v1/fhir/R4/*path", "FHIR R4 (https://hl7.org/fhir/R4): metadata, and the resources that one may read, by their type and id.", "application/fhir+json"},
		{"GET", "/calendar/:file", "The private calendar feed of a user, <token>.ics (RFC 5545); GET /api/v1/me has its URL.", "text/calendar"},
		{"POST", "/api/v1/webhooks/:gateway", "Where payment gateways call back; who calls is known by the signature alone.", asJSON},
		{"GET", "/chat", "The lobby as a plain WebSocket (RFC 6455): a text message in is a line said, a text message out a line received. 426 without an upgrade.", "text/plain"},
		{"GET", "/healthz", "Is the process alive?", asJSON},
		{"GET", "/readyz", "Can it take requests? 503 while it drains.", asJSON},
	}
}

// realtimeRoutes take every method; AsyncAPI says what is spoken there.
var realtimeRoutes = []string{"/socket.io", "/socket.io/*any"}
