package account

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"wenzhen.example/rooms"
)

// SigningKey is one of the keys that sign access tokens. Its secret is derived
// from its id, so that all nodes that have the same token key have it.
type SigningKey struct {
	ID        string
	SignsFrom time.Time
	// EndsAt is when tokens that it signed are good no more; zero while no
	// newer key has taken over.
	EndsAt time.Time
}

const (
	// keySpread is how long a new key is known before it signs, so that every
	// node knows it.
	keySpread = 2 * time.Minute
	// keyReload bounds how often a token with an unknown key makes us look.
	keyReload = time.Second
)

// keyring is the keys that this node knows.
type keyring struct {
	master []byte
	store  Store
	now    func() time.Time

	mu     sync.Mutex
	keys   []SigningKey // newest first
	loaded time.Time
}

// current is the key that signs now: the newest that has begun to. Where none
// has, the clock was set back to before the first, which goes on; false if
// there is none at all.
func (r *keyring) current() (SigningKey, bool) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.keys {
		if !k.SignsFrom.After(now) {
			return k, true
		}
	}
	if n := len(r.keys); n > 0 {
		return r.keys[n-1], true
	}
	return SigningKey{}, false
}

// known finds a key that a token names and that still counts. One that this
// node does not know may be new, so it is looked up in the store now and then.
func (r *keyring) known(id string) bool {
	if r.has(id) {
		return true
	}
	r.mu.Lock()
	fresh := !passed(r.loaded, r.now(), keyReload)
	r.mu.Unlock()
	if fresh {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return r.load(ctx) == nil && r.has(id)
}

func (r *keyring) has(id string) bool {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.keys, func(k SigningKey) bool {
		return k.ID == id && (k.EndsAt.IsZero() || k.EndsAt.After(now))
	})
}

// load reads the keys from the store.
func (r *keyring) load(ctx context.Context) error {
	keys, err := r.store.SigningKeys(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(keys, func(a, b SigningKey) int { return b.SignsFrom.Compare(a.SignsFrom) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys, r.loaded = keys, r.now()
	return nil
}

// secret is the key's own.
func (r *keyring) secret(id string) []byte { return derived(r.master, "access token "+id) }

// timerRotation takes a new signing key into use. Its subject is always "keys".
const timerRotation = "signing-key"

// Open makes the first signing key, if there is none, and learns the others.
// It comes before all else; a service that never signs does without.
func (s *Service) Open(ctx context.Context) error {
	if err := s.signer.keys.load(ctx); err != nil {
		return err
	}
	if _, ok := s.signer.keys.current(); ok {
		return nil
	}
	return s.RotateKeys(ctx, 0)
}

// RotateKeys makes a new signing key, which takes over after a time that lets
// every node hear of it (0 for at once). Tokens that older keys signed stay
// good for their whole life: nobody is logged out.
func (s *Service) RotateKeys(ctx context.Context, after time.Duration) error {
	now := s.now()
	err := s.store.InTx(ctx, func(tx Tx) error {
		from := now.Add(after)
		if err := tx.EndSigningKeys(from.Add(s.cfg.AccessLife+time.Minute), now); err != nil {
			return err
		}
		if err := tx.InsertSigningKey(SigningKey{ID: rand.Text()[:16], SignsFrom: from}); err != nil {
			return err
		}
		if s.cfg.KeyLife <= 0 {
			return tx.ClearTimer(timerRotation, "keys")
		}
		return tx.SetTimer(rooms.Timer{Kind: timerRotation, Subject: "keys", Due: from.Add(s.cfg.KeyLife)})
	})
	if err != nil {
		return err
	}
	return s.signer.keys.load(ctx)
}

func (s *Service) rotate(ctx context.Context, _ rooms.Timer) error {
	return s.RotateKeys(ctx, keySpread)
}
