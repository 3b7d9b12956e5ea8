package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// Both specifications are served to anyone.
func TestDocuments(t *testing.T) {
	t.Parallel()
	w := start(t)
	for path, member := range map[string]string{"/api/openapi.json": "openapi", "/api/asyncapi.json": "asyncapi"} {
		response, err := w.http.Get(w.base + path)
		must(t, err)
		body, err := io.ReadAll(response.Body)
		must(t, err)
		must(t, response.Body.Close())
		var document map[string]json.RawMessage
		must(t, json.Unmarshal(body, &document))
		if response.StatusCode != http.StatusOK || document[member] == nil {
			t.Errorf("%s: %d, %.60s", path, response.StatusCode, body)
		}
	}
}
