package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wenzhen/rooms/consultation"
)

// process is a server in a process of its own, which can be killed.
type process struct {
	t    testing.TB
	dir  string
	addr string
	on   string // the database
	by   string // the Redis; none when empty
	// env are further settings.
	env []string
	// says hears what it writes to standard error; the test's own when nil.
	says io.Writer
	// as is the user whom it runs as; the test's own when nil.
	as  *syscall.Credential
	cmd *exec.Cmd
}

// command is how it is started.
func (p *process) command() *exec.Cmd {
	p.t.Helper()
	self, err := os.Executable()
	must(p.t, err)
	cmd := exec.Command(self)
	if p.as != nil {
		cmd.Path = "/proc/self/exe" // another user may not reach it by its path
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	}
	cmd.Env = append(os.Environ(), serveIn+"="+p.dir, serveAt+"="+p.addr, serveOn+"="+p.on, serveBy+"="+p.by)
	cmd.Env = append(cmd.Env, p.env...)
	cmd.Stderr = os.Stderr
	if p.says != nil {
		cmd.Stderr = p.says
	}
	return cmd
}

// launch starts it and waits until it serves.
func (p *process) launch() {
	p.t.Helper()
	p.cmd = p.command()
	out, err := p.cmd.StdoutPipe()
	must(p.t, err)
	must(p.t, p.cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "ready\n" {
		p.t.Fatalf("the server said %q, %v", line, err)
	}
}

// kill is kill -9.
func (p *process) kill() {
	p.t.Helper()
	must(p.t, p.cmd.Process.Kill())
	_ = p.cmd.Wait() // tells that it was killed
}

// end is what an orderly restart begins with.
func (p *process) end() {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the server drained and exited with %v", err)
	}
}

// freeAddress is one that nobody listens on now.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// A real process is killed at 20 random moments while eight clients send: what
// was acked is there, once, and the clients go on by themselves.
func TestNothingAckedIsLostWhenTheServerIsKilled(t *testing.T) {
	t.Parallel()
	const talks, rounds = 4, 20
	w := newWorld(t, t.TempDir())
	p := &process{t: t, dir: w.dir, addr: freeAddress(t), on: w.database}
	p.launch()
	t.Cleanup(func() { p.kill() })
	w.base = "http://" + p.addr
	w.enterAdmin()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var (
		all               [talks]*talk
		over              atomic.Bool
		senders, everyone sync.WaitGroup
	)
	for k := range all {
		all[k] = w.open(fmt.Sprint("talk-", k))
		for i, s := range all[k].sides {
			everyone.Go(func() {
				if err := s.listen(ctx); err != nil {
					t.Error(err)
				}
			})
			senders.Go(func() {
				for n := 0; !over.Load(); n++ {
					if err := s.send(ctx, fmt.Sprintf("%d-%d", i, n)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	acked := func() (n int) {
		for _, k := range all {
			for _, s := range k.sides {
				s.mu.Lock()
				n += len(s.acked)
				s.mu.Unlock()
			}
		}
		return n
	}
	for range rounds {
		before := acked()
		eventually(t, "clients resume", func() bool { return acked() >= before+2*talks })
		time.Sleep(rand.N(150 * time.Millisecond)) // not luck: the moment of death
		p.kill()
		p.launch()
	}
	over.Store(true)
	senders.Wait()
	for _, k := range all {
		do(k.sides[1].person, consultation.End, consultation.EndInput{ConsultationID: k.id})
	}
	everyone.Wait()
	t.Logf("%d messages acked over %d deaths", acked(), rounds)
	for _, k := range all {
		k.check(t)
	}
}
