package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A row that cannot be read as it is written down is refused when the program
// starts, in each package that has one.
func TestRowRefusesMistakes(t *testing.T) {
	t.Parallel()
	type thing struct {
		id, name, note string
		made           time.Time
	}
	id := Column[thing]{"id", func(v *thing) any { return &v.id }}
	for want, columns := range map[string][]Column[thing]{
		`two columns "id"`:                    {id, {"id", func(v *thing) any { return &v.name }}},
		`two columns ""`:                      {{"", func(v *thing) any { return &v.name }}},
		`no destination for "name"`:           {id, {Name: "name"}},
		`one destination for "id" and "name"`: {id, {"name", func(v *thing) any { return &v.id }}},
		`one destination for "name" and "note"`: {id, {"name", func(v *thing) any { return &v.note }},
			{"note", func(v *thing) any { return DecryptColumn("things.note", &v.id, &v.note) }}},
		`one destination for "made" and "kept"`: {{"made", func(v *thing) any { return (*At)(&v.made) }},
			{"kept", func(v *thing) any { return (*At)(&v.made) }}},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("%s: %s", want, got)
				}
			}()
			RowOf(columns...)
		}()
	}
	if got := RowOf(id, Column[thing]{"name", func(v *thing) any { return &v.name }}).Columns("t"); got != "t.id, t.name" {
		t.Errorf("the columns are %s", got)
	}
}

// What is inserted and updated by the names of columns is read by them, in
// another order and with columns after them, from the rows of the condition only.
func TestRowsByName(t *testing.T) { both(t, testRowsByName) }

func testRowsByName(t *testing.T, opts Options) {
	type user struct{ name, locale string }
	row := RowOf(
		Column[user]{"locale", func(u *user) any { return &u.locale }},
		Column[user]{"name", func(u *user) any { return &u.name }},
	)
	db, _, _ := open(t, opts)
	must(t, db.InTx(t.Context(), func(tx *Tx) error {
		return FirstOf(aUser(tx, "a"), aUser(tx, "b"),
			tx.Update("users", "id = $1", "a", Set("name", "li"), Set("locale", "zh-CN")),
			tx.Insert("timers", Set("subject", "s"), Set("kind", "k"), Set("due_at", 7)))
	}))
	for id, want := range map[string]user{"a": {"li", "zh-CN"}, "b": {"wang", "en"}} {
		var got user
		var email string
		query := `SELECT ` + row.Columns("u") + `, u.email FROM users u WHERE u.id = $1`
		must(t, row.Scan(db.Reads().Row(t.Context(), query, id), &got, &email))
		if got != want || email != id+"@example.org" {
			t.Errorf("%s is %+v, %s", id, got, email)
		}
	}
	var kind, subject string
	must(t, db.Reads().Row(t.Context(), `SELECT kind, subject FROM timers WHERE due_at = 7`).Scan(&kind, &subject))
	if kind != "k" || subject != "s" {
		t.Errorf("the timer is %s of %s", kind, subject)
	}
	must(t, db.InTx(t.Context(), func(tx *Tx) error {
		if err := tx.TryInsert("timers", Set("subject", "s"), Set("kind", "k"), Set("due_at", 8)); !UniqueViolation(err) {
			t.Errorf("a second timer: %v", err)
		}
		return aUser(tx, "c")
	}))
	must(t, db.InTx(t.Context(), func(tx *Tx) error {
		timer := []Value{Set("kind", "k"), Set("subject", "s"), Set("leased_until", 1)}
		return tx.Upsert("timers", "kind, subject", timer, Set("due_at", 9))
	}))
	var due, leased int
	must(t, db.Reads().Row(t.Context(), `SELECT due_at, leased_until FROM timers WHERE kind = 'k' AND subject = 's'`).Scan(&due, &leased))
	if due != 9 || leased != 0 {
		t.Errorf("the timer is due at %d and leased until %d", due, leased)
	}
}
