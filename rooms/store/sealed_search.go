package store

import (
	"context"
	"errors"
	"slices"
	"strings"

	"wenzhen/rooms"
	"wenzhen/rooms/chat"
)

// searchSealed is Search where messages are encrypted: an index of words would
// tell what they say, so the messages of the user's own consultations are opened and
// read, the latest first, until enough are found.
func (s Chats) searchSealed(ctx context.Context, q chat.Query) ([]chat.Message, error) {
	matches := matcher(q.Words)
	if matches == nil {
		return nil, nil
	}
	w := where{}
	w.add(`p.user_id = ? AND m.seq > p.since_seq`, q.User)
	w.add(`m.recalled_at IS NULL AND m.text <> ''`)
	if q.Consultation != "" {
		w.add(`m.consultation_id = ?`, q.Consultation)
	}
	if q.After != nil {
		w.add(`(m.created_at, m.id) < (?, ?)`, q.After.Num, q.After.ID)
	}
	rows, err := s.readers.rows(ctx, `SELECT m.id, m.text FROM participants p JOIN messages m ON m.consultation_id = p.consultation_id`+w.sql()+
		` ORDER BY m.created_at DESC, m.id DESC`, w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []chat.MessageID
	for len(ids) < q.Limit && rows.Next() {
		var id chat.MessageID
		var text string
		err := (opening{rows, s.readers.keys()}).Scan(&id, unseal("messages.text", &id, &text))
		if errors.Is(err, rooms.ErrDamaged) {
			s.PassOver("message "+string(id), err)
			continue
		}
		if err != nil {
			return nil, err
		}
		if matches(text) {
			ids = append(ids, id)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := rows.Close(); err != nil { // before the next query: the connections are counted
		return nil, err
	}
	found, scan := make([]*chat.Message, len(ids)), s.intactMessage()
	for i, id := range ids {
		if found[i], err = scan(s.readers.row(ctx, messageRow+`WHERE m.id = $1`, id)); err != nil {
			return nil, err
		}
	}
	return present(found), nil
}

// matcher tells whether a text has what a person typed, by the rules of the
// index of words: every word must be there, the parts of one in a row, the
// last one may be unfinished. nil if there is no word in it.
func matcher(typed string) func(text string) bool {
	var phrases [][]string
	for _, field := range strings.Fields(typed) {
		if list := words(field); len(list) > 0 {
			phrases = append(phrases, list)
		}
	}
	if len(phrases) == 0 {
		return nil
	}
	return func(text string) bool {
		said := words(text)
		for i, phrase := range phrases {
			if !hasPhrase(said, phrase, i == len(phrases)-1) {
				return false
			}
		}
		return true
	}
}

// hasPhrase finds words in a row; the last may be the beginning of one if unfinished.
func hasPhrase(said, phrase []string, unfinished bool) bool {
	last := len(phrase) - 1
	for i := 0; i+last < len(said); i++ {
		if slices.Equal(said[i:i+last], phrase[:last]) &&
			(said[i+last] == phrase[last] || unfinished && strings.HasPrefix(said[i+last], phrase[last])) {
			return true
		}
	}
	return false
}
