package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// rule says what the packages below a path may import. Packages of this module
// are named by their folder: "." is the root, "./rooms" the package rooms.
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
	{of: ".", allowed: []string{"./server/commandline"}, why: "the program is its command line"},
	{of: "./rooms", allowed: []string{"github.com/go-json-experiment/json", "github.com/go-json-experiment/json/jsontext"}, stdlib: true, why: "the vocabulary depends on nothing but the decoder that is to become encoding/json/v2"},
	{of: "./rooms/vault", allowed: []string{}, stdlib: true, why: "what encrypts depends on nothing"},
	{of: "./rooms/store/engine", allowed: []string{"./rooms", "./rooms/vault"}, why: "the engine knows no feature"},
	{of: "./rooms/store", allowed: []string{"./rooms", "./rooms/account", "./rooms/store/*"}, why: "it opens the database for all features"},
	{of: "./rooms/roomstest", why: "fixtures put a world together"},
	{of: "./rooms/notification", allowed: []string{"./rooms", "./rooms/*", "!./rooms/store"}, why: "it receives the events of all features, and calls none"},
	{of: "./rooms/record/...", allowed: []string{"./rooms", "./rooms/account", "./rooms/audit", "./rooms/consultation", "./rooms/record/*"}, why: "records bring their own table of codes"},
	{of: "./rooms/chat/...", allowed: []string{"./rooms", "./rooms/account", "./rooms/audit", "./rooms/consultation", "./rooms/chat/*"}, why: "chat brings what reads recordings"},
	{of: "./rooms/...", allowed: []string{"./rooms", "./rooms/account", "./rooms/audit", "./rooms/consultation"}, why: "features hear each other's events, they do not call each other"},
	{of: "./server", allowed: []string{}, stdlib: true, why: "it has the version and nothing else"},
	{of: "./server/app", why: "it is the composition root: only it knows the store and the transports"},
	{of: "./server/commandline", allowed: []string{"./rooms", "./rooms/*", "!./rooms/store", "./server", "./server/app", "./server/backup", "./server/cli", "./client/*"},
		why: "it reads flags, and leaves the work to what it calls"},
	{of: "./server/cli", allowed: []string{"./server", "./rooms", "./rooms/*", "./server/backup", "./server/blob", "./server/database", "./server/datafolder", "./server/process"}, why: "its commands work without a server"},
	{of: "./server/realtime/...", allowed: []string{"./rooms", "./rooms/*", "./server/realtime/*", "!./rooms/store"}, why: "a transport asks the catalogue, never the store or another transport"},
	{of: "./server/document/...", allowed: []string{"./rooms", "./rooms/*", "./server/document/*", "!./rooms/store"}, why: "what prints brings what writes PDF"},
	{of: "./server/spec/source", allowed: []string{}, stdlib: true, why: "it works while what is generated does not compile"},
	{of: "./server/spec", allowed: []string{"./rooms", "./rooms/*", "./server/spec/*", "!./rooms/store"},
		why: "the specifications are those of the features"},
	{of: "./server/e2e/...", why: "end-to-end tests stand outside"},
	{of: "./server/payment/conformance", why: "a suite of tests puts a world together"},
	{of: "./server/services", allowed: []string{"./rooms", "./rooms/*", "!./rooms/store", "./server/payment/sandbox"}, why: "it connects the services, over stores that it is given"},
	{of: "./server/datafolder", allowed: []string{"./rooms/vault", "./server/process"}, why: "it knows files, and locks them"},
	{of: "./server/httpserver", allowed: []string{"./rooms", "./server/datafolder"}, why: "it keeps certificates among the secrets, and knows no handler"},
	{of: "./server/database", allowed: []string{"./rooms", "./rooms/audit", "./rooms/store", "./rooms/store/*", "./rooms/vault", "./server/blob", "./server/datafolder"}, why: "it opens the store, and enters what commands did"},
	{of: "./server/short", allowed: []string{}, stdlib: true, why: "it reads the answers of any server"},
	{of: "./server/...", allowed: []string{"./rooms", "./rooms/*", "./server/short", "!./rooms/store"}, why: "a transport asks the catalogue, never the store or another transport"},
	{of: "./client/...", allowed: []string{"./rooms", "./rooms/*", "./client", "./client/*", "!./rooms/store"}, why: "a client knows the wire types, not the server"},
	{of: "./static", allowed: []string{}, why: "the frontend is files"},
	{of: "./examples/...", allowed: []string{"./client", "./rooms/*", "!./rooms/store"}, why: "examples show what a client needs"},
	{of: "./deploy", allowed: []string{"./rooms/roomstest/sidecar"}, why: "files, and tests that ask the programs that read them"},
	{of: "./tools/...", allowed: []string{}, stdlib: true, why: "a tool works while the packages do not compile"},
	{of: "./bench/...", why: "benchmarks compare"},
}

// confined are modules that only one tree may import, and end-to-end tests.
var confined = map[string]string{
	"github.com/zishang520/":     "./server/realtime/edge",
	"github.com/gin-gonic/":      "./server/rest",
	"github.com/gin-contrib/":    "./server/rest",
	"modernc.org/sqlite":         "./rooms/store/engine",
	"github.com/pressly/":        "./rooms/store/engine",
	"database/sql":               "./rooms/store",
	"github.com/jackc/":          "./rooms/store/engine",
	"github.com/redis/":          "./server/cluster",
	"github.com/vmihailenco/":    "./server/cluster",
	"github.com/pion/":           "./server/turn",
	"github.com/stripe/":         "./server/payment/stripe",
	"github.com/smartwalle/":     "./server/payment/alipay",
	"github.com/wechatpay-apiv3": "./server/payment/wechat",
	"github.com/alecthomas/kong": "./server/commandline",
	"github.com/prometheus/":     "./server/metrics",
	"go.opentelemetry.io/":       "./server/tracing",
}

func TestImports(t *testing.T) {
	t.Parallel()
	module := modulePath(t)
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
		pkg.ImportPath = folder(pkg.ImportPath, module)
		r, ok := ruleOf(pkg.ImportPath)
		if !ok {
			t.Errorf("%s has no rule: say in imports_test.go what it may import", pkg.ImportPath)
			continue
		}
		for _, imported := range pkg.Imports {
			imported = folder(imported, module)
			if !r.allows(imported) {
				t.Errorf("%s imports %s, but %s", pkg.ImportPath, imported, r.why)
			}
			for prefix, tree := range confined {
				if strings.HasPrefix(imported, prefix) && !within(pkg.ImportPath, tree) && !within(pkg.ImportPath, "./server/e2e") {
					t.Errorf("%s imports %s, which only %s may", pkg.ImportPath, imported, tree)
				}
			}
		}
	}
}

// modulePath reads the path of this module from go.mod.
func modulePath(t *testing.T) string {
	t.Helper()
	line, _, _ := strings.Cut(read(t, "go.mod"), "\n")
	path, ok := strings.CutPrefix(line, "module ")
	if !ok {
		t.Fatalf("go.mod begins with %q", line)
	}
	return path
}

// folder is the name of a package in the rules: the path of its folder, for one
// of this module.
func folder(pkg, module string) string {
	if rest, ok := strings.CutPrefix(pkg, module); ok && (rest == "" || rest[0] == '/') {
		return "." + rest
	}
	return pkg
}

func within(pkg, tree string) bool {
	return pkg == tree || (tree != "." && strings.HasPrefix(pkg, tree+"/"))
}

func ruleOf(pkg string) (rule, bool) {
	if feature, ok := strings.CutPrefix(pkg, "./rooms/store/"); ok && feature != "engine" {
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
	return rule{of: "./rooms/store/" + feature, why: "a feature's store builds on the engine, and on those of accounts and consultations",
		allowed: []string{"./rooms", "./rooms/" + feature, "./rooms/" + feature + "/*",
			"./rooms/account", "./rooms/audit", "./rooms/consultation",
			"./rooms/store/engine", "./rooms/store/account", "./rooms/store/audit", "./rooms/store/consultation"}}
}

func (r rule) allows(imported string) bool {
	outside := imported != "." && !strings.HasPrefix(imported, "./")
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
