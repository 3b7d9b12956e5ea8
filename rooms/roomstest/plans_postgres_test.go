package roomstest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/rooms/store/engine"
)

// TestStatementsUseIndexesOnPostgres is TestStatementsUseIndexes for the
// statements and the plans of PostgreSQL. The tables are empty, and whatever
// does without an index costs the planner more than any index: a scan of a whole
// table or index shows that there is no index for the condition.
func TestStatementsUseIndexesOnPostgres(t *testing.T) {
	t.Parallel()
	statements := statementsOf(t, roomstest.OnPostgres)
	url := sidecar.Postgres(t).Database(t, func(ctx context.Context, url string) error {
		return engine.Migrate(ctx, engine.Options{URL: url})
	})
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	for _, setting := range []string{"enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off", "plan_cache_mode = force_generic_plan"} {
		if _, err := db.Exec(t.Context(), "SET "+setting); err != nil {
			t.Fatal(err)
		}
	}
	reasons := postgresScans
	if roomstest.Encrypted() {
		reasons = maps.Clone(postgresScans)
		reasons["FROM data_keys"] = "some keys"
	}
	checkScans(t, statements, reasons, func(statement string) []string {
		scans, err := postgresPlan(t.Context(), db, statement)
		if err != nil {
			t.Errorf("%v: %s", err, statement)
		}
		return scans
	})
}

// node is a step of a plan of PostgreSQL.
type node struct {
	Kind  string `json:"Node Type"`
	Table string `json:"Relation Name"`
	Index string `json:"Index Name"`
	Cond  string `json:"Index Cond"`
	Plans []node
}

// postgresPlan lists the steps of a plan that read a whole table or index.
func postgresPlan(ctx context.Context, db *pgx.Conn, statement string) ([]string, error) {
	prepared, err := db.Prepare(ctx, "plan", statement)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Deallocate(context.WithoutCancel(ctx), "plan") }()
	nulls := strings.TrimSuffix(strings.Repeat("NULL,", len(prepared.ParamOIDs)), ",")
	if nulls != "" {
		nulls = "(" + nulls + ")"
	}
	var out []byte
	if err := db.QueryRow(ctx, "EXPLAIN (FORMAT JSON) EXECUTE plan"+nulls, pgx.QueryExecModeSimpleProtocol).Scan(&out); err != nil {
		return nil, err
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal(out, &plans); err != nil {
		return nil, err
	}
	var scans []string
	var walk func(n node)
	walk = func(n node) {
		switch {
		case n.Kind == "Seq Scan":
			scans = append(scans, "SCAN "+n.Table)
		case strings.HasPrefix(n.Kind, "Index") && n.Cond == "":
			scans = append(scans, fmt.Sprintf("SCAN %s USING %s", n.Table, n.Index))
		}
		for _, below := range n.Plans {
			walk(below)
		}
	}
	for _, p := range plans {
		walk(p.Plan)
	}
	return scans, nil
}

// postgresScans are those of scans on PostgreSQL.
var postgresScans = map[string]string{
	"signing_keys":                  "some keys",
	"lobby_lines":                   "no more lines than the lobby keeps",
	"SCAN users USING users_admins": "the admins",
	"SCAN call_members USING call_members_session":          "those who are in a call now",
	"SCAN doctors USING doctors_pkey":                       "doctors, all of which an admin has verified or is going to look at",
	"FROM doctors d JOIN users u":                           "doctors, all of which an admin has verified or is going to look at",
	"FROM reconciliations ORDER BY day DESC":                "one row a day, read from the end until the page is full",
	"FROM legal_holds h":                                    "the accounts that an admin holds",
	"SCAN audit USING audit_pkey":                           "read from the end until the page is full",
	"(SELECT id FROM users WHERE lower(name) LIKE":          "an admin searches for a part of a word",
	"SCAN consultations USING consultations_created":        "an admin's list, read from the end until the page is full",
	"SCAN orders USING orders_created":                      "an admin's list, read from the end until the page is full",
	"SCAN users USING users_created":                        "an admin's list, read from the end until the page is full",
	"u.id IN (SELECT user_id FROM pharmacists)":             "pharmacists; the planner begins with them once it knows how few they are",
	"SCAN consultations USING consultations_status":         "an admin counts all",
	"SCAN deliveries: DELETE FROM deliveries WHERE user_id": "once, when an account is erased",
	"SCAN documents: DELETE FROM documents WHERE doctor_id": "once, when an account is erased",
}
