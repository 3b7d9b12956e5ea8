package engine

import (
	"context"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// postgresWords keeps the words of messages in tsvector columns, written with
// the message: on several nodes a cursor over the messages would skip those
// that commit late. The words are made here, not by a dictionary of the
// database, so that every installation finds the same.
type postgresWords struct{}

// catchUp implements wordIndex.
func (postgresWords) catchUp(context.Context) error { return nil }

// words is the vector of a text that is to be findable; empty if it is not.
func (s *postgresTx) words(text string) string {
	if s.vault.On() { // an index in the clear would tell what was said
		return ""
	}
	return tsvector(text)
}

// forget implements wordIndex.
func (postgresWords) forget(tx *Tx) error {
	return tx.Exec(`DELETE FROM message_words`)
}

// DropWords implements session.
func (s *postgresTx) DropWords(consultation string) error {
	return s.Exec(`DELETE FROM message_words WHERE num IN (`+messagesOf+`)`, consultation)
}

// match implements wordIndex.
func (postgresWords) match(typed string) (condition, argument, num string) {
	return `message_words.words @@ ?::tsquery`, tsquery(typed), `num`
}

// tsvectorMost is PostgreSQL's largest position in a tsvector.
const tsvectorMost = 16383

// tsvector is a text as PostgreSQL reads one: 'word':1 'next':2. The parts of a
// word have its position.
func tsvector(text string) string {
	var b strings.Builder
	for i, word := range Words(text) {
		if i == tsvectorMost {
			break
		}
		for _, lexeme := range append([]string{word}, Parts(word)...) {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteByte('\'')
			b.WriteString(lexeme)
			b.WriteString("':")
			b.WriteString(strconv.Itoa(i + 1))
		}
	}
	return b.String()
}

// tsquery makes a query of what a person typed, as ftsQuery does for SQLite.
func tsquery(typed string) string {
	list, unfinished := terms(typed, Words)
	if len(list) == 0 {
		return ""
	}
	query := `'` + strings.Join(list, `' & '`) + `'`
	if unfinished {
		query += ":*"
	}
	return query
}

// Words are runs of letters and digits, in lower case and without accents; a
// character of a script that writes without spaces is one by itself. None has
// a character that tsvector would need quoted, nor more bytes than it takes.
func Words(text string) []string {
	plain := norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text)))
	var list []string
	for _, field := range strings.FieldsFunc(split(plain), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
		for ; len(field) > wordMost; field = field[wordMost:] {
			list = append(list, strings.ToValidUTF8(field[:wordMost], ""))
		}
		if rest := strings.ToValidUTF8(field, ""); rest != "" {
			list = append(list, rest)
		}
	}
	return list
}

// wordMost bounds the bytes of a word; PostgreSQL takes 2 KB.
const wordMost = 1024
