// Package limits bounds how many commands users, and networks of guests, may send.
package limits

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"wenzhen.example/rooms"
)

// limitsMost is the number of buckets above which full buckets, which are
// equivalent to new ones, are removed.
const limitsMost = 100_000

// Limits are token buckets of users, and of networks for guests (rooms.Sources):
// one for all commands, and one for each command with its own rate.
type Limits struct {
	rate  rate.Limit
	burst int
	rates map[string]rooms.Rate // of commands with their own rate
	now   func() time.Time

	mu      sync.Mutex
	buckets map[bucketKey]*rate.Limiter
	// spent has the tokens that must be reported to other nodes. Only users who
	// have used more than a quarter of a burst are in it: all others are far from
	// any limit.
	spent map[bucketKey]int
}

type bucketKey struct{ owner, command string }

// addressMark is the prefix of the key of a network, "address:TIMES NAME". The
// network has TIMES the tokens of a user.
const addressMark = "address:"

// owners returns the owners of the buckets that an actor takes a token from: the
// user, or the networks of a guest.
func owners(actor rooms.Actor) []string {
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

// allowance returns the rate and burst of an owner for a command, or for all commands
// if command is empty or has no rate.
func (l *Limits) allowance(owner, command string) (rate.Limit, int) {
	r, burst, times := l.rate, l.burst, 1
	if own, ok := l.rates[command]; ok {
		r, burst = rate.Limit(own.PerSecond), own.Burst
	}
	if network, ok := strings.CutPrefix(owner, addressMark); ok {
		first, _, _ := strings.Cut(network, " ")
		if n, err := strconv.Atoi(first); err == nil {
			times = n
		}
	}
	return r * rate.Limit(times), burst * times
}

// Spent returns the tokens that were used on this node since the last call, by
// user and command.
func (l *Limits) Spent() map[string]map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.spent) == 0 {
		return nil
	}
	spent := map[string]map[string]int{}
	for key, n := range l.spent {
		if spent[key.owner] == nil {
			spent[key.owner] = map[string]int{}
		}
		spent[key.owner][key.command] = n
	}
	clear(l.spent)
	return spent
}

// SpentElsewhere takes the tokens that were used on another node.
func (l *Limits) SpentElsewhere(spent map[string]map[string]int) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for owner, commands := range spent {
		for command, n := range commands {
			r, burst := l.allowance(owner, command)
			b := l.bucket(bucketKey{owner, command}, r, burst, now)
			b.ReserveN(now, min(n, burst)) // the bucket may become negative
		}
	}
}

// Options configure Limits.
type Options struct {
	// PerSecond is the sustained rate of commands, and Burst how many may be sent
	// at once.
	PerSecond float64
	Burst     int
	// Commands are all commands. Those with a Rate have that limit too.
	Commands []rooms.Handler
	Now      func() time.Time
}

// New returns Limits.
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

// Guard is a rooms.Guard. Its error is rate_limited, with the time after which to
// try again.
func (l *Limits) Guard(_ context.Context, actor rooms.Actor, command string) error {
	now := l.now()
	_, own := l.rates[command]
	for _, owner := range owners(actor) {
		if wait := l.take(bucketKey{owner: owner}, now); wait > 0 {
			return rooms.RateLimited(wait, "too many commands")
		}
		if !own {
			continue
		}
		if wait := l.take(bucketKey{owner, command}, now); wait > 0 {
			return rooms.RateLimited(wait, "too many of %s", command)
		}
	}
	return nil
}

// take takes a token and returns 0, or returns the time until there is one.
func (l *Limits) take(key bucketKey, now time.Time) time.Duration {
	r, burst := l.allowance(key.owner, key.command)
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

// bucket returns the bucket of key; the lock is held.
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
