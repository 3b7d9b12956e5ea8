package operation_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// collector is an OpenTelemetry collector: it takes traces over HTTP and keeps them.
type collector struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	all      bytes.Buffer // as it came
	header   http.Header  // of the last request
	resource []*commonpb.KeyValue
	spans    []*tracepb.Span
}

func newCollector(t testing.TB) *collector {
	c := &collector{t: t}
	c.Server = httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(c.Close)
	return c
}

// take reads an ExportTraceServiceRequest, which is a TracesData on the wire.
func (c *collector) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var traces tracepb.TracesData
	if err == nil {
		err = proto.Unmarshal(body, &traces)
	}
	if err != nil || r.URL.Path != "/v1/traces" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.t.Errorf("the collector gets %s %s, %s: %v", r.Method, r.URL, r.Header.Get("Content-Type"), err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all.Write(body)
	c.header = r.Header
	for _, resource := range traces.ResourceSpans {
		c.resource = resource.Resource.Attributes
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// text is everything that came.
func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all.String()
}

// settings trace to the collector.
func (c *collector) settings(cfg *app.Config) {
	cfg.OTLPEndpoint, cfg.OTLPHeaders = c.URL, "X-Scope-OrgID=clinic, Authorization=Bearer abc=="
}

// span waits for the span at the end of a path of names, each below the one
// before, the first being the topmost of ours in its trace. trace is the name
// of the trace, or "" for any.
func (c *collector) span(trace string, path ...string) *tracepb.Span {
	c.t.Helper()
	var found *tracepb.Span
	defer func() {
		if found == nil {
			c.t.Logf("there are:\n%s", c.tree(trace))
		}
	}()
	e2e.Eventually(c.t, strings.Join(path, " > ")+" in trace "+trace, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		i := slices.IndexFunc(c.spans, func(s *tracepb.Span) bool { return c.leadsTo(s, trace, path) })
		if i >= 0 {
			found = c.spans[i]
		}
		return i >= 0
	})
	return found
}

// leadsTo reports whether path has the names of a span and of all its
// ancestors. c.mu is held.
func (c *collector) leadsTo(s *tracepb.Span, trace string, path []string) bool {
	if len(path) == 0 || s.Name != path[len(path)-1] || trace != "" && traceOf(s) != trace {
		return false
	}
	above := slices.IndexFunc(c.spans, func(p *tracepb.Span) bool {
		return bytes.Equal(p.TraceId, s.TraceId) && bytes.Equal(p.SpanId, s.ParentSpanId)
	})
	if above < 0 {
		return len(path) == 1
	}
	return c.leadsTo(c.spans[above], trace, path[:len(path)-1])
}

// tree is the names of all spans of a trace, for a person.
func (c *collector) tree(trace string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, s := range c.spans {
		if trace == "" || traceOf(s) == trace {
			fmt.Fprintf(&b, "%s %x below %x: %s\n", traceOf(s), s.SpanId, s.ParentSpanId, s.Name)
		}
	}
	return b.String()
}

func traceOf(s *tracepb.Span) string { return hex.EncodeToString(s.TraceId) }

// attributes are those of a span, as text.
func attributes(list []*commonpb.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range list {
		switch v := a.Value.Value.(type) {
		case *commonpb.AnyValue_StringValue:
			all[a.Key] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			all[a.Key] = fmt.Sprint(v.IntValue)
		default:
			all[a.Key] = a.Value.String()
		}
	}
	return all
}
