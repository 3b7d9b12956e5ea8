package spec_test

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/alecthomas/kong"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server"
	"wenzhen.example/server/app"
	"wenzhen.example/server/rest"
	"wenzhen.example/server/spec"
	"wenzhen.example/server/spec/source"
)

var update = flag.Bool("update", false, "write the generated files")

// contract is that of the real server, as it is put together.
func contract(t *testing.T) spec.Contract {
	t.Helper()
	var cfg app.Config
	parser, err := kong.New(&cfg)
	if err == nil {
		_, err = parser.Parse([]string{"--addr=127.0.0.1:0", "--data=" + t.TempDir()})
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	from, err := source.Read("../..")
	if err != nil {
		t.Fatal(err)
	}
	return spec.Contract{Commands: slices.Collect(s.Catalogue().All()), Routes: routes(), Other: otherRoutes(), Source: from, Version: server.Release}
}

var parameter = regexp.MustCompile(`[:*](\w+)`)

// routes are those of REST in the words of the specification.
func routes() []spec.Route {
	var all []spec.Route
	for _, r := range rest.Routes() {
		takes, gives := r.Media()
		all = append(all, spec.Route{Method: r.Method, Path: "/api/v1" + parameter.ReplaceAllString(r.Path, "{$1}"), Command: r.Command, Status: r.Status,
			Later: r.Later(), Anonymous: r.Anonymous, Versioned: r.Versioned(), Idempotent: r.Idempotent(), Takes: takes, Gives: gives})
	}
	return all
}

// otherRoutes are the others.
func otherRoutes() []spec.OtherRoute {
	var all []spec.OtherRoute
	for _, r := range rest.OtherRoutes() {
		all = append(all, spec.OtherRoute{Method: r.Method, Path: parameter.ReplaceAllString(r.Path, "{$1}"), Doc: r.Doc, Gives: r.Gives})
	}
	return all
}

// npmPackage is the description of the npm package, whose version is ours.
const npmPackage = "../../static/packages/client/package.json"

var packageVersion = regexp.MustCompile(`"version": "[^"]*"`)

// released is the description of the npm package with the version of the release.
func released() ([]byte, error) {
	text, err := os.ReadFile(npmPackage)
	return packageVersion.ReplaceAll(text, []byte(`"version": "`+server.Release+`"`)), err
}

// What is committed is what the catalogue says.
func TestGolden(t *testing.T) {
	t.Parallel()
	c := contract(t)
	for path, write := range map[string]func() ([]byte, error){
		"openapi.json":  c.OpenAPI,
		"asyncapi.json": c.AsyncAPI,
		"../../static/packages/client/src/wire.gen.ts": c.TypeScript,
		"../../client/routes.go":                       c.GoRoutes,
		npmPackage:                                     released,
	} {
		want, err := write()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is not what the catalogue says; run: go generate ./server/spec", path)
		}
	}
}

// A command says who may run it, or nothing is generated.
func TestACommandDeclaresWhoMayRunIt(t *testing.T) {
	t.Parallel()
	from, err := source.Read("../..")
	if err != nil {
		t.Fatal(err)
	}
	whole := rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "toy:play", For: rooms.Users, Access: rooms.Own}
	for name, change := range map[string]func(*rooms.Handler){
		"":       func(*rooms.Handler) {},
		"For":    func(b *rooms.Handler) { b.For = 0 },
		"Access": func(b *rooms.Handler) { b.Access = "" },
	} {
		b := whole.Bind(nil)
		change(&b)
		if _, err := (spec.Contract{Commands: []rooms.Handler{b}, Source: from}).OpenAPI(); (err == nil) != (name == "") {
			t.Errorf("without %q: %v", name, err)
		}
	}
}

// The specifications have a command's own rate, and none where it has none.
func TestRatesAreSpecified(t *testing.T) {
	t.Parallel()
	from, err := source.Read("../..")
	if err != nil {
		t.Fatal(err)
	}
	bounded := rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "toy:play", Namespace: "/toys", For: rooms.Users, Access: rooms.Own}
	for name, rate := range map[string]rooms.Rate{"none": {}, "two a second": {PerSecond: 2, Burst: 9}} {
		bounded.Rate = rate
		c := spec.Contract{Commands: []rooms.Handler{bounded.Bind(nil)}, Source: from,
			Routes: []spec.Route{{Method: "POST", Path: "/toys", Command: bounded.Name, Status: 200}}}
		for document, write := range map[string]func() ([]byte, error){"OpenAPI": c.OpenAPI, "AsyncAPI": c.AsyncAPI} {
			got, err := write()
			if err != nil {
				t.Fatal(err)
			}
			has := regexp.MustCompile(`"x-rate": \{\s*"perSecond": 2,\s*"burst": 9\s*\}`).Match(got)
			if want := rate.Burst > 0; has != want || bytes.Contains(got, []byte(`"x-rate":`)) != want {
				t.Errorf("%s, %s: x-rate is there: %v", document, name, has)
			}
		}
	}
}

// A type whose name is generic has its package's name before it, and so have
// types of one name in two packages.
func TestTypesHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	from, err := source.Read("../..")
	if err != nil {
		t.Fatal(err)
	}
	c := spec.Contract{Source: from, Commands: []rooms.Handler{
		rooms.Command[consultation.Filter, consultation.Page]{Name: "toy:list", Namespace: "/toys", For: rooms.Users, Access: rooms.Own}.Bind(nil),
		rooms.Command[lobby.Greeting, consultation.Slot]{Name: "toy:see", Namespace: "/toys", For: rooms.Users, Access: rooms.Own}.Bind(nil),
		rooms.Command[rooms.Nothing, schedule.Slot]{Name: "toy:take", Namespace: "/toys", For: rooms.Users, Access: rooms.Own}.Bind(nil),
	}, Routes: []spec.Route{{Method: "POST", Path: "/toys", Command: "toy:list", Status: 200}}}
	for document, write := range map[string]func() ([]byte, error){"OpenAPI": c.OpenAPI, "AsyncAPI": c.AsyncAPI, "TypeScript": c.TypeScript} {
		got, err := write()
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]bool{"ConsultationFilter": true, "ConsultationPage": true, "Filter": false, "Page": false,
			"Greeting": document != "OpenAPI", "LobbyGreeting": false,
			"ConsultationSlot": document != "OpenAPI", "ScheduleSlot": document != "OpenAPI", "Slot": false} {
			if has := regexp.MustCompile(`(schemas/|interface )` + name + `\b`).Match(got); has != want {
				t.Errorf("%s has %s: %v", document, name, has)
			}
		}
	}
}
