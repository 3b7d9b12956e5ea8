package e2e

import "golang.org/x/sys/unix"

// Full makes a process find its disk full from now on, or no more: it may not
// write to any file. Unlike a small disk of its own this takes no privilege.
func (p *Process) Full(yes bool) {
	p.T.Helper()
	var limit unix.Rlimit
	Must(p.T, unix.Prlimit(p.Cmd.Process.Pid, unix.RLIMIT_FSIZE, nil, &limit))
	if limit.Cur = limit.Max; yes {
		limit.Cur = 0
	}
	Must(p.T, unix.Prlimit(p.Cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil))
}
