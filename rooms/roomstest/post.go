package roomstest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"wenzhen.example/rooms/account"
)

// Post keeps the letters that were sent. It implements account.Mail.
type Post struct {
	mu      sync.Mutex
	letters []account.Letter
	broken  bool
}

// Send implements account.Mail.
func (p *Post) Send(_ context.Context, l account.Letter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken {
		return errors.New("the mail server is away")
	}
	p.letters = append(p.letters, l)
	return nil
}

// Breaks makes every delivery fail, or succeed again.
func (p *Post) Breaks(broken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = broken
}

// To are the letters to an address, in the order in which they were sent.
func (p *Post) To(email string) []account.Letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.letters), func(l account.Letter) bool { return l.To.Email != email })
}
