package vault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Key is a data key as it is stored.
type Key struct {
	ID        string // 16 hexadecimal digits
	Wrapped   string // by the master key
	CreatedAt time.Time
	// CoveredAt is when everything that was encrypted with older keys, or not at
	// all, had been encrypted with this one; nil before.
	CoveredAt *time.Time
}

// Store keeps data keys.
type Store interface {
	// Keys lists the data keys, the newest last.
	Keys(ctx context.Context) ([]Key, error)
	AddKey(ctx context.Context, k Key) error
	// SaveWrapped replaces what data keys are wrapped as, all or none.
	SaveWrapped(ctx context.Context, keys []Key) error
}

// What is wrong when a vault cannot be opened.
var (
	errLocked = errors.New("the data is encrypted, and no key was given: set --encryption-key or --encryption-command (WENZHEN_ENCRYPTION_KEY_FILE, WENZHEN_ENCRYPTION_COMMAND) to what it was encrypted with")
	errWrong  = errors.New("the encryption key is not the one that the data was encrypted with; nothing was changed")
)

// Load opens the data keys of a store with the master key, and makes the first
// one. Without a master key the vault is off. Errors: there are data keys and
// no master key, or another.
func (v *Vault) Load(ctx context.Context, from Store, now time.Time) error {
	keys, err := from.Keys(ctx)
	if err != nil {
		return fmt.Errorf("data keys: %w", err)
	}
	switch {
	case v.master == nil && len(keys) > 0:
		return errLocked
	case v.master == nil:
		return nil
	case len(keys) == 0:
		if _, err := v.Rotate(ctx, from, now); err != nil {
			return err
		}
		return nil
	}
	return v.take(ctx, keys)
}

// loadTimeout bounds the loading of a data key that is missing.
const loadTimeout = 30 * time.Second

// Attach loads the data keys of a store as Load does. Should a value have been
// encrypted with a key that another process has made since, they are loaded again.
func (v *Vault) Attach(ctx context.Context, to Store, now func() time.Time) error {
	if err := v.Load(ctx, to, now()); err != nil || v.master == nil {
		return err
	}
	again := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
		defer cancel()
		return v.Load(ctx, to, now())
	}
	v.again.Store(&again)
	return nil
}

// Rotate makes a data key, with which this vault encrypts from now on and every
// other one that has the same store once it has loaded again.
func (v *Vault) Rotate(ctx context.Context, in Store, now time.Time) (Key, error) {
	if v.master == nil {
		return Key{}, errors.New("nothing is encrypted: there is no encryption key")
	}
	id, key := make([]byte, idBytes/2), make([]byte, keyBytes)
	_, _ = rand.Read(id) // never fails (crypto/rand)
	_, _ = rand.Read(key)
	k := Key{ID: hex.EncodeToString(id), CreatedAt: now}
	var err error
	if k.Wrapped, err = v.master.Wrap(ctx, k.ID, key); err != nil {
		return k, fmt.Errorf("wrap a data key: %w", err)
	}
	// What cannot be unwrapped must not be used.
	if again, err := v.master.Unwrap(ctx, k.ID, k.Wrapped); err != nil || !slices.Equal(again, key) {
		return k, fmt.Errorf("a data key does not unwrap to what was wrapped: %w", errors.Join(err, errWrong))
	}
	if err := in.AddKey(ctx, k); err != nil {
		return k, fmt.Errorf("keep a data key: %w", err)
	}
	keys, err := in.Keys(ctx)
	if err != nil {
		return k, fmt.Errorf("data keys: %w", err)
	}
	return k, v.take(ctx, keys)
}

// Rewrap wraps every data key by another master key. Nothing that is encrypted
// changes; a server that runs goes on, and starts again with the new one.
func (v *Vault) Rewrap(ctx context.Context, in Store, by Master) (int, error) {
	keys, err := in.Keys(ctx)
	if err != nil {
		return 0, fmt.Errorf("data keys: %w", err)
	}
	for i, k := range keys {
		key, err := v.master.Unwrap(ctx, k.ID, k.Wrapped)
		if err != nil {
			return 0, fmt.Errorf("%w (data key %s: %w)", errWrong, k.ID, err)
		}
		if keys[i].Wrapped, err = by.Wrap(ctx, k.ID, key); err != nil {
			return 0, fmt.Errorf("wrap data key %s: %w", k.ID, err)
		}
		if again, err := by.Unwrap(ctx, k.ID, keys[i].Wrapped); err != nil || !slices.Equal(again, key) {
			return 0, fmt.Errorf("data key %s does not unwrap by the new key: %w", k.ID, errors.Join(err, errWrong))
		}
	}
	return len(keys), in.SaveWrapped(ctx, keys)
}

// take unwraps the keys that are new, the newest last.
func (v *Vault) take(ctx context.Context, keys []Key) error {
	v.loading.Lock()
	defer v.loading.Unlock()
	had, have := v.ring.Load(), &ring{by: map[string]aead{}}
	for _, k := range keys {
		if had != nil {
			if a, ok := had.by[k.ID]; ok {
				have.by[k.ID], have.current = a, k.ID
				continue
			}
		}
		key, err := v.master.Unwrap(ctx, k.ID, k.Wrapped)
		if err != nil {
			return fmt.Errorf("%w (data key %s: %w)", errWrong, k.ID, err)
		}
		a, err := newAEAD(key)
		if err != nil {
			return fmt.Errorf("data key %s: %w", k.ID, err)
		}
		have.by[k.ID], have.current = a, k.ID
	}
	v.ring.Store(have)
	return nil
}
