package e2e

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Private asks the operator's listener.
func (w *World) Private(path string) (int, string) {
	w.T.Helper()
	at := w.Watched
	if at == "" {
		at = w.Server.MetricsURL()
	}
	request, err := http.NewRequestWithContext(w.T.Context(), "GET", at+path, nil)
	Must(w.T, err)
	response, err := w.HTTP.Do(request)
	Must(w.T, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	Must(w.T, err)
	return response.StatusCode, string(body)
}

// Metrics are the samples of a scrape, by name and labels as they are written.
func (w *World) Metrics() map[string]float64 {
	w.T.Helper()
	status, text := w.Private("/metrics")
	if status != http.StatusOK {
		w.T.Fatalf("/metrics answers %d: %s", status, text)
	}
	samples := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		if i := strings.LastIndexByte(line, ' '); i > 0 && line[0] != '#' {
			v, err := strconv.ParseFloat(line[i+1:], 64)
			Must(w.T, err)
			samples[line[:i]] = v
		}
	}
	return samples
}
