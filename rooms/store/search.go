package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wenzhen/rooms/chat"
)

// search keeps SQLite's index of words behind the messages. Sending a message
// does not wait for it: it follows the messages, and catches up before each
// search, so that a search finds what was said before it.
type search struct {
	db   *DB
	busy chan struct{} // has an element while somebody catches up
}

// Pace of the index: how long it may lag when nobody searches, and how many
// messages, and bytes of them, it takes in one transaction, for which all others
// wait.
const (
	searchLag   = 3 * time.Second
	searchBatch = 500
	searchBytes = 256 << 10
)

func (x *search) follow(ctx context.Context) {
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

// match implements wordIndex.
func (*search) match(typed string) (condition, argument, num string) {
	return `message_words MATCH ?`, ftsQuery(typed), `rowid`
}

// forget implements wordIndex.
func (*search) forget(tx *Tx) error {
	return tx.exec(`INSERT INTO message_words (message_words) VALUES ('delete-all')`)
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
		err := x.db.readers.row(ctx, `SELECT pos FROM cursors WHERE name = 'search'`).Scan(&pos)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		lines, err := collect(ctx, x.db.readers, func(s scanner) (line, error) {
			var l line
			return l, s.Scan(&l.num, &l.text)
		}, `SELECT num, text FROM messages WHERE num > $1 ORDER BY num LIMIT $2`, pos, searchBatch)
		if err != nil || len(lines) == 0 {
			return err
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
	num  int64
	text string
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
	return x.db.write.InTx(ctx, func(tx *Tx) error {
		for _, l := range lines {
			if l.text == "" {
				continue
			}
			if err := tx.exec(`INSERT INTO message_words (rowid, words) VALUES ($1, $2)`, l.num, split(l.text)); err != nil {
				return err
			}
		}
		return tx.exec(`INSERT INTO cursors (name, pos) VALUES ('search', $1) ON CONFLICT (name) DO UPDATE SET pos = excluded.pos`,
			lines[len(lines)-1].num)
	})
}

// Search implements chat.Store. The index of words only finds which messages of
// the user have every word; their texts are then read, the latest first, until
// the page is full. Where messages are encrypted there is no index, and every
// message of the user may have the words.
func (s Chats) Search(ctx context.Context, q chat.Query) ([]chat.Message, error) {
	matches := matcher(q.Words)
	if matches == nil {
		return nil, nil
	}
	w := where{}
	w.add(`m.consultation_id = p.consultation_id`)
	w.add(`p.user_id = ? AND m.seq > p.since_seq`, q.User)
	w.add(`m.recalled_at IS NULL`)
	if s.readers.keys().On() {
		w.add(`m.text <> ''`)
	} else {
		condition, match, num := s.words.match(q.Words)
		if match == "" {
			return nil, nil
		}
		if err := s.words.catchUp(ctx); err != nil {
			return nil, err
		}
		w.add(`m.num IN (SELECT `+num+` FROM message_words WHERE `+condition+`)`, match)
	}
	if q.Consultation != "" {
		w.add(`m.consultation_id = ?`, q.Consultation)
	}
	if q.After != nil {
		w.add(`(m.created_at, m.id) < (?, ?)`, q.After.Num, q.After.ID)
	}
	nums, err := collect(ctx, s.readers, func(row scanner) (int64, error) {
		var num int64
		return num, row.Scan(&num)
	}, `SELECT m.num FROM participants p CROSS JOIN messages m`+w.sql()+
		` ORDER BY m.created_at DESC, m.id DESC`, w.args...)
	if err != nil {
		return nil, err
	}
	return s.matching(ctx, nums, matches, q.Limit)
}

// searchRead is how many messages a search reads at a time.
const searchRead = 50

// matching reads messages in this order until so many match.
func (s Chats) matching(ctx context.Context, nums []int64, matches func(string) bool, limit int) ([]chat.Message, error) {
	var found []chat.Message
	for some := range slices.Chunk(nums, searchRead) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w := where{}
		amongst(&w, `m.num`, some)
		read, err := collect(ctx, s.readers, s.intactMessage(), messageRow+w.sql()+` ORDER BY m.created_at DESC, m.id DESC`, w.args...)
		if err != nil {
			return nil, err
		}
		for _, m := range present(read) {
			if matches(m.Text) {
				found = append(found, m)
			}
			if len(found) == limit {
				return found, nil
			}
		}
	}
	return found, nil
}

// intactMessage scans a message that a search finds.
func (s Chats) intactMessage() func(scanner) (*chat.Message, error) {
	return intact(s.opts.damaged, func(m chat.Message) string { return "message " + string(m.ID) }, scanMessage)
}

// split puts a space around every character of a script that writes without
// spaces, so that each is a word of the index and a phrase finds them in a row.
func split(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			b.WriteRune(' ')
			b.WriteRune(r)
			b.WriteRune(' ')
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
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
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// ftsQuery makes an FTS5 query of what a person typed; "" if there is no word in it.
func ftsQuery(typed string) string {
	list, unfinished := terms(typed, func(text string) []string {
		return strings.FieldsFunc(split(text), func(r rune) bool { return !unicode.In(r, unicode.L, unicode.N, unicode.M) })
	})
	if len(list) == 0 {
		return ""
	}
	query := `"` + strings.Join(list, `" "`) + `"`
	if unfinished {
		query += "*"
	}
	return query
}
