package engine

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// search keeps SQLite's index of words behind the messages. Sending a message
// does not wait for it: it follows the messages, and catches up before each
// search, so that a search finds what was said before it.
type search struct {
	db   *DB
	busy chan struct{} // has an element while somebody catches up
	seen int64         // up to here the log has no message that is not indexed
}

// Pace of the index: how long it may lag when nobody searches, and how many
// messages, and bytes of them, it takes in one transaction, for which all others
// wait.
const (
	searchLag   = 3 * time.Second
	searchBatch = 500
	searchBytes = 256 << 10
)

func (x *search) run(ctx context.Context) {
	tick := time.NewTicker(searchLag)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := x.catchUp(ctx); err != nil && ctx.Err() == nil {
				x.db.opts.Log.Error("search index", "error", err)
			}
		}
	}
}

// IndexWords makes what was said before it findable.
func (db *DB) IndexWords(ctx context.Context) error { return db.words.catchUp(ctx) }

// MatchWords is the condition, with its argument, under which message_words
// holds what a person typed, and the column that is the message's position in the
// log. An empty argument means that nothing was asked for.
func (db *DB) MatchWords(typed string) (condition, argument, num string) {
	return db.words.match(typed)
}

// match implements wordIndex.
func (*search) match(typed string) (condition, argument, num string) {
	return `message_words MATCH ?`, ftsQuery(typed), `rowid`
}

// forget implements wordIndex.
func (*search) forget(tx *Tx) error {
	return tx.Exec(`INSERT INTO message_words (message_words) VALUES ('delete-all')`)
}

func (x *search) catchUp(ctx context.Context) error {
	if x.db.opts.vault.On() { // an index in the clear would show what was said
		return nil
	}
	select {
	case x.busy <- struct{}{}:
		defer func() { <-x.busy }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		var pos int64
		err := x.db.readers.Row(ctx, `SELECT pos FROM cursors WHERE name = 'search'`).Scan(&pos)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		pos = max(pos, x.seen)
		var last int64
		if err := x.db.readers.Row(ctx, `SELECT coalesce(max(pos), 0) FROM log`).Scan(&last); err != nil || last <= pos {
			return err
		}
		lines, err := Collect(ctx, x.db.readers, scanLine,
			`SELECT pos, data FROM log WHERE pos > $1 AND message IS NOT NULL ORDER BY pos LIMIT $2`, pos, searchBatch)
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			x.seen = last
			return nil
		}
		for len(lines) > 0 {
			some := batch(lines)
			lines = lines[len(some):]
			if err := x.take(ctx, some); err != nil {
				return err
			}
		}
	}
}

// line is a message to be indexed.
type line struct {
	num  int64 // its position in the log
	text string
}

// scanLine scans the position and the data of a message that is not sealed. One
// that cannot be read has no text; readers of the log report it.
func scanLine(s Scanner) (line, error) {
	var l line
	var data string
	err := s.Scan(&l.num, &data)
	l.text = textOf(data)
	return l, err
}

// textOf is the text in the data of a message.
func textOf(data string) string {
	var m struct {
		Text string `json:"text"`
	}
	if json.Unmarshal([]byte(data), &m) != nil {
		return ""
	}
	return m.Text
}

// batch is the beginning of lines that is indexed in one transaction.
func batch(lines []line) []line {
	bytes := 0
	for i, l := range lines {
		if bytes += len(l.text); bytes > searchBytes && i > 0 {
			return lines[:i]
		}
	}
	return lines
}

// take indexes messages.
func (x *search) take(ctx context.Context, lines []line) error {
	words := make([]string, len(lines)) // cut here: others wait for the transaction
	for i, l := range lines {
		words[i] = indexed(storable(l.text))
	}
	return x.db.write.InTx(ctx, func(tx *Tx) error {
		for i, l := range lines {
			if l.text == "" {
				continue
			}
			if err := tx.Exec(`INSERT INTO message_words (rowid, words) VALUES ($1, $2)`, l.num, words[i]); err != nil {
				return err
			}
		}
		return tx.Exec(`INSERT INTO cursors (name, pos) VALUES ('search', $1) ON CONFLICT (name) DO UPDATE SET pos = excluded.pos`,
			lines[len(lines)-1].num)
	})
}

// split puts a space around every character of a script that writes without
// spaces, so that each is a word of the index and a phrase finds them in a row.
func split(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		if spaceless(r) {
			b.WriteRune(' ')
			b.WriteRune(r)
			b.WriteRune(' ')
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// indexed is a text as the index takes it: at its end are the parts of its words,
// which are never looked for by their place.
func indexed(text string) string {
	apart := split(text)
	var b strings.Builder
	b.Grow(len(apart))
	b.WriteString(apart)
	for word := range strings.FieldsFuncSeq(apart, outsideWords) {
		for _, part := range Parts(word) {
			b.WriteByte(' ')
			b.WriteString(part)
		}
	}
	return b.String()
}

// inWords cuts a text as the index does.
func inWords(text string) []string {
	return strings.FieldsFunc(split(text), outsideWords)
}

// outsideWords reports whether r is between words.
func outsideWords(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
}

// Parts are the numbers in a word, and what is between them: 95 and mmhg of
// 95mmhg. A word without both has none.
func Parts(word string) (list []string) {
	from, number := 0, false
	for i, r := range word {
		if is := unicode.IsNumber(r); i == 0 || is != number {
			if i > 0 {
				list, from = append(list, word[from:i]), i
			}
			number = is
		}
	}
	if from > 0 {
		list = append(list, word[from:])
	}
	return list
}

// terms are the words that the index is asked for, at most termMost different
// ones, as cut makes them of a text, and whether the last one may be unfinished.
// Their order, and the words past the most, are for the matcher to check: the
// index finds phrases by comparing the positions of every word in every message
// of everybody, which takes a second for a few megabytes.
func terms(typed string, cut func(text string) []string) (list []string, unfinished bool) {
	all := cut(typed)
	for i, word := range all {
		if slices.Contains(list, word) {
			continue
		}
		if len(list) == termMost {
			return list, false
		}
		list, unfinished = append(list, word), i == len(all)-1 && !unspaced(word)
	}
	return list, unfinished
}

// termMost is the most words that the index is asked for in one search.
const termMost = 16

// unspaced reports whether a word is a character of a script that writes without
// spaces: it cannot be the beginning of another word.
func unspaced(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return spaceless(r)
}

// spaceless reports whether r is of such a script, which has no character of ASCII.
func spaceless(r rune) bool {
	return r >= utf8.RuneSelf && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// ftsQuery makes an FTS5 query of what a person typed; "" if there is no word in it.
func ftsQuery(typed string) string {
	list, unfinished := terms(typed, inWords)
	if len(list) == 0 {
		return ""
	}
	query := `"` + strings.Join(list, `" "`) + `"`
	if unfinished {
		query += "*"
	}
	return query
}
