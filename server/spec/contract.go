package spec

import (
	"reflect"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// outgoing is an event or a signal: its name and the type of its data.
type outgoing struct {
	name, doc, namespace string
	data                 reflect.Type
	// durable events are in the log of their room.
	durable bool
}

func event[D any](e rooms.EventType[D]) outgoing {
	return outgoing{name: e.Name, doc: e.Doc, namespace: e.Namespace, data: reflect.TypeFor[D]()}
}

func signal[D any](s rooms.SignalType[D]) outgoing {
	return outgoing{name: s.Name, doc: s.Doc, namespace: s.Namespace, data: reflect.TypeFor[D]()}
}

// in reports whether the namespace is the one it is declared for.
func (e outgoing) in(namespace string) bool {
	return e.namespace == namespace || (e.namespace == "" && namespace == rooms.Consultations)
}

// refresh is the one command that is not in the catalogue: it concerns the
// socket alone, on every namespace.
var refresh = rooms.Handler{Name: "auth:refresh", Doc: "Renew the login of this socket.", For: rooms.Users, Access: rooms.Own,
	In: reflect.TypeFor[AuthInput](), Out: reflect.TypeFor[account.Expiry]()}

// AuthInput is what auth:refresh takes.
type AuthInput struct {
	// Token is an access token of the same user.
	Token string `json:"token"`
}
