package e2e

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms/audit"
)

// Attacker has the database of a world, in which nothing stops them, and none of
// its keys. The server may be running.
type Attacker struct {
	t  *testing.T
	db *sql.DB
}

// Attacks lets somebody into the database, with its triggers gone.
func (w *World) Attacks(t *testing.T) Attacker {
	t.Helper()
	driver, source := "sqlite", "file:"+filepath.Join(w.Dir, "wenzhen.db")+"?_pragma=busy_timeout(10000)"
	triggers := `SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('audit', 'documents', 'decisions')`
	if w.Database != "sqlite" {
		driver, source = "pgx", w.Database
		triggers = `SELECT DISTINCT 'DROP TRIGGER ' || trigger_name || ' ON ' || event_object_table FROM information_schema.triggers
			WHERE event_object_table IN ('audit', 'documents', 'decisions')`
	}
	db, err := sql.Open(driver, source)
	Must(t, err)
	t.Cleanup(func() { Must(t, db.Close()) })
	a := Attacker{t, db}
	for _, drop := range a.Texts(triggers) {
		a.Does(drop)
	}
	return a
}

// Texts are the texts that a query answers.
func (a Attacker) Texts(query string, args ...any) (list []string) {
	a.t.Helper()
	rows, err := a.db.QueryContext(a.t.Context(), query, args...)
	Must(a.t, err)
	defer rows.Close()
	for rows.Next() {
		var s string
		Must(a.t, rows.Scan(&s))
		list = append(list, s)
	}
	Must(a.t, rows.Err())
	return list
}

// Does executes a statement.
func (a Attacker) Does(statement string, args ...any) {
	a.t.Helper()
	if _, err := a.db.ExecContext(a.t.Context(), statement, args...); err != nil {
		a.t.Fatalf("%s: %v", statement, err)
	}
}

// Rewrites removes the entries of an action from the audit log, and numbers and
// hashes the rest anew, as if they had never been there.
func (a Attacker) Rewrites(action string) {
	a.t.Helper()
	rows, err := a.db.QueryContext(a.t.Context(), `SELECT at, actor_id, role, address, action, subject, reason, detail FROM audit WHERE action <> $1 ORDER BY num`, action)
	Must(a.t, err)
	defer rows.Close()
	var kept []audit.LogEntry
	for rows.Next() {
		var e audit.LogEntry
		var at int64
		Must(a.t, rows.Scan(&at, &e.ActorID, &e.Role, &e.Address, &e.Action, &e.Subject, &e.Reason, &e.Detail))
		e.At = time.UnixMicro(at).UTC()
		kept = append(kept, e)
	}
	Must(a.t, rows.Err())
	a.Does(`DELETE FROM audit`)
	previous := ""
	for i, e := range kept {
		e.Num, e.Previous = int64(i+1), previous
		raw, err := json.Marshal(e)
		Must(a.t, err)
		sum := sha256.Sum256(raw)
		previous = hex.EncodeToString(sum[:])
		a.Does(`INSERT INTO audit (num, at, actor_id, role, address, action, subject, reason, detail, previous, sha256)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			e.Num, e.At.UnixMicro(), e.ActorID, e.Role, e.Address, e.Action, e.Subject, e.Reason, e.Detail, e.Previous, previous)
	}
	a.Does(`UPDATE audit_head SET num = $1, sha256 = $2 WHERE name = 'audit'`, len(kept), previous)
}

// Row is a row of a table as it is now, to be put back by Puts.
type Row struct {
	table  string
	values map[string]any
}

// Copies the rows of a table that match a condition.
func (a Attacker) Copies(table, condition string, args ...any) (list []Row) {
	a.t.Helper()
	rows, err := a.db.QueryContext(a.t.Context(), `SELECT * FROM `+table+` WHERE `+condition, args...)
	Must(a.t, err)
	defer rows.Close()
	names, err := rows.Columns()
	Must(a.t, err)
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		Must(a.t, rows.Scan(into...))
		row := Row{table, map[string]any{}}
		for i, name := range names {
			row.values[name] = values[i]
		}
		list = append(list, row)
	}
	Must(a.t, rows.Err())
	return list
}

// Puts inserts rows.
func (a Attacker) Puts(rows []Row) {
	a.t.Helper()
	for _, row := range rows {
		var names, marks []string
		var values []any
		for name, value := range row.values {
			names, values = append(names, name), append(values, value)
			marks = append(marks, "$"+strconv.Itoa(len(values)))
		}
		a.Does(`INSERT INTO `+row.table+` (`+strings.Join(names, ", ")+`) VALUES (`+strings.Join(marks, ", ")+`)`, values...)
	}
}
