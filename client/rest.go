package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"wenzhen.example/rooms"
)

// Do sends a command over REST and returns its answer. The error is an
// *rooms.Error; if it is retryable, the command may still have been executed, as
// with Call.
func Do[In, Out any](ctx context.Context, c *Client, command rooms.Command[In, Out], in In) (Out, error) {
	route, ok := routeOf(command.Name)
	if ok && route.Anonymous {
		return send(ctx, c, command, in, "")
	}
	return authorized(ctx, c, func(token string) (Out, error) { return send(ctx, c, command, in, token) })
}

// authorized calls try with the access token, and again with a new one if the server
// refuses the first.
func authorized[Out any](ctx context.Context, c *Client, try func(token string) (Out, error)) (Out, error) {
	token, err := c.AccessToken(ctx)
	if err != nil {
		var none Out
		return none, err
	}
	out, err := try(token)
	if token == "" || rooms.CodeOf(err) != rooms.CodeUnauthenticated || c.refresh(ctx, token) != nil {
		return out, err
	}
	return try(c.tokens.access())
}

// send sends one request and returns the answer.
func send[In, Out any](ctx context.Context, c *Client, command rooms.Command[In, Out], in In, token string) (Out, error) {
	var out Out
	request, err := newRequest(ctx, c, command.Name, in)
	if err != nil {
		return out, err
	}
	response, err := c.request(request, token)
	if err != nil {
		return out, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNoContent {
		return out, nil
	}
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil {
		return out, rooms.Unavailable(err, "the answer to %s is incomplete", command.Name)
	}
	return out, nil
}

// request sends a request with a token. A status of 300 or more is an error. The
// caller closes the body.
func (c *Client) request(r *http.Request, token string) (*http.Response, error) {
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.opts.http.Do(r)
	if err != nil {
		return nil, rooms.Unavailable(err, "the server cannot be reached")
	}
	if response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	return nil, problem(response)
}

// problem returns the error of an answer. An answer that is no RFC 9457 problem is
// from a proxy; the error is unavailable then.
func problem(response *http.Response) error {
	var p struct {
		Code         rooms.Code      `json:"code"`
		Field        string          `json:"field"`
		Detail       string          `json:"detail"`
		Retryable    bool            `json:"retryable"`
		RetryAfterMs int64           `json:"retryAfterMs"`
		TraceID      string          `json:"traceId"`
		State        string          `json:"state"`
		Warnings     json.RawMessage `json:"warnings"`
	}
	err := json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&p)
	if err != nil || p.Code == "" {
		e := rooms.Unavailable(err, "the server answered %s", response.Status)
		e.Retryable = response.StatusCode >= 500
		return e
	}
	return &rooms.Error{Code: p.Code, Field: p.Field, Message: p.Detail, Retryable: p.Retryable,
		RetryAfterMs: p.RetryAfterMs, TraceID: p.TraceID, Status: p.State, Warnings: p.Warnings}
}

// newRequest makes the request of a command. Fields of the input that are parameters
// of the path go there; the others go into the query of a GET or DELETE, or the body
// of other methods.
func newRequest(ctx context.Context, c *Client, command string, in any) (*http.Request, error) {
	route, ok := routeOf(command)
	if !ok {
		return nil, rooms.Invalid("", "%s is not for REST; use Call", command)
	}
	raw, err := json.Marshal(in)
	fields := map[string]json.RawMessage{}
	if err == nil {
		err = json.Unmarshal(raw, &fields)
	}
	if err != nil {
		return nil, rooms.Invalid("", "the input cannot be encoded: %v", err)
	}
	path, err := fillPath(route.Path, fields)
	if err != nil {
		return nil, err
	}
	target := c.base + "/api/v1" + path
	var body io.Reader
	if route.Method == http.MethodGet || route.Method == http.MethodDelete {
		if query := queryOf(fields); query != "" {
			target += "?" + query
		}
	} else {
		raw, err := json.Marshal(fields)
		if err != nil {
			return nil, rooms.Invalid("", "the input cannot be encoded: %v", err)
		}
		body = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, route.Method, target, body)
	if err != nil {
		return nil, rooms.Invalid("", "%v", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// fillPath moves fields into the path's parameters.
func fillPath(path string, fields map[string]json.RawMessage) (string, error) {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		name, isParameter := strings.CutPrefix(part, ":")
		if !isParameter {
			continue
		}
		value := scalarText(fields[name])
		if value == "" {
			return "", rooms.Invalid(name, "%s is missing", name)
		}
		parts[i] = url.PathEscape(value)
		delete(fields, name)
	}
	return strings.Join(parts, "/"), nil
}

func queryOf(fields map[string]json.RawMessage) string {
	query := url.Values{}
	for name, value := range fields {
		query.Set(name, scalarText(value))
	}
	return query.Encode()
}

// scalarText returns a JSON scalar as text.
func scalarText(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}
