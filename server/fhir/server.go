package fhir

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"wenzhen.example/rooms"
)

// Base is where the API is, under the server's address.
const Base = "/api/v1/fhir/R4"

// Server answers the API.
type Server struct {
	catalogue *rooms.Catalogue
	public    func() string
	now       func() time.Time
}

// New makes the server. public is the address at which others reach Wenzhen.
func New(catalogue *rooms.Catalogue, public func() string, now func() time.Time) *Server {
	return &Server{catalogue: catalogue, public: public, now: now}
}

// resource is a FHIR resource, or a part of one, on its way to JSON.
type resource = map[string]any

// request is one request in the name of someone.
type request struct {
	ctx       context.Context
	actor     rooms.Actor
	catalogue *rooms.Catalogue
	base      string
	now       time.Time
	query     url.Values
	days      *time.Location // once it is known (zone)
}

// kind is a type of resource: how all that the asker may see of it are found,
// and by what a search narrows them.
type kind struct {
	// find yields resources; it may use parameters of the query to look at less.
	find func(*request) ([]resource, error)
	// read finds one by its id; nil looks through what find yields.
	read   func(r *request, id string) (resource, error)
	params map[string]param
}

// Answer answers GET [base]/path?query with a resource as JSON: path is
// "metadata", "Type" or "Type/id". Errors: not_found, invalid, and those of
// the commands that are asked.
func (s *Server) Answer(ctx context.Context, actor rooms.Actor, path string, query url.Values) ([]byte, error) {
	r := &request{ctx: ctx, actor: actor, catalogue: s.catalogue, base: s.public() + Base, now: s.now(), query: query}
	name, id, single := strings.Cut(strings.TrimSuffix(path, "/"), "/")
	if name == "metadata" && !single {
		return json.Marshal(r.capabilities())
	}
	k, known := kinds()[name]
	if !known {
		return nil, rooms.NotFound("resource type " + strconv.Quote(name))
	}
	if single {
		found, err := r.one(name, k, id)
		if err != nil {
			return nil, err
		}
		return json.Marshal(found)
	}
	bundle, err := r.search(name, k)
	if err != nil {
		return nil, err
	}
	return json.Marshal(bundle)
}

func (r *request) one(name string, k kind, id string) (resource, error) {
	if k.read != nil {
		return k.read(r, id)
	}
	r.query = url.Values{}
	all, err := k.find(r)
	if err != nil {
		return nil, err
	}
	for _, found := range all {
		if found["id"] == id {
			return found, nil
		}
	}
	return nil, rooms.NotFound(name)
}

// Pages of a search.
const (
	countUsual = 50
	countMost  = 200
)

// search makes a Bundle of one page. _count is 1 to 200, 50 by default; the
// link "next" leads to the following page.
func (r *request) search(name string, k kind) (resource, error) {
	count, err := r.whole("_count", countUsual, 1, countMost)
	if err != nil {
		return nil, err
	}
	offset, err := r.whole("_offset", 0, 0, 1_000_000)
	if err != nil {
		return nil, err
	}
	tests, err := r.tests(k)
	if err != nil {
		return nil, err
	}
	all, err := k.find(r)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(found resource) bool {
		return slices.ContainsFunc(tests, func(fits func(resource) bool) bool { return !fits(found) })
	})
	page := all[min(offset, len(all)):min(offset+count, len(all))]
	entries := make([]resource, len(page))
	for i, found := range page {
		entries[i] = resource{"fullUrl": fmt.Sprintf("%s/%s/%s", r.base, name, found["id"]), "resource": found, "search": resource{"mode": "match"}}
	}
	links := []resource{{"relation": "self", "url": r.link(name, offset)}}
	if offset+count < len(all) {
		links = append(links, resource{"relation": "next", "url": r.link(name, offset+count)})
	}
	bundle := resource{"resourceType": "Bundle", "type": "searchset", "total": len(all), "link": links}
	if len(entries) > 0 {
		bundle["entry"] = entries
	}
	return bundle, nil
}

func (r *request) link(name string, offset int) string {
	query := maps.Clone(r.query)
	query.Del("_offset")
	if offset > 0 {
		query.Set("_offset", strconv.Itoa(offset))
	}
	if len(query) == 0 {
		return r.base + "/" + name
	}
	return r.base + "/" + name + "?" + query.Encode()
}

func (r *request) whole(name string, usual, least, most int) (int, error) {
	text := r.query.Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, rooms.Invalid(name, "%s must be %d to %d", name, least, most)
	}
	return n, nil
}

// ask sends a command in the name of whose request it is.
func ask[In, Out any](r *request, command rooms.Command[In, Out], in In) (Out, error) {
	var out Out
	raw, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	answer, err := r.catalogue.Answer(r.ctx, r.actor, command.Name, raw)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(answer, &out)
}

// issues are what FHIR calls our errors (value set issue-type).
var issues = map[rooms.Code]string{
	rooms.CodeInvalid: "invalid", rooms.CodeUnauthenticated: "login", rooms.CodeForbidden: "forbidden", rooms.CodeNotFound: "not-found",
	rooms.CodeConflict: "conflict", rooms.CodeClosed: "conflict", rooms.CodePaymentRequired: "business-rule", rooms.CodeRateLimited: "throttled",
	rooms.CodeTooLarge: "too-costly", rooms.CodeUnavailable: "transient", rooms.CodeInternal: "exception",
}

// Outcome is an error as an OperationOutcome.
func (s *Server) Outcome(e *rooms.Error) []byte {
	issue := resource{"severity": "error", "code": issues[e.Code], "details": resource{"text": e.Message}}
	if e.Field != "" {
		issue["expression"] = []string{e.Field}
	}
	if e.TraceID != "" {
		issue["diagnostics"] = "trace " + e.TraceID
	}
	body, _ := json.Marshal(resource{"resourceType": "OperationOutcome", "issue": []resource{issue}}) // strings always encode
	return body
}
