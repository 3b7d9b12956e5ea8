package consultations_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"wenzhen.example/server/e2e"
)

// Both specifications are served to anyone.
func TestDocuments(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	for path, member := range map[string]string{"/api/openapi.json": "openapi", "/api/asyncapi.json": "asyncapi"} {
		response, err := w.HTTP.Get(w.Base + path)
		e2e.Must(t, err)
		body, err := io.ReadAll(response.Body)
		e2e.Must(t, err)
		e2e.Must(t, response.Body.Close())
		var document map[string]json.RawMessage
		e2e.Must(t, json.Unmarshal(body, &document))
		if response.StatusCode != http.StatusOK || document[member] == nil {
			t.Errorf("%s: %d, %.60s", path, response.StatusCode, body)
		}
	}
}
