package consultations_test

import (
	"net/http"
	"strings"
	"testing"

	"wenzhen.example/server/e2e"
)

// A search compares each of its values with each resource; how many values it can
// have is bounded, in one parameter and in all of them together.
func TestFHIRSearchesHaveFewValues(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo := w.Patient("bo")
	ask := func(query string) (int, string) {
		a := w.Ask(t, http.MethodGet, "/api/v1/fhir/R4/Communication?"+query, bo.Tokens().AccessToken, "")
		return a.Status, string(a.Body)
	}
	many := func(n int) string { return strings.Repeat("x,", n-1) + "x" }
	if status, body := ask("sender=" + many(200)); status != http.StatusOK {
		t.Errorf("200 values: %d %s", status, body)
	}
	for name, query := range map[string]string{
		"in one parameter":  "sender=" + many(201),
		"repeated":          strings.Repeat("sender=x&", 201),
		"in two parameters": "sender=" + many(150) + "&subject=" + many(51),
	} {
		if status, body := ask(query); status != http.StatusBadRequest || !strings.Contains(body, "at most 200 values") || !strings.Contains(body, `"expression"`) {
			t.Errorf("201 values %s: %d %s", name, status, body)
		}
	}
}
