package terminal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// The demo's accounts can be given by their first names.
const (
	demoDomain   = "@wenzhen.example"
	demoPassword = "wenzhen-demo"
)

// Options configure Chat.
type Options struct {
	Server   string // http://localhost:8080 by default
	As       string // e-mail address; a name without @ is one of the demo's accounts
	Password string // for the demo's accounts, that of the demo by default
	With     consultation.ID
}

// fill returns the options with defaults.
func (o Options) fill() Options {
	if o.Server == "" {
		o.Server = "http://localhost:8080"
	}
	if !strings.Contains(o.As, "@") {
		o.As += demoDomain
	}
	if o.Password == "" && strings.HasSuffix(o.As, demoDomain) {
		o.Password = demoPassword
	}
	return o
}

// Run logs in, joins a consultation (the latest open one unless With is set),
// prints its messages, and sends each line of stdin, until /quit, the end of stdin or
// of ctx. It reconnects after a restart of the server. The goroutine that reads stdin
// ends with stdin.
func Run(ctx context.Context, opts Options, stdin io.Reader, stdout io.Writer) (err error) {
	opts = opts.fill()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	t := &terminal{out: stdout}
	c, err := client.Login(ctx, opts.Server, opts.As, opts.Password, client.WithStatus(t.status))
	if err != nil {
		return fmt.Errorf("log in as %s at %s: %w", opts.As, opts.Server, err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if closed := c.Close(closing); err == nil {
			err = closed
		}
	}()
	self, err := client.Do(ctx, c, account.Me, rooms.Nothing{})
	if err != nil {
		return err
	}
	if err := c.Connect(ctx); err != nil {
		return err
	}
	s := &shell{Client: c, terminal: t, me: self.User}
	defer s.leave()
	client.OnEvent(c, consultation.ConsultationUpdated, s.announce)
	t.line("Hello %s. /list /join ID /accept /end /quit", self.User.Name)
	if err := s.begin(ctx, opts.With); err != nil {
		return err
	}
	return s.runCommands(ctx, lines(ctx, stdin))
}

// lines reads stdin line by line.
func lines(ctx context.Context, stdin io.Reader) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		in := bufio.NewScanner(stdin)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			select {
			case out <- strings.TrimSpace(in.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}
