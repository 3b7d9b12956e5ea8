package tracing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// collector takes traces over HTTP, as binary protobuf (OTLP 1.x). It is an
// otlptrace.Client; the one that OpenTelemetry brings drags gRPC along
// (docs/decisions/0029-opentelemetry-traces.md).
type collector struct {
	url    string
	header http.Header
	client *http.Client
}

// newCollector reads the settings of a collector.
func newCollector(endpoint, headers string) (*collector, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, setting("--otlp-endpoint must be http:// or https:// and a host; a login goes into --otlp-headers")
	}
	header := http.Header{"Content-Type": {"application/x-protobuf"}, "User-Agent": {"wenzhen"}}
	for pair := range strings.SplitSeq(headers, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, setting("--otlp-headers must be name=value, with commas between several")
		}
		header.Set(name, strings.TrimSpace(value))
	}
	return &collector{url: u.JoinPath("v1", "traces").String(), header: header, client: &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Start implements otlptrace.Client.
func (c *collector) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *collector) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// later is a refusal after which the same may be sent again.
type later struct {
	error
	after time.Duration // at the earliest; 0 if it was not said
}

// partly is an answer by which the collector did not take some of the spans.
type partly struct{ rejected int64 }

// Error implements error.
func (p partly) Error() string { return fmt.Sprintf("the collector rejected %d spans", p.rejected) }

// UploadTraces implements otlptrace.Client. The error is later, partly, or one
// that would come again.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// An ExportTraceServiceRequest is a TracesData on the wire.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = c.header
	answer, err := c.client.Do(r)
	if err != nil {
		return later{error: err}
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	switch {
	case answer.StatusCode/100 == 2 && err == nil:
		if n := rejected(said); n > 0 && strings.HasPrefix(answer.Header.Get("Content-Type"), "application/x-protobuf") {
			return partly{n}
		}
		return nil
	case answer.StatusCode/100 == 2:
		return nil // it has them; what it says of them got lost
	}
	refused := errors.New("the collector answers " + answer.Status)
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After")) // 0 where it is a date, or none
		return later{refused, time.Duration(max(0, seconds)) * time.Second}
	}
	return refused
}

// rejected reads partial_success.rejected_spans of an ExportTraceServiceResponse.
func rejected(response []byte) int64 {
	success, _ := field(response, 1, protowire.BytesType)
	_, n := field(success, 1, protowire.VarintType)
	return int64(n)
}

// field finds a field of a protobuf message: its bytes, or its number.
func field(message []byte, number protowire.Number, kind protowire.Type) ([]byte, uint64) {
	for len(message) > 0 {
		num, typ, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil, 0
		}
		message = message[n:]
		if num == number && typ == kind {
			if kind == protowire.BytesType {
				content, _ := protowire.ConsumeBytes(message)
				return content, 0
			}
			value, _ := protowire.ConsumeVarint(message)
			return nil, value
		}
		if n = protowire.ConsumeFieldValue(num, typ, message); n < 0 {
			return nil, 0
		}
		message = message[n:]
	}
	return nil, 0
}
