package e2e

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// Process is a server in a process of its own, which can be killed.
type Process struct {
	T        testing.TB
	Dir      string
	Addr     string
	Database string
	Redis    string // none when empty
	// Env are further settings.
	Env []string
	// Stderr receives what it logs; the test's own when nil.
	Stderr io.Writer
	// Credential is the user whom it runs as; the test's own when nil.
	Credential *syscall.Credential
	Cmd        *exec.Cmd
}

// Command is how it is started.
func (p *Process) Command() *exec.Cmd {
	p.T.Helper()
	self, err := os.Executable()
	Must(p.T, err)
	cmd := exec.Command(self)
	if p.Credential != nil {
		cmd.Path = "/proc/self/exe" // another user may not reach it by its path
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.Credential}
	}
	cmd.Env = append(os.Environ(), serveIn+"="+p.Dir, serveAt+"="+p.Addr, serveOn+"="+p.Database, serveBy+"="+p.Redis)
	cmd.Env = append(cmd.Env, p.Env...)
	cmd.Stderr = os.Stderr
	if p.Stderr != nil {
		cmd.Stderr = p.Stderr
	}
	return cmd
}

// Launch starts it and waits until it serves.
func (p *Process) Launch() {
	p.T.Helper()
	p.Cmd = p.Command()
	out, err := p.Cmd.StdoutPipe()
	Must(p.T, err)
	Must(p.T, p.Cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "ready\n" {
		p.T.Fatalf("the server said %q, %v", line, err)
	}
}

// Kill is kill -9.
func (p *Process) Kill() {
	p.T.Helper()
	Must(p.T, p.Cmd.Process.Kill())
	_ = p.Cmd.Wait() // says that it was killed
}

// End is what an orderly restart begins with.
func (p *Process) End() {
	p.T.Helper()
	Must(p.T, p.Cmd.Process.Signal(syscall.SIGTERM))
	if err := p.Cmd.Wait(); err != nil {
		p.T.Errorf("the server drained and exited with %v", err)
	}
}

// FreeAddress is one that nobody listens on now.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	Must(t, err)
	defer l.Close()
	return l.Addr().String()
}
