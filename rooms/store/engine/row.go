package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Column is a column of a query with the destination that it is scanned into.
type Column[T any] struct {
	Name string // or an expression
	To   func(*T) any
}

// Row is the columns that a query reads into a T, in the order of the query.
type Row[T any] []Column[T]

// RowOf returns a row of columns. It panics if two columns have one name or one
// destination, or if one has none: rows are variables of packages, so that such
// a mistake ends every test of the package.
func RowOf[T any](columns ...Column[T]) Row[T] {
	var into T
	names, destinations := map[string]bool{}, map[any]string{}
	for _, c := range columns {
		if c.Name == "" || names[c.Name] {
			panic(fmt.Sprintf("a row of %T has two columns %q", into, c.Name))
		}
		names[c.Name] = true
		if c.To == nil {
			panic(fmt.Sprintf("a row of %T has no destination for %q", into, c.Name))
		}
		to := c.To(&into)
		if v, encrypted := to.(*encryptedValue); encrypted {
			to = v.to
		}
		if other, taken := destinations[to]; taken {
			panic(fmt.Sprintf("a row of %T has one destination for %q and %q", into, other, c.Name))
		}
		destinations[to] = c.Name
	}
	return columns
}

// Columns returns the names, for SELECT, INSERT or RETURNING; with a table, each
// as table.name.
func (r Row[T]) Columns(table string) string {
	if table != "" {
		table += "."
	}
	names := make([]string, len(r))
	for i, c := range r {
		names[i] = table + c.Name
	}
	return strings.Join(names, ", ")
}

// Scan reads a row; more are destinations of columns that follow those of r.
func (r Row[T]) Scan(s Scanner, into *T, more ...any) error {
	to := make([]any, 0, len(r)+len(more))
	for _, c := range r {
		to = append(to, c.To(into))
	}
	return s.Scan(append(to, more...)...)
}

// Value is a value for a column.
type Value struct {
	column string
	value  any
}

// Set returns a value for a column of Insert and Update.
func Set(column string, value any) Value { return Value{column, value} }

// Insert adds a row to a table.
func (tx *Tx) Insert(table string, values ...Value) error {
	query, args := insert(table, values)
	return tx.Exec(query, args...)
}

// TryInsert is Insert for a row that may violate a constraint, as TryExec is.
func (tx *Tx) TryInsert(table string, values ...Value) error {
	query, args := insert(table, values)
	return tx.TryExec(query, args...)
}

// Upsert adds a row to a table. If one has the same key, which is one or more of
// the fixed columns, it changes the other values of that one.
func (tx *Tx) Upsert(table, key string, fixed []Value, values ...Value) error {
	query, args := insert(table, slices.Concat(fixed, values))
	sets := make([]string, len(values))
	for i, v := range values {
		sets[i] = v.column + " = excluded." + v.column
	}
	return tx.Exec(query+` ON CONFLICT (`+key+`) DO UPDATE SET `+strings.Join(sets, ", "), args...)
}

func insert(table string, values []Value) (query string, args []any) {
	names, params := make([]string, len(values)), make([]string, len(values))
	for i, v := range values {
		names[i], params[i] = v.column, "$"+strconv.Itoa(i+1)
		args = append(args, v.value)
	}
	return `INSERT INTO ` + table + ` (` + strings.Join(names, ", ") + `) VALUES (` + strings.Join(params, ", ") + `)`, args
}

// Update changes the rows of a table for which a condition holds; $1 in it is the key.
func (tx *Tx) Update(table, condition string, key any, values ...Value) error {
	sets, args := make([]string, len(values)), []any{key}
	for i, v := range values {
		sets[i] = v.column + " = $" + strconv.Itoa(i+2)
		args = append(args, v.value)
	}
	return tx.Exec(`UPDATE `+table+` SET `+strings.Join(sets, ", ")+` WHERE `+condition, args...)
}
