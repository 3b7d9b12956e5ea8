package tracing

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"wenzhen.example/rooms"
)

// statement is a summary of a statement – INSERT log – and its attributes.
func statement(s rooms.Span) (string, []attribute.KeyValue) {
	summary := s.Name
	if summary == "" {
		summary = summarized(s.Statement)
	}
	operation, table, _ := strings.Cut(summary, " ")
	attributes := append(make([]attribute.KeyValue, 0, 5), semconv.DBSystemNameKey.String(s.System),
		semconv.DBQuerySummary(summary), semconv.DBOperationName(operation))
	if table != "" {
		attributes = append(attributes, semconv.DBCollectionName(table))
	}
	if s.Statement != "" {
		attributes = append(attributes, semconv.DBQueryText(s.Statement))
	}
	return summary, attributes
}

// summarized returns the operation of a statement and the first table that it
// names, as far as a scan of its words finds them.
func summarized(sql string) string {
	words := strings.Fields(sql)
	if len(words) == 0 {
		return "SQL"
	}
	operation := strings.ToUpper(words[0])
	if operation == "WITH" {
		operation = first(words)
	}
	for i, w := range words[:len(words)-1] {
		switch strings.ToUpper(w) {
		case "FROM", "INTO", "UPDATE":
			if table := named(words[i+1]); table != "" {
				return operation + " " + table
			}
		}
	}
	return operation
}

// first is the first operation in a statement that begins with WITH.
func first(words []string) string {
	for _, w := range words {
		switch operation := strings.ToUpper(strings.TrimLeft(w, "(")); operation {
		case "SELECT", "INSERT", "UPDATE", "DELETE":
			return operation
		}
	}
	return "WITH"
}

// named is the name that a word begins with; "" if it is none, as before a
// subquery.
func named(word string) string {
	end := strings.IndexFunc(word, func(r rune) bool {
		return r != '_' && r != '.' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
	if end >= 0 {
		word = word[:end]
	}
	return word
}
