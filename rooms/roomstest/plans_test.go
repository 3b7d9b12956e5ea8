package roomstest_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/rooms/store/engine"
)

// scanOf is a line of a plan that reads all rows of a table, or all entries of
// an index.
var scanOf = regexp.MustCompile(`^SCAN (\w+)`)

// The statements of every command are asked for their plans. None reads a whole
// table that grows, except for those that are listed with their reasons.
func TestStatementsUseIndexes(t *testing.T) {
	t.Parallel()
	statements := statementsOf(t, roomstest.OnSQLite)
	db := planner(t)
	reasons := scans
	if roomstest.Encrypted() {
		reasons = maps.Clone(scans)
		delete(reasons, "FROM message_words WHERE message_words MATCH") // there is no index of words: messages are opened
		reasons["FROM data_keys"], reasons["FROM sealed_columns"] = "some keys", "one row a column"
	}
	checkScans(t, statements, reasons, func(statement string) []string {
		return slices.DeleteFunc(plan(t, db, statement), func(line string) bool {
			found := scanOf.FindStringSubmatch(line)
			return found == nil || found[1] == "CONSTANT"
		})
	})
}

// statementsOf are the statements of the whole story.
func statementsOf(t *testing.T, on func(*roomstest.World)) []string {
	t.Helper()
	var mu sync.Mutex
	statements := map[string]bool{}
	w := roomstest.New(t, on, func(w *roomstest.World) {
		w.Trace = func(ctx context.Context, s rooms.Span) (context.Context, rooms.EndSpan) {
			mu.Lock()
			defer mu.Unlock()
			if s.Statement != "" && s.Statement != "COMMIT" {
				statements[s.Statement] = true
			}
			return ctx, func(error) {}
		}
	})
	s := story{w: w, admin: w.Admin("ann"), wang: w.Doctor("wang"), bo: w.Patient("bo")}
	s.bo.Verifies()
	s.accounts()
	s.consultations()
	s.records()
	s.money()
	s.calls()
	s.schedules()
	s.reads()
	s.leavings()
	mu.Lock()
	defer mu.Unlock()
	if len(statements) < 250 {
		t.Errorf("only %d statements were seen", len(statements))
	}
	return slices.Sorted(maps.Keys(statements))
}

// checkScans reports each scan that is not on the list of those with reasons,
// and what is on the list without need.
func checkScans(t *testing.T, statements []string, reasons map[string]string, scansOf func(statement string) []string) {
	t.Helper()
	used := map[string]bool{}
	for _, statement := range statements {
		for _, line := range scansOf(statement) {
			reason := ""
			for part, why := range reasons {
				if strings.Contains(line+": "+statement, part) {
					reason, used[part] = why, true
				}
			}
			if reason == "" {
				t.Errorf("%s: %s", line, statement)
			}
		}
	}
	for part := range reasons {
		if !used[part] {
			t.Errorf("no statement with %q scans a table now: take it off the list", part)
		}
	}
}

// planner is an empty database with the schema.
func planner(t *testing.T) *sql.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plans.db")
	if err := engine.Migrate(t.Context(), engine.Options{Path: path}); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// plan is the plan of SQLite for a statement.
func plan(t *testing.T, db *sql.DB, statement string) []string {
	t.Helper()
	args := make([]any, strings.Count(statement, "$"))
	most := 0
	for n := range args {
		if strings.Contains(statement, fmt.Sprintf("$%d", n+1)) {
			most = n + 1
		}
	}
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args[:most]...)
	if err != nil {
		t.Fatalf("%v: %s", err, statement)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// scans are parts of plans, with their statements, that read a whole table or
// index, and the reason.
var scans = map[string]string{
	"FROM message_words WHERE message_words MATCH": "the index of words, by at most 16 words",
	") AS one":                                                     "a subquery of one row",
	"FROM signing_keys":                                            "some keys",
	"UPDATE signing_keys":                                          "some keys",
	"FROM lobby_lines":                                             "no more lines than the lobby keeps",
	"FROM reconciliations ORDER BY day DESC":                       "one row a day, read from the end until the page is full",
	"FROM doctors d JOIN users u":                                  "doctors, all of which an admin has verified or is going to look at",
	"FROM audit ORDER BY num DESC":                                 "read from the end until the page is full",
	"(SELECT id FROM users WHERE lower(name) LIKE":                 "an admin searches for a part of a word",
	"SCAN c USING INDEX consultations_created: SELECT c.id":        "an admin's list, read from the end until the page is full",
	"SCAN o USING INDEX orders_created: SELECT o.id":               "an admin's list, read from the end until the page is full",
	"SCAN u USING INDEX users_created: SELECT u.id":                "an admin's list, read from the end until the page is full",
	"SCAN users USING INDEX users_admins":                          "the admins",
	"SCAN consultations USING COVERING INDEX consultations_status": "an admin counts all",
	"SCAN deliveries: DELETE FROM deliveries WHERE user_id = $1":   "once, when an account is erased",
	"SCAN documents: DELETE FROM documents WHERE doctor_id = $1":   "once, when an account is erased",
	"SCAN h: SELECT h.user_id, u.name, u.email, h.reason, h.by_id": "the accounts that an admin holds",
}

// reads asks for everything that is only read, by everybody, with whatever each
// command accepts of some inputs.
func (s *story) reads() {
	patient := string(roomstest.Must(s.bo, account.Patients, rooms.Nothing{}).Items[0].ID)
	inputs := []string{`{}`, `{"limit":2}`, `{"q":"head"}`, `{"q":"head","consultationId":"` + string(s.c) + `"}`, `{"status":"active"}`, `{"role":"patient"}`,
		`{"unread":true}`, `{"after":0}`, `{"action":"auth:login"}`, `{"subject":"user:x"}`}
	for field, id := range map[string]string{"consultationId": string(s.c), "doctorId": string(s.wang.User.ID), "patientId": patient,
		"userId": string(s.bo.User.ID), "actorId": string(s.bo.User.ID)} {
		inputs = append(inputs, fmt.Sprintf(`{%q:%q}`, field, id))
	}
	next := rooms.Cursor{Key: "k", Num: 7, ID: "x"}.Encode()
	for _, in := range inputs[:len(inputs):len(inputs)] {
		inputs = append(inputs, strings.Replace(strings.TrimSuffix(in, "}")+`,"cursor":"`+next+`"}`, "{,", "{", 1))
	}
	for command := range s.w.Catalogue.All() {
		if !slices.Contains(reading, command.Name) {
			continue
		}
		for _, p := range []*roomstest.Person{s.admin, s.wang, s.bo} {
			for _, in := range inputs {
				_, _ = s.w.Catalogue.Answer(s.w.T.Context(), p.As, command.Name, []byte(in))
			}
		}
	}
	s.auditFilters(patient, next)
}

// auditFilters lists the audit log with every combination of what it can be
// filtered by.
func (s *story) auditFilters(patient, next string) {
	parts := []string{fmt.Sprintf(`"actorId":%q`, s.bo.User.ID), `"action":"auth:login"`, `"subject":"user:x"`, fmt.Sprintf(`"patientId":%q`, patient),
		`"q":"head"`, `"from":"2026-01-01T00:00:00Z"`, `"to":"2027-01-01T00:00:00Z"`, fmt.Sprintf(`"cursor":%q`, next)}
	for chosen := range 1 << len(parts) {
		var in []string
		for i, part := range parts {
			if chosen&(1<<i) != 0 {
				in = append(in, part)
			}
		}
		if _, err := s.w.Catalogue.Answer(s.w.T.Context(), s.admin.As, audit.List.Name, []byte("{"+strings.Join(in, ",")+"}")); err != nil {
			s.w.T.Errorf("audit log with %v: %v", in, err)
		}
	}
}
