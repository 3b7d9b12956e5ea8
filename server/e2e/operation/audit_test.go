package operation_test

import (
	"bytes"
	"strings"
	"testing"

	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// The audit log is verified and exported while the server runs. The export is
// verified without the database, and a change to either is detected.
func TestAuditLogIsVerifiedAndExported(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	c := bo.Followup(wang)
	wang.Diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}})
	for range 3 {
		e2e.Do(wang, record.ReadRecord, record.PatientRef{PatientID: c.PatientID})
	}
	v, err := cli.VerifyAudit(t.Context(), placeOf(w), e2e.Quiet)
	e2e.Must(t, err)
	if !v.OK || v.Entries < 4 {
		t.Errorf("the log is %+v", v)
	}
	var out bytes.Buffer
	n, err := cli.ExportAudit(t.Context(), placeOf(w), &out, e2e.Quiet)
	e2e.Must(t, err)
	lines := strings.SplitAfter(strings.TrimSuffix(out.String(), "\n"), "\n")
	if n != v.Entries+1 || !strings.Contains(lines[n-1], audit.AuditExported) || int(n) != len(lines) || !strings.Contains(out.String(), `"action":"record:read"`) {
		t.Errorf("%d entries in %d lines: %s", n, len(lines), out.String())
	}
	for name, c := range map[string]struct {
		export string
		broken int64
	}{
		"as it is":     {out.String(), 0},
		"one left out": {strings.Join(append(append([]string{}, lines[:1]...), lines[2:]...), ""), 3},
		"one changed":  {strings.Replace(out.String(), `"record:read"`, `"record:peek"`, 1), n - 3},
	} {
		v, err := cli.VerifyExportedAudit(strings.NewReader(c.export))
		e2e.Must(t, err)
		if v.OK != (c.broken == 0) || v.BrokenAt != c.broken {
			t.Errorf("%s: %+v, want it broken at %d", name, v, c.broken)
		}
	}
	if _, err := cli.VerifyExportedAudit(strings.NewReader(lines[0] + "and then")); err == nil {
		t.Error("half an export is taken for one")
	}
}
