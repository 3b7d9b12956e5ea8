// Package sidecar runs the programs that tests need beside them: PostgreSQL,
// Redis, load balancers. Each runs from the installed binaries in a temporary folder, on
// a port that was free, and ends with the test process however that ends: never
// is one touched that runs already.
package sidecar

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// patience is how long a program may take to start on a busy machine.
const patience = 60 * time.Second

// Program is a program that runs beside the tests.
type Program struct {
	Pid  int
	hold *os.File // while it is open the program runs
	// Log is the file that has what the program said.
	Log string
}

// guard runs a program until its own input ends, which is when the process
// that holds the other end does, or lets go. The program's id goes to the
// third descriptor.
const guard = `trap '' INT TERM HUP
folder=$1; signal=$2; shift 2
"$@" </dev/null & child=$!
echo $child >&3; exec 3>&-
cat >/dev/null
kill -CONT $child 2>/dev/null; kill -$signal $child 2>/dev/null; wait $child 2>/dev/null
if [ -n "$folder" ]; then rm -rf "$folder"; fi`

// start runs a program under the guard, as an unprivileged user when this is
// root. The folder, if any is given, is removed when the program has ended.
func start(folder, signal, log string, as *syscall.Credential, args ...string) (*Program, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	hold, release, err := pipes()
	if err != nil {
		return nil, err
	}
	defer release()
	cmd := exec.Command("/bin/sh", append([]string{"-c", guard, "guard", folder, signal}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = hold.read, out, out, []*os.File{hold.idWrite}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: as}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	_ = cmd.Process.Release()
	_ = hold.idWrite.Close()
	var pid int
	if _, err := fmt.Fscan(hold.idRead, &pid); err != nil {
		_ = hold.write.Close()
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	return &Program{Pid: pid, hold: hold.write, Log: log}, nil
}

type pipePair struct{ read, write, idRead, idWrite *os.File }

func pipes() (p pipePair, release func(), err error) {
	if p.read, p.write, err = os.Pipe(); err != nil {
		return p, nil, err
	}
	if p.idRead, p.idWrite, err = os.Pipe(); err != nil {
		return p, nil, err
	}
	return p, func() { _, _ = p.read.Close(), p.idRead.Close() }, nil
}

// Stop ends the program; it is gone soon after.
func (p *Program) Stop() { _ = p.hold.Close() }

// Signal sends a signal to the program.
func (p *Program) Signal(s syscall.Signal) error { return syscall.Kill(p.Pid, s) }

// binary finds an installed program, in the PATH or where Debian keeps it.
func binary(name string, folders ...string) (string, error) {
	for _, pattern := range folders {
		found, _ := filepath.Glob(filepath.Join(pattern, name)) // the patterns are well-formed
		if len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("the tests need %s: run make services, or install it", name)
	}
	return path, nil
}

// FreePort is a TCP port of 127.0.0.1 that nobody listens on now.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// unprivileged is a user for programs that refuse to run as root; nil when
// this process is not root's.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
	}
	return nil, fmt.Errorf("root cannot run PostgreSQL, and there is no user postgres or nobody")
}

// folder makes a temporary folder that belongs to a user.
func folder(name string, owner *syscall.Credential) (string, error) {
	return folderIn("", name, owner)
}

func folderIn(parent, name string, owner *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp(parent, "wenzhen-"+name+"-")
	if err == nil && owner != nil {
		err = os.Chown(dir, int(owner.Uid), int(owner.Gid))
	}
	return dir, err
}

// run runs a program to its end, in a folder that its user may enter.
func run(as *syscall.Credential, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
	return cmd.CombinedOutput()
}

// await waits until a program answers.
func await(what string, p *Program, ready func() error) error {
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = ready(); err == nil {
			return nil
		}
		if gone := syscall.Kill(p.Pid, 0); gone != nil {
			break
		}
	}
	said, _ := os.ReadFile(p.Log)
	return fmt.Errorf("%s did not start: %w\n%s", what, err, said)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
