package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"wenzhen.example/server/realtime/edge"
)

// The official JavaScript client, unmodified, connects with every option and
// sends every form of events: testdata/official.mjs.
func TestOfficialClient(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	for _, path := range []string{"/socket.io", "/clinic/realtime"} {
		s := edge.New(edge.Config{Path: path})
		s.Namespace("/", suite{})
		s.Namespace("/custom", suite{})
		mux.Handle(path+"/", s)
		t.Cleanup(func() {
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	frontend, err := filepath.Abs("../../../static/package.json")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", "testdata/official.mjs", frontend, server.URL).CombinedOutput()
	if err != nil {
		t.Fatalf("%v (it needs Node and `npm ci` in static)\n%s", err, out)
	}
	t.Logf("%s", out)
}
