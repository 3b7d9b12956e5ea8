package spec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
)

// TypeScript writes the types of every command, event and signal, and the two
// maps by which Socket.IO types its events, as a module without imports.
// Interfaces are named as in Go. Errors: two wire types of one name.
func TypeScript(commands []rooms.Bound) (string, error) {
	w := &tsWriter{named: map[string]reflect.Type{}, body: map[string]string{}, enums: enums()}
	w.ref(reflect.TypeFor[rooms.Error]())
	w.ref(reflect.TypeFor[rooms.Entry]())
	w.body["Expiry"] = "export interface Expiry {\n  expiresAt: string\n}\n"
	for _, c := range commands {
		w.ref(c.In)
		w.ref(c.Out)
	}
	var union []string
	for _, e := range events() {
		union = append(union, fmt.Sprintf("  | LogEvent<'%s', %s>", e.name, w.ref(e.data)))
	}
	consultations, schedules := w.maps(rooms.Consultations, "", commands), w.maps(rooms.Schedules, "Schedules", commands)
	if w.err != nil {
		return "", w.err
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
` + strings.Join(union, "\n") + "\n\n")
	b.WriteString(consultations + "\n" + schedules)
	return b.String(), nil
}

// maps writes the two interfaces by which Socket.IO types a namespace's events.
func (w *tsWriter) maps(namespace, prefix string, commands []rooms.Bound) string {
	var b strings.Builder
	fmt.Fprintf(&b, "/** Commands on %s. */\nexport interface %sClientToServerEvents {\n", namespace, prefix)
	for _, c := range commands {
		if c.Namespace == namespace {
			fmt.Fprintf(&b, "  /** %s */\n  '%s': (input: %s, ack: (reply: Ack<%s>) => void) => void\n", c.Doc, c.Name, w.ref(c.In), w.ref(c.Out))
		}
	}
	b.WriteString("  /** Renew the login of this socket. */\n  'auth:refresh': (input: { token: string }, ack: (reply: Ack<Expiry>) => void) => void\n}\n\n")
	fmt.Fprintf(&b, "/** What %s tells. */\nexport interface %sServerToClientEvents {\n", namespace, prefix)
	for _, e := range events() {
		// The log of a consultation holds events of every namespace.
		if e.in(namespace) || namespace == rooms.Consultations {
			fmt.Fprintf(&b, "  /** %s */\n  '%s': (event: LogEvent<'%s', %s>) => void\n", e.doc, e.name, e.name, w.ref(e.data))
		}
	}
	for _, s := range signals() {
		if s.in(namespace) || s.name == account.SessionRevoked.Name {
			fmt.Fprintf(&b, "  /** %s */\n  '%s': (data: %s) => void\n", s.doc, s.name, w.ref(s.data))
		}
	}
	b.WriteString("  /** A command sent without an acknowledgement has failed. */\n  error: (error: WireError) => void\n}\n")
	return b.String()
}

type tsWriter struct {
	named map[string]reflect.Type
	body  map[string]string
	enums map[reflect.Type][]string
	err   error
}

// ref is how TypeScript names t; a struct or enum is written out on the way.
func (w *tsWriter) ref(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Time]():
		return "string"
	case reflect.TypeFor[json.RawMessage]():
		return "unknown"
	}
	if values, ok := w.enums[t]; ok {
		return w.enum(t, values)
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "number"
	case reflect.Pointer:
		return w.ref(t.Elem())
	case reflect.Slice:
		return w.ref(t.Elem()) + "[]"
	case reflect.Struct:
		return w.object(t)
	}
	w.fail(fmt.Errorf("spec: %s has no form in TypeScript", t))
	return "never"
}

func (w *tsWriter) enum(t reflect.Type, values []string) string {
	name := t.Name()
	if w.claim(name, t) {
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = "'" + v + "'"
		}
		w.body[name] = "export type " + name + " = " + strings.Join(quoted, " | ") + "\n"
	}
	return name
}

func (w *tsWriter) object(t reflect.Type) string {
	name := t.Name()
	switch t {
	case reflect.TypeFor[rooms.Nothing]():
		w.body["Nothing"] = "export type Nothing = Record<string, never>\n"
		return "Nothing"
	case reflect.TypeFor[rooms.Error]():
		name = "WireError" // Error is JavaScript's own
	}
	if w.claim(name, t) {
		w.body[name] = "export interface " + name + " {\n" + w.fields(t) + "}\n"
	}
	return name
}

// fields writes a struct's fields; those of an embedded struct are its own.
func (w *tsWriter) fields(t reflect.Type) string {
	var b strings.Builder
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			b.WriteString(w.fields(f.Type))
			continue
		case !f.IsExported() || name == "-":
			continue
		}
		optional := ""
		if strings.Contains(options, "omitempty") {
			optional = "?"
		}
		fmt.Fprintf(&b, "  %s%s: %s\n", name, optional, w.ref(f.Type))
	}
	return b.String()
}

// claim takes a name for t; false if t has been written already.
func (w *tsWriter) claim(name string, t reflect.Type) bool {
	switch other := w.named[name]; other {
	case nil:
		w.named[name] = t
		return true
	case t:
		return false
	default:
		w.fail(fmt.Errorf("spec: both %s and %s would be %s; rename one", other, t, name))
		return false
	}
}

func (w *tsWriter) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
