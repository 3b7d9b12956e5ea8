package spec

import (
	"reflect"
	"slices"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// AsyncAPI writes the Socket.IO half as AsyncAPI 3.0
// (https://www.asyncapi.com/docs/reference/specification/v3.0.0), in JSON,
// from the server's side: it receives commands, answers them, and sends
// events. A namespace is a channel. Errors are those of OpenAPI.
func (c Contract) AsyncAPI() ([]byte, error) {
	s, err := c.schemas()
	if err != nil {
		return nil, err
	}
	s.ref(reflect.TypeFor[rooms.Error]())
	channels, operations := object{}, object{}
	for _, namespace := range namespaces(c.Commands) {
		id := strings.TrimPrefix(namespace, "/")
		messages := object{}
		channel := "#/channels/" + id
		for _, command := range append(offeredOn(c.Commands, namespace), refresh) {
			asked, answered := command.Name+".command", command.Name+".reply" // an event may have the command's name
			messages = append(messages, member{asked, s.message(command.Name, command.Doc, s.ref(command.In))},
				member{answered, s.message(answered, "The acknowledgement.", s.reply(command.Out))})
			operations = append(operations, member{"receive." + id + "." + command.Name, object{
				{"action", "receive"}, {"summary", command.Doc}, {"channel", refTo(channel)}, {"x-audience", audience(command.For)},
				{"x-access", command.Access}, {"messages", []any{refTo(channel + "/messages/" + asked)}},
				{"reply", object{{"channel", refTo(channel)}, {"messages", []any{refTo(channel + "/messages/" + answered)}}}},
			}.with("x-rate", rate(command.Rate))})
		}
		for _, e := range outgoingOn(namespace) {
			payload := s.ref(e.data)
			if e.durable {
				payload = s.entry(e)
			}
			messages = append(messages, member{e.name, s.message(e.name, e.doc, payload).with("x-durable", e.durable)})
			operations = append(operations, member{"send." + id + "." + e.name, object{
				{"action", "send"}, {"summary", e.doc}, {"channel", refTo(channel)}, {"messages", []any{refTo(channel + "/messages/" + e.name)}},
			}})
		}
		channels = append(channels, member{id, object{{"address", namespace}, {"title", "Socket.IO namespace " + namespace},
			{"servers", []any{refTo("#/servers/socketio")}}, {"messages", messages}}})
	}
	doc := object{
		{"asyncapi", "3.0.0"},
		{"info", object{
			{"title", "Wenzhen realtime API"}, {"version", c.Version},
			{"description", "Socket.IO protocol 5 over Engine.IO 4 (socket.io-client 4), on WebSocket and HTTP long-polling. " +
				"A command takes one object and an acknowledgement: {ok: true, data} or {ok: false, error}. " +
				"The access token goes into the handshake's auth: {token}. Events marked x-durable are in the log of their room " +
				"and carry seq 1, 2, 3 … without a gap: join again with the last seq that you have seen. " + policy},
		}},
		{"defaultContentType", "application/json"},
		{"servers", object{
			{"socketio", object{{"host", "localhost:8080"}, {"pathname", "/socket.io"}, {"protocol", "socketio"}, {"description", "Socket.IO"}}},
		}},
		{"channels", channels},
		{"operations", operations},
		{"components", object{{"schemas", s.components()}}},
	}
	if s.err != nil {
		return nil, s.err
	}
	return document(doc)
}

func refTo(where string) object { return object{{"$ref", where}} }

func (s *schemas) message(name, doc string, payload object) object {
	return object{{"name", name}, {"summary", doc}, {"contentType", "application/json"}, {"payload", payload}}
}

// reply is the acknowledgement of a command that answers with out.
func (s *schemas) reply(out reflect.Type) object {
	ok := func(value bool) object { return object{{"type", "boolean"}, {"const", value}} }
	return object{{"oneOf", []any{
		object{{"type", "object"}, {"properties", object{{"ok", ok(true)}, {"data", s.ref(out)}}}, {"required", []any{"ok", "data"}}},
		object{{"type", "object"}, {"properties", object{{"ok", ok(false)}, {"error", s.ref(reflect.TypeFor[rooms.Error]())}}}, {"required", []any{"ok", "error"}}},
	}}}
}

// entry is a durable event as clients get it.
func (s *schemas) entry(e outgoing) object {
	entry := s.object(reflect.TypeFor[rooms.Event](), map[string]bool{"name": true, "data": true})
	entry[1].value = append(entry[1].value.(object),
		member{"name", object{{"type", "string"}, {"const", e.name}}}, member{"data", s.ref(e.data)})
	entry[2].value = append(entry[2].value.([]any), "name", "data")
	return entry
}

// offeredOn are the commands of a namespace.
func offeredOn(commands []rooms.Handler, namespace string) []rooms.Handler {
	var on []rooms.Handler
	for _, c := range commands {
		if c.Namespace == namespace {
			on = append(on, c)
		}
	}
	return on
}

// namespaces are those on which something is offered, in the order of commands.
func namespaces(commands []rooms.Handler) []string {
	var all []string
	for _, c := range commands {
		if c.Namespace != "" && !slices.Contains(all, c.Namespace) {
			all = append(all, c.Namespace)
		}
	}
	return all
}

// outgoingOn are the events and signals that clients of a namespace receive.
func outgoingOn(namespace string) []outgoing {
	var all []outgoing
	for _, e := range events() {
		// The log of a consultation holds events of every namespace.
		if e.in(namespace) || namespace == rooms.Consultations {
			e.durable = true
			all = append(all, e)
		}
	}
	for _, s := range signals() {
		if s.in(namespace) || s.name == account.SessionRevoked.Name {
			all = append(all, s)
		}
	}
	return all
}
