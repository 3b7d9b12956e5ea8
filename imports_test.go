package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// rule says what the packages below a path may import.
type rule struct {
	of string // a package, or a tree when it ends in "/..."
	// allowed are the packages of this module that may be imported; nil is all. A
	// name after "!" may not, with what is below it.
	allowed []string
	// stdlib allows nothing from outside but the standard library.
	stdlib bool
	why    string
}

// rules list the imports that packages may have. The first rule that matches a
// package applies.
var rules = []rule{
	{of: "wenzhen", allowed: []string{"wenzhen/server/commandline"}, why: "the program is its command line"},
	{of: "wenzhen/rooms", allowed: []string{"github.com/go-json-experiment/json", "github.com/go-json-experiment/json/jsontext"}, stdlib: true, why: "the vocabulary depends on nothing but the decoder that is to become encoding/json/v2"},
	{of: "wenzhen/rooms/vault", allowed: []string{}, stdlib: true, why: "what encrypts depends on nothing"},
	{of: "wenzhen/rooms/store/engine", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/vault"}, why: "the engine knows no feature"},
	{of: "wenzhen/rooms/store", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/account", "wenzhen/rooms/store/*"}, why: "it opens the database for all features"},
	{of: "wenzhen/rooms/roomstest", why: "fixtures put a world together"},
	{of: "wenzhen/rooms/notification", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/*", "!wenzhen/rooms/store"}, why: "it receives the events of all features, and calls none"},
	{of: "wenzhen/rooms/record/...", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/account", "wenzhen/rooms/audit", "wenzhen/rooms/consultation", "wenzhen/rooms/record/*"}, why: "records bring their own table of codes"},
	{of: "wenzhen/rooms/chat/...", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/account", "wenzhen/rooms/audit", "wenzhen/rooms/consultation", "wenzhen/rooms/chat/*"}, why: "chat brings what reads recordings"},
	{of: "wenzhen/rooms/...", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/account", "wenzhen/rooms/audit", "wenzhen/rooms/consultation"}, why: "features hear each other's events, they do not call each other"},
	{of: "wenzhen/server", allowed: []string{}, stdlib: true, why: "it names the version alone"},
	{of: "wenzhen/server/app", why: "it is the composition root: only it knows the store and the transports"},
	{of: "wenzhen/server/commandline", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/*", "!wenzhen/rooms/store", "wenzhen/server", "wenzhen/server/app", "wenzhen/server/backup", "wenzhen/server/cli", "wenzhen/client/*"},
		why: "it reads flags, and leaves the work to what it calls"},
	{of: "wenzhen/server/cli", allowed: []string{"wenzhen/server", "wenzhen/rooms", "wenzhen/rooms/*", "wenzhen/server/backup", "wenzhen/server/blob", "wenzhen/server/database", "wenzhen/server/datafolder", "wenzhen/server/process"}, why: "its commands work without a server"},
	{of: "wenzhen/server/realtime/...", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/*", "wenzhen/server/realtime/*", "!wenzhen/rooms/store"}, why: "a transport asks the catalogue, never the store or another transport"},
	{of: "wenzhen/server/document/...", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/*", "wenzhen/server/document/*", "!wenzhen/rooms/store"}, why: "what prints brings what writes PDF"},
	{of: "wenzhen/server/spec/source", allowed: []string{}, stdlib: true, why: "it works while what is generated does not compile"},
	{of: "wenzhen/server/spec", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/*", "wenzhen/server/spec/*", "!wenzhen/rooms/store"},
		why: "the specifications are those of the features"},
	{of: "wenzhen/server/e2e/...", why: "end-to-end tests stand outside"},
	{of: "wenzhen/server/payment/conformance", why: "a suite of tests puts a world together"},
	{of: "wenzhen/server/services", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/*", "!wenzhen/rooms/store", "wenzhen/server/payment/sandbox"}, why: "it connects the services, over stores that it is given"},
	{of: "wenzhen/server/datafolder", allowed: []string{"wenzhen/rooms/vault", "wenzhen/server/process"}, why: "it knows files, and locks them"},
	{of: "wenzhen/server/httpserver", allowed: []string{"wenzhen/rooms", "wenzhen/server/datafolder"}, why: "it keeps certificates among the secrets, and knows no handler"},
	{of: "wenzhen/server/database", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/audit", "wenzhen/rooms/store", "wenzhen/rooms/store/*", "wenzhen/rooms/vault", "wenzhen/server/blob", "wenzhen/server/datafolder"}, why: "it opens the store, and enters what commands did"},
	{of: "wenzhen/server/short", allowed: []string{}, stdlib: true, why: "it reads the answers of any server"},
	{of: "wenzhen/server/...", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/*", "wenzhen/server/short", "!wenzhen/rooms/store"}, why: "a transport asks the catalogue, never the store or another transport"},
	{of: "wenzhen/client/...", allowed: []string{"wenzhen/rooms", "wenzhen/rooms/*", "wenzhen/client", "wenzhen/client/*", "!wenzhen/rooms/store"}, why: "a client knows the wire types, not the server"},
	{of: "wenzhen/static", allowed: []string{}, why: "the frontend is files"},
	{of: "wenzhen/examples/...", allowed: []string{"wenzhen/client", "wenzhen/rooms/*", "!wenzhen/rooms/store"}, why: "examples show what a client needs"},
	{of: "wenzhen/deploy", allowed: []string{"wenzhen/rooms/roomstest/sidecar"}, why: "files, and tests that ask the programs that read them"},
	{of: "wenzhen/bench/...", why: "benchmarks compare"},
}

// confined are modules that only one tree may import, and end-to-end tests.
var confined = map[string]string{
	"github.com/zishang520/":     "wenzhen/server/realtime/edge",
	"github.com/gin-gonic/":      "wenzhen/server/rest",
	"github.com/gin-contrib/":    "wenzhen/server/rest",
	"modernc.org/sqlite":         "wenzhen/rooms/store/engine",
	"github.com/pressly/":        "wenzhen/rooms/store/engine",
	"database/sql":               "wenzhen/rooms/store",
	"github.com/jackc/":          "wenzhen/rooms/store/engine",
	"github.com/redis/":          "wenzhen/server/cluster",
	"github.com/vmihailenco/":    "wenzhen/server/cluster",
	"github.com/pion/":           "wenzhen/server/turn",
	"github.com/stripe/":         "wenzhen/server/payment/stripe",
	"github.com/smartwalle/":     "wenzhen/server/payment/alipay",
	"github.com/wechatpay-apiv3": "wenzhen/server/payment/wechat",
	"github.com/alecthomas/kong": "wenzhen/server/commandline",
	"github.com/prometheus/":     "wenzhen/server/metrics",
	"go.opentelemetry.io/":       "wenzhen/server/tracing",
}

func TestImports(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		r, ok := ruleOf(pkg.ImportPath)
		if !ok {
			t.Errorf("%s has no rule: say in imports_test.go what it may import", pkg.ImportPath)
			continue
		}
		for _, imported := range pkg.Imports {
			if !r.allows(imported) {
				t.Errorf("%s imports %s, but %s", pkg.ImportPath, imported, r.why)
			}
			for prefix, tree := range confined {
				if strings.HasPrefix(imported, prefix) && !within(pkg.ImportPath, tree) && !within(pkg.ImportPath, "wenzhen/server/e2e") {
					t.Errorf("%s imports %s, which only %s may", pkg.ImportPath, imported, tree)
				}
			}
		}
	}
}

func within(pkg, tree string) bool {
	return pkg == tree || (tree != "wenzhen" && strings.HasPrefix(pkg, tree+"/"))
}

func ruleOf(pkg string) (rule, bool) {
	if feature, ok := strings.CutPrefix(pkg, "wenzhen/rooms/store/"); ok && feature != "engine" {
		return storeOf(feature), true
	}
	for _, r := range rules {
		tree, whole := strings.CutSuffix(r.of, "/...")
		if pkg == tree || (whole && strings.HasPrefix(pkg, tree+"/")) {
			return r, true
		}
	}
	return rule{}, false
}

// storeOf is the rule for the package that keeps what a feature has.
func storeOf(feature string) rule {
	return rule{of: "wenzhen/rooms/store/" + feature, why: "a feature's store builds on the engine, and on those of accounts and consultations",
		allowed: []string{"wenzhen/rooms", "wenzhen/rooms/" + feature, "wenzhen/rooms/" + feature + "/*",
			"wenzhen/rooms/account", "wenzhen/rooms/audit", "wenzhen/rooms/consultation",
			"wenzhen/rooms/store/engine", "wenzhen/rooms/store/account", "wenzhen/rooms/store/audit", "wenzhen/rooms/store/consultation"}}
}

func (r rule) allows(imported string) bool {
	outside := imported != "wenzhen" && !strings.HasPrefix(imported, "wenzhen/")
	if outside && (!r.stdlib || !strings.Contains(strings.Split(imported, "/")[0], ".")) {
		return true
	}
	if r.allowed == nil {
		return true
	}
	allowed := false
	for _, a := range r.allowed {
		if not, ok := strings.CutPrefix(a, "!"); ok {
			if within(imported, not) {
				return false
			}
			continue
		}
		tree, whole := strings.CutSuffix(a, "/*")
		allowed = allowed || a == imported || (whole && strings.HasPrefix(imported, tree+"/"))
	}
	return allowed
}
