package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode"

	"wenzhen/rooms/chat"
)

// search keeps SQLite's index of words behind the messages. Indexing is off the
// path of sending: it follows the messages at its leisure, and catches up
// before each search, so that a search finds what was said before it.
type search struct {
	db *DB
	mu sync.Mutex // one catches up at a time
}

// Pace of the index: how long it may lag when nobody searches, and how many
// messages it takes in one transaction.
const (
	searchLag   = 3 * time.Second
	searchBatch = 500
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
	return `message_words MATCH ?`, phrases(typed), `message_words.rowid`
}

// forget implements wordIndex.
func (*search) forget(tx *Tx) error {
	return tx.exec(`INSERT INTO message_words (message_words) VALUES ('delete-all')`)
}

func (x *search) catchUp(ctx context.Context) error {
	if x.db.opts.vault.On() { // an index in the clear would tell what was said (sealed_search.go)
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for {
		var pos int64
		err := x.db.readers.row(ctx, `SELECT pos FROM cursors WHERE name = 'search'`).Scan(&pos)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		type line struct {
			num  int64
			text string
		}
		lines, err := collect(ctx, x.db.readers, func(s scanner) (line, error) {
			var l line
			return l, s.Scan(&l.num, &l.text)
		}, `SELECT num, text FROM messages WHERE num > $1 ORDER BY num LIMIT $2`, pos, searchBatch)
		if err != nil || len(lines) == 0 {
			return err
		}
		err = x.db.write.InTx(ctx, func(tx *Tx) error {
			for _, l := range lines {
				if l.text == "" {
					continue
				}
				if err := tx.exec(`INSERT INTO message_words (rowid, words) VALUES ($1, $2)`, l.num, split(l.text)); err != nil {
					return err
				}
			}
			return tx.exec(`INSERT INTO cursors (name, pos) VALUES ('search', $1) ON CONFLICT (name) DO UPDATE SET pos = excluded.pos`, lines[len(lines)-1].num)
		})
		if err != nil {
			return err
		}
	}
}

// Search implements chat.Store.
func (s Chats) Search(ctx context.Context, q chat.Query) ([]chat.Message, error) {
	if s.readers.keys().On() {
		return s.searchSealed(ctx, q)
	}
	condition, match, num := s.words.match(q.Words)
	if match == "" {
		return nil, nil
	}
	if err := s.words.catchUp(ctx); err != nil {
		return nil, err
	}
	w := where{}
	w.add(condition, match)
	w.add(`p.user_id = ? AND m.seq > p.since_seq`, q.User)
	w.add(`m.recalled_at IS NULL`)
	if q.Consultation != "" {
		w.add(`m.consultation_id = ?`, q.Consultation)
	}
	if q.After != nil {
		w.add(`(m.created_at, m.id) < (?, ?)`, q.After.Num, q.After.ID)
	}
	return fullPage(q.Limit, func(limit int) ([]*chat.Message, error) {
		w := w
		return collect(ctx, s.readers, s.intactMessage(), strings.Replace(messageRow, messagesFrom,
			` FROM message_words JOIN messages m ON m.num = `+num+` JOIN participants p ON p.consultation_id = m.consultation_id
			LEFT JOIN attachments a ON a.id = m.attachment_id`, 1)+w.sql()+
			` ORDER BY m.created_at DESC, m.id DESC LIMIT `+w.param(limit), w.args...)
	})
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

// phrases makes an FTS5 query of what a person typed: every word must be
// there, the last one may be unfinished. "" if there is no word in it.
func phrases(typed string) string {
	var all []string
	for _, word := range strings.Fields(typed) {
		if strings.ContainsFunc(word, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
			all = append(all, `"`+strings.ReplaceAll(strings.TrimSpace(split(word)), `"`, `""`)+`"`)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all, " ") + "*"
}
