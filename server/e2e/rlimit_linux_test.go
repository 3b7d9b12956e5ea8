package e2e_test

import "golang.org/x/sys/unix"

// full makes a process find its disk full from now on, or no more: it may not
// write to any file. Unlike a small disk of its own this takes no privilege.
func (p *process) full(yes bool) {
	p.t.Helper()
	var limit unix.Rlimit
	must(p.t, unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, nil, &limit))
	if limit.Cur = limit.Max; yes {
		limit.Cur = 0
	}
	must(p.t, unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil))
}
