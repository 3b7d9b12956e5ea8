package edge

import (
	"bufio"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zishang520/socket.io/v2/socket"
)

// shippedEnv makes the test binary run the library as shipped, which may crash:
// "plain", or with connection state "recovery".
const shippedEnv = "EDGE_TEST_SERVE_SHIPPED"

// serveShipped serves the library until the process is killed.
func serveShipped(mode string) {
	opts := socket.DefaultServerOptions()
	opts.SetPingInterval(100 * time.Millisecond)
	opts.SetPingTimeout(80 * time.Millisecond)
	if mode == "recovery" {
		opts.SetConnectionStateRecovery(&socket.ConnectionStateRecovery{})
	}
	io := socket.NewServer(nil, opts)
	io.On("connection", func(args ...any) { shippedSocket(io, args[0].(*socket.Socket)) })
	io.Of("/slow", nil).On("connection", func(args ...any) {
		time.Sleep(5 * time.Millisecond)
		shippedSocket(io, args[0].(*socket.Socket))
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io.ServeHandler(nil))
	mux.HandleFunc("/goroutines", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, runtime.NumGoroutine())
	})
	mux.HandleFunc("/close", func(w http.ResponseWriter, _ *http.Request) { io.Close(nil) })
	server := httptest.NewServer(mux)
	fmt.Println("serving", server.URL)
	select {}
}

// shippedSocket has the events of fixtureHandler, for the library.
func shippedSocket(io *socket.Server, s *socket.Socket) {
	var mu sync.Mutex
	var order []float64
	s.On("echo", func(args ...any) {
		if ack, ok := args[len(args)-1].(socket.Ack); ok {
			ack(args[:len(args)-1], nil)
			return
		}
		s.Emit("echo-back", args...)
	})
	s.On("burst", func(args ...any) {
		for i := range 100 {
			io.Emit("b", i)
		}
	})
	s.On("n", func(args ...any) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, args[0].(float64))
	})
	s.On("inversions", func(args ...any) {
		mu.Lock()
		defer mu.Unlock()
		n := 0
		for i := 1; i < len(order); i++ {
			if order[i] < order[i-1] {
				n++
			}
		}
		args[len(args)-1].(socket.Ack)([]any{len(order), n}, nil)
	})
	s.On("sleep", func(...any) { select {} }) // until the process is killed
	s.On("kick", func(...any) { s.Disconnect(true) })
	s.On("panic", func(...any) { panic("handler") })
	s.On("nan", func(...any) { s.Emit("nan", math.NaN()) })
	s.On("who", func(args ...any) {
		args[len(args)-1].(socket.Ack)([]any{s.Handshake().Auth, s.Handshake().Address}, nil)
	})
}

// child is the library as shipped, in another process.
type child struct {
	target
	died chan string // its standard error, once it has ended
	stop func()      // ends it; may be called more than once
}

// libraryPatience is the maximum time to wait for a message of the library.
const libraryPatience = time.Second

// children limits how many run at a time.
var children = make(chan bool, 2)

func shipped(t *testing.T, mode string) *child {
	t.Helper()
	children <- true
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), shippedEnv+"="+mode)
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{died: make(chan string, 1)}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
			c.target = target{t, url, libraryPatience}
			break
		}
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for lines.Scan() {
		}
		command.Wait()
		c.died <- stderr.String()
	}()
	c.stop = sync.OnceFunc(func() {
		command.Process.Kill()
		<-finished
		<-children
	})
	t.Cleanup(c.stop)
	return c
}

// dies reports whether the process crashes within a time.
func (c *child) dies(within time.Duration) bool {
	select {
	case out := <-c.died:
		c.died <- out
		return strings.Contains(out, "panic") || strings.Contains(out, "fatal error")
	case <-time.After(within):
		return false
	}
}
