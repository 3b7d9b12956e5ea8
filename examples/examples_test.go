// Package examples_test runs the examples, and the snippets of the READMEs, as
// someone new would.
package examples_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/gorilla/websocket"

	"wenzhen.example/server/app"
)

// patience is how long one example may take.
const patience = 2 * time.Minute

// demo is a server with the demo's people, until the end of the test.
func demo(t *testing.T) string {
	t.Helper()
	var cfg app.Config
	parser, err := kong.New(&cfg) // the defaults, as the command line has them
	if err == nil {
		_, err = parser.Parse([]string{"--addr=127.0.0.1:0", "--data=" + t.TempDir(), "--demo"})
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return strings.Replace(s.URL(), "localhost", "127.0.0.1", 1)
}

// runs runs a command against a server and gives what it prints.
func runs(t *testing.T, url, dir string, command ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Dir = dir
	c.Env = append(os.Environ(), "WENZHEN_URL="+url, "FORCE_COLOR=0")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}

// beside makes a folder that has the frontend's packages installed.
func beside(t *testing.T) string {
	t.Helper()
	modules, err := filepath.Abs("../static/node_modules")
	if err == nil {
		_, err = os.Stat(modules)
	}
	if err != nil {
		t.Fatalf("%v: run npm ci in static", err)
	}
	dir := t.TempDir()
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestExamples(t *testing.T) {
	t.Parallel()
	url := demo(t)
	for name, want := range map[string]string{"node-ws.mjs": "ws: hello from ws", "node-socketio.mjs": "said at 2"} {
		dir := beside(t)
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), source, 0o600); err != nil {
			t.Fatal(err)
		}
		if out := runs(t, url, dir, "node", name); !strings.Contains(out, want) {
			t.Errorf("%s printed\n%s", name, out)
		}
	}
	if out := runs(t, url, ".", "go", "run", "./go"); !strings.Contains(out, "said at ") {
		t.Errorf("go printed\n%s", out)
	}
	if out := runs(t, url, ".", "sh", "curl.sh"); !strings.Contains(out, `"items":[{`) || !strings.Contains(out, `"status":"active"`) {
		t.Errorf("curl.sh printed\n%s", out)
	}
}

// Another module requires the client as examples/README.md says: its commands run
// in an empty folder. On a new machine the go command then fetches go.mod files
// that this module has no need of.
func TestClientInAnotherModule(t *testing.T) {
	t.Parallel()
	url := demo(t)
	tree, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## In your own Go module")
	m := regexp.MustCompile("(?s)```sh\n(.*?)```").FindStringSubmatch(section)
	if m == nil {
		t.Fatal("examples/README.md has no commands for another module")
	}
	commands := strings.ReplaceAll(m[1], "../wenzhen", tree)
	out := runs(t, url, t.TempDir(), "sh", "-ec", "export GOWORK=off GOFLAGS=-trimpath GONOSUMDB='*'\n"+commands)
	if !strings.Contains(out, "said at ") {
		t.Errorf("the program of another module printed\n%s", out)
	}
}

// Python's websockets where they are installed; the frames that they would
// send where they are not.
func TestPythonExample(t *testing.T) {
	t.Parallel()
	url := demo(t)
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import websockets").Run() == nil {
			if out := runs(t, url, ".", python, "python_websockets.py"); !strings.Contains(out, "python: hello from python") {
				t.Errorf("printed\n%s", out)
			}
			return
		}
	}
	t.Log("without Python's websockets: the same over another client")
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(url, "http", "ws", 1)+"/chat?nickname=python", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	if err := ws.WriteMessage(websocket.TextMessage, []byte("hello from python")); err != nil {
		t.Fatal(err)
	}
	for {
		_, line, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if string(line) == "python: hello from python" {
			return
		}
	}
}

var snippet = regexp.MustCompile("(?s)```js\n(.*?)```")

// Someone new has nothing but the README: its JavaScript is run as it stands,
// one snippet after the other, in both languages.
func TestSnippetsOfTheREADME(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"../README.md", "../README.zh-CN.md"} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			url := demo(t)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			snippets := snippet.FindAllSubmatch(text, -1)
			if len(snippets) < 2 {
				t.Fatalf("%d snippets", len(snippets))
			}
			for _, s := range snippets {
				dir := beside(t)
				code := strings.NewReplacer("http://localhost:8080", url, "ws://localhost:8080", strings.Replace(url, "http", "ws", 1)).Replace(string(s[1]))
				if !strings.Contains(code, "import ") { // it is for a browser, whose WebSocket older Nodes lack
					code = "import WebSocket from 'ws'\n" + code
				}
				// It ends once the text that it sent has been received.
				code = "{ const log = console.log; console.log = (...said) => { log(...said); if (said.join(' ').includes('hello')) process.exit(0) } }\n" + code
				if err := os.WriteFile(filepath.Join(dir, "snippet.mjs"), []byte(code), 0o600); err != nil {
					t.Fatal(err)
				}
				if out := runs(t, url, dir, "node", "snippet.mjs"); !strings.Contains(out, "hello") {
					t.Errorf("the snippet\n%s\nprinted\n%s", s[1], out)
				}
			}
		})
	}
}

// TestGuides runs the snippets of the guides for developers as they stand, all
// snippets of a guide as one program.
func TestGuides(t *testing.T) {
	t.Parallel()
	for _, g := range []struct {
		guide, language, program, command string
		want                              []string
	}{
		{"frontend-guide.md", "js", "guide.mjs", "node", []string{"text hello", "file", "stored as ", "watching"}},
		{"integrator-guide.md", "sh", "guide.sh", "sh", []string{`"openapi"`, `"hasMore"`, "laboratory", "CapabilityStatement", "Bundle"}},
	} {
		t.Run(g.guide, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../docs/" + g.guide)
			if err != nil {
				t.Fatal(err)
			}
			var code []string
			for _, m := range regexp.MustCompile("(?s)```"+g.language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
				code = append(code, m[1])
			}
			program := strings.ReplaceAll(strings.Join(code, "\n"), "http://localhost:8080", demo(t))
			if g.language == "sh" {
				program = "set -eu\n" + program
			} else { // sockets would keep it running
				program += "\nsetTimeout(() => process.exit(0), 1000)\n"
			}
			dir := beside(t)
			if err := os.WriteFile(filepath.Join(dir, g.program), []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			out := runs(t, "", dir, g.command, g.program)
			for _, want := range g.want {
				if !strings.Contains(out, want) {
					t.Errorf("%s: no %q in\n%s", g.guide, want, out)
				}
			}
		})
	}
}
