package spec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/server/spec/source"
)

// TypeScript writes the types of every command, event and signal, the two
// maps by which Socket.IO types its events, and the names of all events, as a
// module without imports.
// Errors: two types that would have one name, a type that TypeScript does not have.
func (c Contract) TypeScript() ([]byte, error) {
	commands := c.Commands
	all, err := c.names()
	if err != nil {
		return nil, err
	}
	w := &tsWriter{names: all, body: map[string]string{}, source: c.Source}
	w.ref(reflect.TypeFor[rooms.Error]())
	w.ref(reflect.TypeFor[rooms.Event]())
	w.ref(refresh.Out)
	for _, c := range commands {
		w.ref(c.In)
		w.ref(c.Out)
	}
	var union, durable []string
	for _, e := range events() {
		durable = append(durable, "  '"+e.name+"',")
		union = append(union, fmt.Sprintf("  | LogEvent<'%s', %s>", e.name, w.ref(e.data)))
	}
	var maps, index strings.Builder
	for _, namespace := range namespaces(commands) {
		prefix := prefixOf(namespace)
		maps.WriteString(w.maps(namespace, prefix, commands) + "\n")
		fmt.Fprintf(&index, "  '%s': { commands: %sClientToServerEvents; events: %sServerToClientEvents }\n", namespace, prefix, prefix)
	}
	if w.err != nil {
		return nil, w.err
	}
	names := make([]string, 0, len(w.body))
	for name := range w.body {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	b.WriteString("// Generated from the server's catalogue by `go generate ./server/spec`. Do not edit.\n\n")
	for _, name := range names {
		b.WriteString(w.body[name] + "\n")
	}
	b.WriteString(`/** What every command is answered with. */
export type Ack<T> = { ok: true; data: T } | { ok: false; error: WireError }

/** An event of a room's log; data is the whole thing after the change. */
export interface LogEvent<Name extends string, Data> {
  room: string
  seq: number
  id: string
  name: Name
  at: string
  actorId: string
  data: Data
}

/** Every event that a consultation's log can hold. */
export type AnyLogEvent =
` + strings.Join(union, "\n") + `

/** The names of all events. */
export const durableNames: AnyLogEvent['name'][] = [
` + strings.Join(durable, "\n") + "\n]\n\n")
	b.WriteString(maps.String())
	b.WriteString("/** All namespaces. */\nexport interface Namespaces {\n" + index.String() + "}\n")
	return []byte(b.String()), nil
}

// prefixOf tells the maps of namespaces apart; /consultations has none.
func prefixOf(namespace string) string {
	if namespace == rooms.Consultations {
		return ""
	}
	return source.Sentence(strings.TrimPrefix(namespace, "/"))
}

// maps writes the two interfaces by which Socket.IO types a namespace's events.
func (w *tsWriter) maps(namespace, prefix string, commands []rooms.Handler) string {
	var b strings.Builder
	fmt.Fprintf(&b, "/** Commands on %s. */\nexport interface %sClientToServerEvents {\n", namespace, prefix)
	for _, c := range append(offeredOn(commands, namespace), refresh) {
		fmt.Fprintf(&b, "  /** %s */\n  '%s': (input: %s, ack: (reply: Ack<%s>) => void) => void\n", c.Doc, c.Name, w.ref(c.In), w.ref(c.Out))
	}
	b.WriteString("}\n\n")
	fmt.Fprintf(&b, "/** What %s tells. */\nexport interface %sServerToClientEvents {\n", namespace, prefix)
	for _, e := range outgoingOn(namespace) {
		argument := "data: " + w.ref(e.data)
		if e.durable {
			argument = fmt.Sprintf("event: LogEvent<'%s', %s>", e.name, w.ref(e.data))
		}
		fmt.Fprintf(&b, "  /** %s */\n  '%s': (%s) => void\n", e.doc, e.name, argument)
	}
	b.WriteString("  /** A command sent without an acknowledgement has failed. */\n  error: (error: WireError) => void\n}\n")
	return b.String()
}

type tsWriter struct {
	names  names
	body   map[string]string // "" while it is being written
	source source.Source
	err    error
}

// ref is how TypeScript names t; a struct or enum is written out on the way.
func (w *tsWriter) ref(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Time]():
		return "string"
	case reflect.TypeFor[json.RawMessage]():
		return "unknown"
	}
	if values := w.source.Enum(t); values != nil {
		return w.enum(t, values)
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Pointer:
		return w.ref(t.Elem())
	case reflect.Slice:
		return w.ref(t.Elem()) + "[]"
	case reflect.Map:
		return "Record<string, " + w.ref(t.Elem()) + ">"
	case reflect.Struct:
		return w.object(t)
	}
	w.fail(fmt.Errorf("spec: %s has no form in TypeScript", t))
	return "never"
}

func (w *tsWriter) enum(t reflect.Type, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + v + "'"
	}
	name := w.names[t]
	w.body[name] = "export type " + name + " = " + strings.Join(quoted, " | ") + "\n"
	return name
}

func (w *tsWriter) object(t reflect.Type) string {
	name := w.names[t]
	if t == reflect.TypeFor[rooms.Nothing]() {
		w.body[name] = "export type Nothing = Record<string, never>\n"
		return name
	}
	if _, written := w.body[name]; !written {
		w.body[name] = "" // it may refer to itself
		w.body[name] = "export interface " + name + " {\n" + w.fields(t) + "}\n"
	}
	return name
}

// fields writes a struct's fields.
func (w *tsWriter) fields(t reflect.Type) string {
	var b strings.Builder
	for _, f := range wireFields(t) {
		optional := ""
		if f.optional {
			optional = "?"
		}
		fmt.Fprintf(&b, "  %s%s: %s\n", f.name, optional, w.ref(f.of))
	}
	return b.String()
}

func (w *tsWriter) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
