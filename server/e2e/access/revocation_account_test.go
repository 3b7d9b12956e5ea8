package access_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// accountsEnd are the ways in which a login ends, and with it all that its
// account may do: an admin is one no longer only with the account.
var accountsEnd = map[string]func(w *e2e.World, p *e2e.Person){
	"suspended": func(w *e2e.World, p *e2e.Person) {
		e2e.Do(w.Admin, account.SuspendUser, account.UserInput{UserID: p.User.ID})
	},
	"suspended from the command line": func(w *e2e.World, p *e2e.Person) {
		_, err := cli.AdministerUser(w.T.Context(), cli.Place{Data: w.Dir, Database: w.Database}, account.SuspendUser.Name, p.User.Email, "", e2e.Quiet)
		e2e.Must(w.T, err)
	},
	"logged out": func(_ *e2e.World, p *e2e.Person) {
		e2e.Do(p, account.LogOut, account.RefreshInput{RefreshToken: p.Tokens().RefreshToken})
	},
	"erased": func(_ *e2e.World, p *e2e.Person) { e2e.Do(p, account.Erase, rooms.Nothing{}) },
}

// roles are those who lose everything, and what only they read.
var roles = map[string]struct {
	enter func(w *e2e.World, name string) *e2e.Person
	reads string
}{
	"admin":   {anotherAdmin, "/api/v1/admin/users"},
	"doctor":  {func(w *e2e.World, name string) *e2e.Person { return w.Doctor(name) }, "/api/v1/me/templates"},
	"patient": {func(w *e2e.World, name string) *e2e.Person { return w.Patient(name) }, "/api/v1/patients"},
}

func anotherAdmin(w *e2e.World, name string) *e2e.Person {
	email := name + "@wenzhen.example"
	user, err := cli.CreateAdmin(w.T.Context(), cli.Place{Data: w.Dir, Database: w.Database}, name, email, e2e.Password, e2e.Quiet)
	e2e.Must(w.T, err)
	p := &e2e.Person{Client: w.Client(), World: w, User: user}
	_, err = p.LogIn(w.T.Context(), account.LoginInput{Email: email, Password: e2e.Password})
	e2e.Must(w.T, err)
	return p
}

// everything opens all that somebody has outside of consultations, on a node: each
// namespace, the measurements of an admin, and the lobby over both transports.
func everything(t *testing.T, p *e2e.Person, role string, there *e2e.World) (sockets map[string]*e2e.Bare, plain *e2e.LobbySocket) {
	t.Helper()
	token := p.Tokens().AccessToken
	namespaces := []string{rooms.Consultations, rooms.Notifications, rooms.Schedules, rooms.Lobby}
	if role == "admin" {
		namespaces = append(namespaces, rooms.Admin)
	}
	sockets = map[string]*e2e.Bare{}
	for _, name := range namespaces {
		b := there.Bare(t).On(name)
		if got := b.Connect(token); got[:2] != "40" {
			t.Fatalf("%s: %s", name, got)
		}
		sockets[name] = b
	}
	if at := sockets[rooms.Admin]; at != nil {
		if r := at.Ask(1, operations.Watch.Name, rooms.Nothing{}); !r.OK {
			t.Fatalf("watches nothing: %v", r.Error)
		}
	}
	plain = there.LobbySocket(t, "?nickname="+role, http.Header{"Authorization": {"Bearer " + token}}).Welcomed()
	return sockets, plain
}

// nothingIsLeft checks that every connection ends, and that nothing is answered.
func nothingIsLeft(t *testing.T, w, there *e2e.World) {
	for role, is := range roles {
		for name, ends := range accountsEnd {
			t.Run(role+", "+name, func(t *testing.T) {
				p := is.enter(w, role+rooms.NewID(time.Now()))
				if a := there.Ask(t, http.MethodGet, is.reads, p.Tokens().AccessToken, ""); a.Status != http.StatusOK {
					t.Fatalf("reads: %d", a.Status)
				}
				sockets, plain := everything(t, p, role, there)
				ends(w, p)
				for _, b := range sockets {
					b.Closed()
				}
				e2e.Must(t, plain.WS.SetReadDeadline(time.Now().Add(e2e.Patience)))
				var end *websocket.CloseError
				for err := error(nil); !errors.As(err, &end); {
					if _, _, err = plain.WS.ReadMessage(); err != nil && !errors.As(err, &end) {
						t.Fatalf("the lobby: %v", err)
					}
				}
				if a := there.Ask(t, http.MethodGet, is.reads, p.Tokens().AccessToken, ""); a.Status != http.StatusUnauthorized {
					t.Errorf("reads afterwards: %d", a.Status)
				}
			})
		}
	}
}

func TestNothingIsLeftOfAnAccountThatEnds(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	nothingIsLeft(t, w, w)
}

// So it is on another node, without Redis.
func TestNothingIsLeftOfAnAccountThatEndsElsewhere(t *testing.T) {
	t.Parallel()
	list, wires := e2e.Nodes(t, 2)
	for _, wire := range wires {
		wire.Cut()
	}
	nothingIsLeft(t, list[0], list[1])
}
