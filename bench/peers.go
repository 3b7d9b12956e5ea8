package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// peer is a server that can be started.
type peer struct {
	about string
	bare  bool // a server of bench/peers, without accounts
	// command returns the command line, given the folder of the binaries and one
	// for data.
	command func(bin, data string) (name string, args []string)
	env     []string
}

const nodePeer = "bench/peers/node"

// noAddon disables the native addon of ws.
var noAddon = []string{"WS_NO_BUFFER_UTIL=1"}

// beforePeer is the earlier program of Wenzhen that the flag -before names.
const beforePeer = "before"

// noQuota lifts limits that earlier programs do not have as flags.
var noQuota = []string{"WENZHEN_FREE_OPEN=0", "WENZHEN_FREE_A_DAY=0"}

var peers = map[string]peer{
	"node":            {about: "Node.js, socket.io in memory", bare: true, command: node("memory.mjs"), env: noAddon},
	"node+bufferutil": {about: "the same with the native addon bufferutil", bare: true, command: node("memory.mjs")},
	"library":         {about: "zishang520/socket.io as shipped", bare: true, command: binary("library")},
	"gorilla":         {about: "hand-written with gorilla/websocket, the lower bound in Go", bare: true, command: binary("gorilla")},
	"edge":            {about: "Wenzhen's edge alone, in memory", bare: true, command: binary("edge")},
	"node+sqlite": {about: "Node.js, socket.io + better-sqlite3, synchronous=NORMAL", bare: true,
		command: durableNode("NORMAL"), env: noAddon},
	"node+sqlite full": {about: "the same with synchronous=FULL", bare: true, command: durableNode("FULL"), env: noAddon},
	"wenzhen": {about: "Wenzhen, the whole product, synchronous=NORMAL", command: product("wenzhen", "normal"),
		env: noQuota},
	"wenzhen full": {about: "the same with synchronous=FULL (the default)", command: product("wenzhen", "full"), env: noQuota},
	"before":       {about: "an earlier Wenzhen, synchronous=NORMAL", command: product(beforePeer, "normal"), env: noQuota},
	"before full":  {about: "the same with synchronous=FULL", command: product(beforePeer, "full"), env: noQuota},
}

func binary(name string) func(bin, data string) (string, []string) {
	return func(bin, _ string) (string, []string) { return filepath.Join(bin, name), nil }
}

func node(script string) func(bin, data string) (string, []string) {
	return func(string, string) (string, []string) {
		return "node", []string{"--expose-gc", filepath.Join(nodePeer, script)}
	}
}

func durableNode(synchronous string) func(bin, data string) (string, []string) {
	return func(_, data string) (string, []string) {
		return "node", []string{filepath.Join(nodePeer, "durable.mjs"), filepath.Join(data, "chat.db"), synchronous}
	}
}

// product runs a program of Wenzhen with high limits and otherwise default settings.
func product(program, synchronous string) func(bin, data string) (string, []string) {
	return func(bin, data string) (string, []string) {
		return filepath.Join(bin, program), []string{"serve", "--addr", "127.0.0.1:0", "--data", data, "--demo", "--synchronous", synchronous,
			"--command-rate", "1000000", "--command-burst", "1000000", "--sockets-per-user", "100000", "--registrations", "100000",
			"--log-level", "warn"}
	}
}

// build builds every binary and installs the Node.js packages of the lock file.
func build(ctx context.Context, dir string, out io.Writer) error {
	bin := filepath.Join(dir, "bin")
	fmt.Fprintln(out, "building")
	for _, c := range [][]string{
		{"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(bin, "wenzhen"), "."},
		{"go", "build", "-trimpath", "-o", bin + "/", "./bench/peers/edge", "./bench/peers/gorilla"},
		{"go", "build", "-C", "bench/peers/library", "-trimpath", "-o", bin + "/", "."},
	} {
		if err := command(ctx, c...); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(nodePeer, "node_modules/better-sqlite3/build/Release/better_sqlite3.node")); err == nil {
		return nil
	}
	return command(ctx, "npm", "ci", "--prefix", nodePeer)
}

func command(ctx context.Context, c ...string) error {
	if out, err := exec.CommandContext(ctx, c[0], c[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c, " "), err, out)
	}
	return nil
}

// running is a running peer.
type running struct {
	command *exec.Cmd
	url     string
	stderr  lastBytes
}

var address = regexp.MustCompile(`http://(?:localhost|127\.0\.0\.1):(\d+)`)

// start starts a peer and waits until it prints its address.
func start(ctx context.Context, p peer, bin, data string) (*running, error) {
	name, args := p.command(bin, data)
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(os.Environ(), p.env...)
	r := &running{command: c}
	c.Stderr = &r.stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			r.url = "http://127.0.0.1:" + found[1]
			go io.Copy(io.Discard, stdout)
			return r, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("did not start: %s", r.last()), c.Wait())
}

// stop ends the peer, after 5 seconds by force.
func (r *running) stop() error {
	if err := r.command.Process.Signal(syscall.SIGTERM); err != nil {
		return r.command.Wait()
	}
	force := time.AfterFunc(5*time.Second, func() { r.command.Process.Kill() })
	defer force.Stop()
	return r.command.Wait()
}

// last returns the end of its standard error.
func (r *running) last() string { return r.stderr.String() }

// lastBytes keeps the end of what is written to it.
type lastBytes struct {
	mu   sync.Mutex
	tail []byte
}

func (l *lastBytes) Write(p []byte) (int, error) {
	const most = 4 << 10
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, p...)
	l.tail = l.tail[max(0, len(l.tail)-most):]
	return len(p), nil
}

func (l *lastBytes) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.tail)
}
