package load

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// ticks is the number of ticks per second in /proc (USER_HZ), which is 100 on all
// current Linux systems.
const ticks = 100

// process is the server's process in /proc.
type process struct{ pid int }

// cpu returns the CPU time of the process, in user mode and in the kernel.
func (p process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0, err
	}
	// The second field is a name in brackets that may contain spaces.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is too short", p.pid)
	}
	var sum int64
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks, nil
}

// rss returns the process's resident memory in bytes.
func (p process) rss() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/statm is too short", p.pid)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// meter measures the server's CPU time during an interval.
type meter struct {
	process process
	began   time.Time
	cpu     time.Duration
}

// start begins the interval. Without Options.PID only time is measured.
func (m *meter) start(o Options) error {
	m.process.pid = o.PID
	var err error
	if o.PID > 0 {
		m.cpu, err = m.process.cpu()
	}
	m.began = time.Now()
	return err
}

// stop ends the interval and sets the measured fields of r. It needs r.Operations.
func (m *meter) stop(r *Result) error {
	r.Seconds = time.Since(m.began).Seconds()
	r.PerSecond = float64(r.Operations) / r.Seconds
	if m.process.pid == 0 {
		return nil
	}
	cpu, err := m.process.cpu()
	if err != nil {
		return err
	}
	spent := cpu - m.cpu
	r.CPUCores = spent.Seconds() / r.Seconds
	if r.Operations > 0 {
		r.CPUMicros = float64(spent.Microseconds()) / float64(r.Operations)
	}
	return nil
}
