package record

import (
	"context"
	"strconv"

	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/store/engine"
)

// storedDecision is a decision with its key.
type storedDecision struct {
	record.Decision
	document record.DocumentID
	num      int
}

type decisionColumn = engine.Column[storedDecision]

var decisionRow = engine.RowOf(
	decisionColumn{Name: "document_id", To: func(d *storedDecision) any { return &d.document }},
	decisionColumn{Name: "num", To: func(d *storedDecision) any { return &d.num }},
	decisionColumn{Name: "status", To: func(d *storedDecision) any { return &d.Status }},
	decisionColumn{Name: "by_id", To: func(d *storedDecision) any { return &d.By }},
	decisionColumn{Name: "by_name", To: func(d *storedDecision) any { return &d.ByName }},
	decisionColumn{Name: "at", To: func(d *storedDecision) any { return (*engine.At)(&d.At) }},
	decisionColumn{Name: "reason", To: func(d *storedDecision) any {
		return engine.DecryptAt(func() string { return decisionPlace(d.document, d.num) }, &d.Reason)
	}},
	decisionColumn{Name: "sha256", To: func(d *storedDecision) any { return &d.SHA256 }},
	decisionColumn{Name: "seal", To: func(d *storedDecision) any { return &d.Seal }},
	decisionColumn{Name: "key_id", To: func(d *storedDecision) any { return &d.KeyID }},
)

func decisions(ctx context.Context, q engine.Querier, id record.DocumentID) ([]record.Decision, error) {
	return engine.Collect(ctx, q, func(s engine.Scanner) (record.Decision, error) {
		var d storedDecision
		err := decisionRow.Scan(s, &d)
		return d.Decision, err
	}, `SELECT `+decisionRow.Columns("")+` FROM decisions WHERE document_id = $1 ORDER BY num`, id)
}

// AddDecision implements record.Tx.
func (tx Tx) AddDecision(id record.DocumentID, num int, d record.Decision) error {
	return tx.Insert("decisions",
		engine.Set("document_id", id),
		engine.Set("num", num),
		engine.Set("status", d.Status),
		engine.Set("by_id", d.By),
		engine.Set("by_name", d.ByName),
		engine.Set("at", engine.Micros(d.At)),
		engine.Set("reason", tx.Keys().Encrypt(decisionPlace(id, num), d.Reason)),
		engine.Set("sha256", d.SHA256),
		engine.Set("seal", d.Seal),
		engine.Set("key_id", d.KeyID),
	)
}

func decisionPlace(id record.DocumentID, num int) string {
	return "decisions.reason/" + string(id) + "/" + strconv.Itoa(num)
}
