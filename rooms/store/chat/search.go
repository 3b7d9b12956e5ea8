package chat

import (
	"context"
	"slices"
	"strings"

	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/store/engine"
)

// Search implements chat.Store. The index of words only finds which messages of
// the user have every word; their texts are then read, the latest first, until
// the page is full. Where messages are encrypted there is no index, and every
// message of the user may have the words.
func (s Store) Search(ctx context.Context, q chat.Query) ([]chat.Message, error) {
	matches := matcher(q.Words)
	if matches == nil {
		return nil, nil
	}
	w := engine.Where{}
	w.Add(`r.id = 'consultation:' || p.consultation_id AND l.room = r.num`)
	w.Add(`p.user_id = ? AND l.seq > p.since_seq`, q.User)
	w.Add(`l.message IS NOT NULL AND l.recalled_at IS NULL`)
	if !s.Reads().Keys().On() {
		condition, match, num := s.MatchWords(q.Words)
		if match == "" {
			return nil, nil
		}
		if err := s.IndexWords(ctx); err != nil {
			return nil, err
		}
		w.Add(`l.pos IN (SELECT `+num+` FROM message_words WHERE `+condition+`)`, match)
	}
	if q.Consultation != "" {
		w.Add(`p.consultation_id = ?`, q.Consultation)
	}
	if q.After != nil {
		w.Add(`(l.at, l.message) < (?, ?)`, q.After.Num, q.After.ID)
	}
	nums, err := engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (int64, error) {
		var num int64
		return num, row.Scan(&num)
	}, `SELECT l.pos FROM participants p CROSS JOIN log_rooms r CROSS JOIN log l`+w.SQL()+
		` ORDER BY l.at DESC, l.message DESC`, w.Args...)
	if err != nil {
		return nil, err
	}
	return s.matching(ctx, nums, matches, q.Limit)
}

// searchRead is how many messages a search reads at a time.
const searchRead = 50

// matching reads messages in this order until so many match.
func (s Store) matching(ctx context.Context, nums []int64, matches func(string) bool, limit int) ([]chat.Message, error) {
	var found []chat.Message
	for some := range slices.Chunk(nums, searchRead) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w := engine.Where{}
		engine.Amongst(&w, `l.pos`, some)
		read, err := engine.Collect(ctx, s.Reads(), s.intactMessage(), messageRow+w.SQL()+` ORDER BY l.at DESC, l.message DESC`, w.Args...)
		if err != nil {
			return nil, err
		}
		for _, m := range engine.Present(read) {
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
func (s Store) intactMessage() func(engine.Scanner) (*chat.Message, error) {
	return engine.Intact(s.DB, func(m chat.Message) string { return "message " + string(m.ID) }, scanMessage)
}

// matcher makes the function that finds what a person typed in a text: every
// word must be there, the parts of one in a row, the last one may be unfinished.
// nil if there is no word in it.
func matcher(typed string) func(text string) bool {
	var phrases [][]string
	for _, field := range strings.Fields(typed) {
		if list := engine.Words(field); len(list) > 0 {
			phrases = append(phrases, list)
		}
	}
	if len(phrases) == 0 {
		return nil
	}
	return func(text string) bool {
		said := wordsOf(text)
		for i, phrase := range phrases {
			if !said.have(phrase, i == len(phrases)-1) {
				return false
			}
		}
		return true
	}
}

// said are the words of a text in order, and the parts of each.
type said struct {
	words []string
	parts [][]string
}

func wordsOf(text string) said {
	s := said{words: engine.Words(text)}
	s.parts = make([][]string, len(s.words))
	for i, word := range s.words {
		s.parts[i] = engine.Parts(word)
	}
	return s
}

// have finds words in a row; the last may be the beginning of one if unfinished.
func (s said) have(phrase []string, unfinished bool) bool {
	last := len(phrase) - 1
	for i := 0; i+last < len(s.words); i++ {
		j := 0
		for j <= last && s.is(i+j, phrase[j], unfinished && j == last) {
			j++
		}
		if j > last {
			return true
		}
	}
	return false
}

// is reports whether the word at i, or a part of it, is a word, or begins with it
// if that is unfinished.
func (s said) is(i int, word string, unfinished bool) bool {
	fits := func(said string) bool { return said == word || unfinished && strings.HasPrefix(said, word) }
	return fits(s.words[i]) || slices.ContainsFunc(s.parts[i], fits)
}
