package rest

import (
	"context"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"wenzhen.example/rooms"
)

// Whatever the server answers is in a list that the specification is made of;
// what is in none of them is the frontend.
func TestEveryRouteIsWrittenDown(t *testing.T) {
	t.Parallel()
	written, heads := map[string]bool{}, map[string]bool{}
	var commands []rooms.Handler
	for _, r := range Routes() {
		written[r.Method+" /api/v1"+r.Path] = true
		if !slices.ContainsFunc(commands, func(b rooms.Handler) bool { return b.Name == r.Command }) {
			commands = append(commands, rooms.Handler{Name: r.Command, In: reflect.TypeFor[rooms.Nothing](), Out: reflect.TypeFor[rooms.Nothing]()})
		}
	}
	documents := map[string][]byte{}
	for _, p := range OtherRoutes() {
		written[p.Method+" "+p.Path] = true
	}
	for name := range maps.Clone(written) {
		if path, ok := strings.CutPrefix(name, "GET "); ok {
			heads[http.MethodHead+" "+path] = true
		}
	}
	for _, name := range []string{"openapi.json", "asyncapi.json"} {
		documents[name] = nil
	}
	g, err := router(Deps{Catalogue: rooms.NewCatalogue(rooms.CatalogueOptions{}, commands),
		Realtime: http.NotFoundHandler(), LobbyWebSocket: http.NotFoundHandler(), Documents: documents,
		Ready: func(context.Context) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range g.Routes() {
		name := r.Method + " " + r.Path
		if !written[name] && !heads[name] && !slices.Contains(realtimeRoutes, r.Path) {
			t.Errorf("%s is in neither Routes nor PlainRoutes: the specification does not have it", name)
		}
		delete(written, name)
	}
	for name := range written {
		t.Errorf("%s is written down and not served", name)
	}
}
