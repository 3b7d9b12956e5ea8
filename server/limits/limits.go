// Package limits bounds how many commands users, and networks of guests, may send.
package limits

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"wenzhen/rooms"
)

// limitsMost bounds the buckets that are remembered; past it those that are
// full again, which know nothing any more, are forgotten.
const limitsMost = 100_000

// Limits are token buckets per user, or per address for guests
// (rooms.Sources), in all and per command.
type Limits struct {
	rate  rate.Limit
	burst int
	rates map[string]rooms.Rate // of commands that have one
	now   func() time.Time

	mu      sync.Mutex
	buckets map[bucketKey]*rate.Limiter
	// spent has what other nodes have to be sent. Only users who have used more
	// than a quarter of a burst are in it: all others are far from any limit.
	spent map[bucketKey]int
}

type bucketKey struct{ who, command string }

// addressMark begins the name of a network among those who have buckets; how
// many times the tokens of a user it has comes next.
const addressMark = "address:"

// payers are those whose buckets an actor takes a token from.
func payers(actor rooms.Actor) []string {
	if !actor.Guest() {
		return []string{string(actor.UserID)}
	}
	sources := rooms.Sources(actor.Address)
	all := make([]string, len(sources))
	for i, from := range sources {
		all[i] = addressMark + strconv.Itoa(from.Times) + " " + from.Name
	}
	return all
}

// allowance is what who may do in all, or of a command that costs more.
func (l *Limits) allowance(who, command string) (rate.Limit, int) {
	r, burst, times := l.rate, l.burst, 1
	if own, ok := l.rates[command]; ok {
		r, burst = rate.Limit(own.PerSecond), own.Burst
	}
	if network, ok := strings.CutPrefix(who, addressMark); ok {
		first, _, _ := strings.Cut(network, " ")
		if n, err := strconv.Atoi(first); err == nil {
			times = n
		}
	}
	return r * rate.Limit(times), burst * times
}

// Spent is what was used up here since the last call, by user and command.
func (l *Limits) Spent() map[string]map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.spent) == 0 {
		return nil
	}
	told := map[string]map[string]int{}
	for key, n := range l.spent {
		if told[key.who] == nil {
			told[key.who] = map[string]int{}
		}
		told[key.who][key.command] = n
	}
	clear(l.spent)
	return told
}

// SpentElsewhere takes off what was used up on another node.
func (l *Limits) SpentElsewhere(spent map[string]map[string]int) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for who, commands := range spent {
		for command, n := range commands {
			r, burst := l.allowance(who, command)
			b := l.bucket(bucketKey{who, command}, r, burst, now)
			b.ReserveN(now, min(n, burst)) // below nothing, if need be
		}
	}
}

// Options are the limits.
type Options struct {
	// PerSecond is how many commands a second may be sent, sustained, and Burst
	// how many at once.
	PerSecond float64
	Burst     int
	// Commands have rates of their own beside that, or none.
	Commands []rooms.Handler
	Now      func() time.Time
}

// New makes limits.
func New(o Options) *Limits {
	l := &Limits{rate: rate.Limit(o.PerSecond), burst: o.Burst, rates: map[string]rooms.Rate{}, now: o.Now,
		buckets: map[bucketKey]*rate.Limiter{}, spent: map[bucketKey]int{}}
	for _, b := range o.Commands {
		if b.Rate != (rooms.Rate{}) {
			l.rates[b.Name] = b.Rate
		}
	}
	return l
}

// Guard is a rooms.Guard: it refuses with rate_limited and says after how long to try again.
func (l *Limits) Guard(_ context.Context, actor rooms.Actor, command string) error {
	now := l.now()
	_, own := l.rates[command]
	for _, who := range payers(actor) {
		if wait := l.take(bucketKey{who: who}, now); wait > 0 {
			return rooms.RateLimited(wait, "too many commands")
		}
		if !own {
			continue
		}
		if wait := l.take(bucketKey{who, command}, now); wait > 0 {
			return rooms.RateLimited(wait, "too many of %s", command)
		}
	}
	return nil
}

// take takes a token, or tells how long until there is one.
func (l *Limits) take(key bucketKey, now time.Time) time.Duration {
	r, burst := l.allowance(key.who, key.command)
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key, r, burst, now)
	if b.AllowN(now, 1) {
		if b.TokensAt(now) < float64(burst)*3/4 {
			l.spent[key]++
		}
		return 0
	}
	missing := 1 - b.TokensAt(now)
	return max(time.Millisecond, time.Duration(missing/float64(r)*float64(time.Second)))
}

// bucket is the one of key; the lock is held.
func (l *Limits) bucket(key bucketKey, r rate.Limit, burst int, now time.Time) *rate.Limiter {
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= limitsMost {
			l.forget(now)
		}
		b = rate.NewLimiter(r, burst)
		l.buckets[key] = b
	}
	return b
}

func (l *Limits) forget(now time.Time) {
	for key, b := range l.buckets {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(l.buckets, key)
		}
	}
}
