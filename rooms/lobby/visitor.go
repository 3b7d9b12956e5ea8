package lobby

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"wenzhen.example/rooms"
)

// What one visitor may say: so many lines a second, and so many at once.
const (
	linesPerSecond = 5
	linesAtOnce    = 20
)

// visitor is a connection that has entered.
type visitor struct {
	limiter *rate.Limiter

	mu       sync.Mutex
	nickname string
}

func (v *visitor) name() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.nickname
}

func (v *visitor) call(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.nickname = name
}

// tooSoon is how long to wait before the next line; 0 if it may be said now.
func (v *visitor) tooSoon(now time.Time) time.Duration {
	if v.limiter.AllowN(now, 1) {
		return 0
	}
	missing := 1 - v.limiter.TokensAt(now)
	return max(time.Millisecond, time.Duration(missing/linesPerSecond*float64(time.Second)))
}

// admit makes a visitor of conn, unless it is one.
func (s *Service) admit(conn rooms.Subscriber, nickname string) (v *visitor, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.visitors[conn]; v != nil {
		return v, false
	}
	v = &visitor{limiter: rate.NewLimiter(linesPerSecond, linesAtOnce), nickname: s.take(oneLine(nickname))}
	s.visitors[conn] = v
	s.presence.Enter(Room, everyone)
	return v, true
}

// dismiss lets a visitor go; one that is gone already is no error.
func (s *Service) dismiss(conn rooms.Subscriber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.visitors[conn]; v != nil {
		delete(s.visitors, conn)
		s.release(v.name())
		s.presence.Leave(Room, everyone)
	}
}

// renamed calls a visitor otherwise and returns the name; one that has left
// keeps none.
func (s *Service) renamed(conn rooms.Subscriber, wanted string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.visitors[conn]
	if v == nil {
		return wanted
	}
	s.release(v.name())
	v.call(s.take(wanted))
	return v.name()
}

// take reserves a name: the one that is wanted, with a number if it is taken.
// mu is held.
func (s *Service) take(wanted string) string {
	if wanted == "" {
		wanted = "guest-" + random()
	}
	name := wanted
	for n := 2; s.names[strings.ToLower(name)]; n++ {
		name = wanted + "-" + strconv.Itoa(n)
		if n > 9 {
			name = wanted + "-" + random()
		}
	}
	s.names[strings.ToLower(name)] = true
	return name
}

// release gives a name back. mu is held.
func (s *Service) release(name string) { delete(s.names, strings.ToLower(name)) }

func random() string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
