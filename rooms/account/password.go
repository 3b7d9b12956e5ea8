package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"

	"golang.org/x/crypto/argon2"
)

// Hashing is what it costs to hash a password with argon2id in one lane.
type Hashing struct {
	Memory uint32 // KiB
	Passes uint32
}

// defaultHashing is the first recommendation of OWASP's password storage.
var defaultHashing = Hashing{Memory: 19 * 1024, Passes: 2}

// Lanes of argon2id, and lengths in bytes.
const (
	argonLanes = 1
	argonKey   = 32
	argonSalt  = 16
)

// passwords hashes and checks passwords, only so many at once: a flood of
// logins must not take the machine's memory.
type passwords struct {
	slots chan struct{}
	cost  Hashing
}

func newPasswords(cost Hashing) passwords {
	return passwords{make(chan struct{}, runtime.GOMAXPROCS(0)), cmp.Or(cost, defaultHashing)}
}

func (p passwords) turn(ctx context.Context, work func()) error {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
		work()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hash returns the password in PHC string format.
func (p passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	var key []byte
	if err := p.turn(ctx, func() { key = argon2.IDKey([]byte(password), salt, p.cost.Passes, p.cost.Memory, argonLanes, argonKey) }); err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.cost.Memory, p.cost.Passes, argonLanes, b64(salt), b64(key)), nil
}

// matches reports whether password made phc. An empty phc takes as long as a
// real one and never matches, so that time does not tell which accounts exist.
func (p passwords) matches(ctx context.Context, password, phc string) (bool, error) {
	var version, memory, passes, lanes int
	var rest string
	n, _ := fmt.Sscanf(phc, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s", &version, &memory, &passes, &lanes, &rest)
	salt, want := make([]byte, argonSalt), make([]byte, argonKey)
	if n == 5 {
		var err error
		if salt, want, err = splitPHC(rest); err != nil {
			return false, err
		}
	} else {
		memory, passes, lanes = int(p.cost.Memory), int(p.cost.Passes), argonLanes
	}
	var key []byte
	err := p.turn(ctx, func() {
		key = argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(lanes), uint32(len(want)))
	})
	return err == nil && n == 5 && subtle.ConstantTimeCompare(key, want) == 1, err
}

func splitPHC(rest string) (salt, key []byte, err error) {
	for i := range rest {
		if rest[i] == '$' {
			if salt, err = base64.RawStdEncoding.DecodeString(rest[:i]); err != nil {
				return nil, nil, fmt.Errorf("password salt: %w", err)
			}
			if key, err = base64.RawStdEncoding.DecodeString(rest[i+1:]); err != nil {
				return nil, nil, fmt.Errorf("password key: %w", err)
			}
			return salt, key, nil
		}
	}
	return nil, nil, fmt.Errorf("password hash has no key")
}
