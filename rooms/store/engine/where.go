package engine

import (
	"strconv"
	"strings"
)

// Where collects conditions written with ? and numbers their parameters.
type Where struct {
	conditions []string
	Args       []any
}

func (w *Where) Add(condition string, args ...any) {
	for _, a := range args {
		condition = strings.Replace(condition, "?", w.Param(a), 1)
	}
	w.conditions = append(w.conditions, condition)
}

// same asks for a value of a column, unless that is empty.
func (w *Where) Same(column, value string) {
	if value != "" {
		w.Add(column+` = ?`, value)
	}
}

// Amongst asks for one of several values of a column, unless there are none.
func Amongst[T any](w *Where, column string, values []T) {
	if len(values) == 0 {
		return
	}
	params := make([]string, len(values))
	for i, v := range values {
		params[i] = w.Param(v)
	}
	w.Add(column + ` IN (` + strings.Join(params, ", ") + `)`)
}

func (w *Where) Param(a any) string {
	w.Args = append(w.Args, a)
	return "$" + strconv.Itoa(len(w.Args))
}

func (w *Where) SQL() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}
