package account

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"

	"wenzhen.example/rooms"
)

//go:embed common.txt
var commonList string

// common are the words that passwords are most often made of.
var common = commonWords(commonList)

func commonWords(list string) map[string]bool {
	words := map[string]bool{}
	for line := range strings.Lines(list) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			words[line] = true
		}
	}
	return words
}

// The states of a password that is refused, for clients to put into words.
const (
	passwordCommon   = "password_common"
	passwordPersonal = "password_personal"
	passwordSimple   = "password_simple"
)

// goodPassword refuses what is guessed first (NIST SP 800-63B, section 5.1.1.2):
// a common word with digits around it, the owner's name or address, a
// repetition, a sequence. Its length is a limit of the input. There are no rules
// about kinds of characters.
func (s *Service) goodPassword(password, name, email string) error {
	p := strings.ToLower(password)
	local, _, _ := strings.Cut(normalEmail(email), "@")
	switch {
	case password == s.cfg.PublishedPassword && password != "":
		return refusedPassword(passwordCommon, "this password is published; choose another")
	case monotonous(p):
		return refusedPassword(passwordSimple, "this password is a repetition or a sequence; choose another, such as a few words that do not belong together")
	case common[core(p)], common[core(unleet(p))]:
		return refusedPassword(passwordCommon, "this is one of the passwords that are tried first; choose another, such as a few words that do not belong together")
	case mostly(p, local), mostly(p, normalEmail(email)), mostly(p, strings.ToLower(strings.Join(strings.Fields(name), ""))), mostly(p, strings.ToLower(name)):
		return refusedPassword(passwordPersonal, "a password must not be made of your name or e-mail address")
	}
	return nil
}

func refusedPassword(status, message string) error {
	e := rooms.Invalid("password", "%s", message)
	e.Status = status
	return e
}

// core is what is left of a password without the digits and signs around it.
func core(p string) string {
	return strings.TrimFunc(p, func(r rune) bool { return !unicode.IsLetter(r) })
}

// unleet reads the digits and signs that stand for letters.
func unleet(p string) string {
	return strings.NewReplacer("0", "o", "1", "l", "!", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "8", "b").Replace(p)
}

// mostly reports whether p is word with less than four characters beside it.
func mostly(p, word string) bool {
	return utf8.RuneCountInString(word) >= 3 && strings.Contains(p, word) && utf8.RuneCountInString(p)-utf8.RuneCountInString(word) < 4
}

// rows are the keyboard's, forth and back.
var rows = []string{"1234567890", "0987654321", "qwertyuiop", "poiuytrewq", "asdfghjkl", "lkjhgfdsa", "zxcvbnm", "mnbvcxz", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"}

// monotonous reports whether p repeats few characters, or goes along the
// alphabet, the digits or the keyboard.
func monotonous(p string) bool {
	r := []rune(p)
	seen := map[rune]bool{}
	for _, c := range r {
		seen[c] = true
	}
	if len(seen) < 4 || len(r) < 12 && core(p) == "" { // a date, a telephone number
		return true
	}
	for n := 1; n <= len(r)/2 && n <= 5; n++ { // as in abcdeabcde
		if unit := string(r[:n]); strings.HasPrefix(strings.Repeat(unit, len(r)/n+1), p) {
			return true
		}
	}
	along := 0
	for i := 1; i < len(r); i++ {
		if d := r[i] - r[i-1]; d >= -1 && d <= 1 || onARow(string(r[i-1:i+1])) {
			along++
		}
	}
	return along >= len(r)-2
}

func onARow(pair string) bool {
	for _, row := range rows {
		if strings.Contains(row, pair) {
			return true
		}
	}
	return false
}
