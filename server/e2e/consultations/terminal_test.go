package consultations_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/client/terminal"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// screen is a terminal with somebody at it.
type screen struct {
	t     testing.TB
	who   string
	stdin *io.PipeWriter
	ended chan error

	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// sits starts `wenzhen chat` for a person.
func sits(p *e2e.Person, name string) *screen {
	in, stdin := io.Pipe()
	s := &screen{t: p.World.T, who: name, stdin: stdin, ended: make(chan error, 1)}
	opts := terminal.Options{Server: p.World.Base, As: p.User.Email, Password: e2e.Password}
	go func() { s.ended <- terminal.Run(p.World.T.Context(), opts, in, s) }()
	p.World.T.Cleanup(func() { _ = stdin.Close() })
	return s
}

func (s *screen) types(line string) {
	s.t.Helper()
	_, err := fmt.Fprintln(s.stdin, line)
	e2e.Must(s.t, err)
}

// sees waits for a text on the screen.
func (s *screen) sees(text string) {
	s.t.Helper()
	for end := time.Now().Add(e2e.Patience); !strings.Contains(s.shown(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s never saw %q:\n%s", s.who, text, s.shown())
		}
	}
}

// A doctor and a patient talk in two terminals, over a restart of the server.
func TestTwoTerminals(t *testing.T) {
	t.Parallel()
	addr := e2e.FreeAddress(t)
	w := e2e.Start(t, func(c *app.Config) { c.Addr = addr })
	bo, wang := w.Patient("bo"), w.Doctor("wang")

	doctor := sits(wang, "wang")
	doctor.sees("Hello wang")
	doctor.sees("No open consultations.")
	id := bo.Consults(wang, "a headache")
	doctor.sees("** bo waits (/join " + string(id)) // the complaint is shown to those who join
	patient := sits(bo, "bo")
	patient.sees("== bo with wang, waiting: a headache")
	doctor.types("/accept")
	doctor.sees("!! /join a consultation first")
	doctor.types("/join " + string(id))
	doctor.sees("== bo with wang")
	doctor.types("/accept")
	patient.sees("-- the consultation is active")
	doctor.types("since when?")
	patient.sees("wang: since when?")
	doctor.sees("wang: since when? ✓")
	doctor.sees("✓✓ read by bo")

	e2e.Must(t, w.Stop())
	patient.sees("-- the connection is down")
	patient.types("since Monday")
	w.Run(addr)
	doctor.sees("bo: since Monday")
	patient.sees("-- connected again")
	patient.sees("bo: since Monday ✓")

	doctor.types("/shout")
	doctor.sees("!! there is no /shout")
	doctor.types("/list")
	doctor.sees("active   bo – wang: a headache")
	doctor.types("/end")
	patient.sees("-- the consultation is ended")
	patient.types("one more thing")
	patient.sees("!! conflict: nothing can be said while the consultation is ended")
	patient.types("/quit")
	e2e.Must(t, e2e.Await(t, "the end of bo's terminal", patient.ended))
	e2e.Must(t, doctor.stdin.Close())
	e2e.Must(t, e2e.Await(t, "the end of wang's terminal", doctor.ended))
}
