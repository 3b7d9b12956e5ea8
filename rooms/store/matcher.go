package store

import (
	"slices"
	"strings"
)

// matcher makes the function that finds what a person typed in a text: every
// word must be there, the parts of one in a row, the last one may be unfinished.
// nil if there is no word in it.
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
