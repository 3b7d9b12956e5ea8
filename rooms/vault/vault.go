package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// Vault encrypts values and opens them again. It is used by many goroutines.
type Vault struct {
	master  Master
	ring    atomic.Pointer[ring] // nil while the vault is off
	loading sync.Mutex
	// required are the columns in which everything is encrypted.
	required atomic.Pointer[map[string]bool]
	// again loads the data keys anew; nil before Attach.
	again atomic.Pointer[func() error]
}

// ring is the data keys that a vault has.
type ring struct {
	current string
	by      map[string]aead
}

type aead = cipher.AEAD

const (
	keyBytes = 32
	idBytes  = 16 // of a data key's id, in hexadecimal digits
)

// New makes a vault that is off until Load; master is nil when there is no
// master key.
func New(master Master) *Vault { return &Vault{master: master} }

// On reports whether new values are encrypted.
func (v *Vault) On() bool { return v.ring.Load() != nil }

// Current is the id of the data key that new values are encrypted with; empty
// while the vault is off.
func (v *Vault) Current() string {
	if r := v.ring.Load(); r != nil {
		return r.current
	}
	return ""
}

// newAEAD is AES-256-GCM that puts a random nonce before each ciphertext. One
// key is good for 2³² values (NIST SP 800-38D, 8.3).
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// An encrypted text is mark, the id of the data key, "$", and nonce and ciphertext
// in base64. A text that is not encrypted and begins with mark has an empty id.
const mark = "wz1$"

// EncryptedText is what SQL's LIKE finds encrypted texts by.
const EncryptedText = mark + "%"

// Encrypt encrypts a text for a place. An empty text stays empty, so that conditions
// on it go on working.
func (v *Vault) Encrypt(place, text string) string {
	r := v.ring.Load()
	switch {
	case text == "":
		return ""
	case r == nil && strings.HasPrefix(text, mark):
		return mark + "$" + text
	case r == nil:
		return text
	}
	encrypted := r.by[r.current].Seal(nil, nil, []byte(text), []byte(place))
	out := make([]byte, 0, len(mark)+len(r.current)+1+base64.RawStdEncoding.EncodedLen(len(encrypted)))
	out = append(append(append(out, mark...), r.current...), '$')
	return string(base64.RawStdEncoding.AppendEncode(out, encrypted))
}

// Require has Decrypt refuse what is not encrypted in these columns, which are places
// up to the first slash: by then everything in them has been encrypted, so someone
// else has put it there.
func (v *Vault) Require(columns []string) {
	required := make(map[string]bool, len(columns))
	for _, c := range columns {
		required[c] = true
	}
	v.required.Store(&required)
}

// Requires reports whether there is any column in which everything is encrypted.
func (v *Vault) Requires() bool {
	required := v.required.Load()
	return required != nil && len(*required) > 0 && v.On()
}

// requires reports whether what is at a place must be encrypted. What says nothing,
// because it was erased, need not be.
func (v *Vault) requires(place, body string) bool {
	if body == "" || body == "{}" || !v.Requires() {
		return false
	}
	column, _, _ := strings.Cut(place, "/")
	return (*v.required.Load())[column]
}

// ErrDamaged is the cause where a value cannot be opened, now or later.
var ErrDamaged = errors.New("the value is damaged")

// Decrypt opens what Encrypt made for the same place; a text that was stored before
// there was a key comes back as it is, unless the column is one of Require.
// Errors: the value is another place's, or was changed, or should be encrypted; its
// data key is not there.
func (v *Vault) Decrypt(place, stored string) (string, error) {
	id, body, encrypted := parts(stored)
	if !encrypted && v.requires(place, body) {
		return "", fmt.Errorf("%s: what is stored is not encrypted, though everything else there is: this server did not write it (%w)", place, ErrDamaged)
	}
	if !encrypted {
		return body, nil
	}
	key, err := v.key(id)
	if err != nil {
		return "", fmt.Errorf("%s: %w", place, err)
	}
	raw, err := base64.RawStdEncoding.DecodeString(body)
	if err != nil {
		return "", fmt.Errorf("%s: %w: %w", place, ErrDamaged, err)
	}
	text, err := key.Open(nil, nil, raw, []byte(place))
	if err != nil {
		return "", fmt.Errorf("%s: what is stored was changed, or belongs elsewhere (%w)", place, ErrDamaged)
	}
	return string(text), nil
}

// Stale reports whether a stored text must be encrypted again: with another key,
// or for the first time.
func (v *Vault) Stale(stored string) bool {
	current := v.Current()
	id, body, encrypted := parts(stored)
	return current != "" && body != "" && (!encrypted || id != current)
}

// IsEncrypted reports whether a stored text is encrypted.
func IsEncrypted(stored string) bool {
	_, _, encrypted := parts(stored)
	return encrypted
}

// parts takes a stored text apart; body is the text itself if it is not encrypted.
func parts(stored string) (id, body string, encrypted bool) {
	rest, marked := strings.CutPrefix(stored, mark)
	if !marked {
		return "", stored, false
	}
	id, body, whole := strings.Cut(rest, "$")
	if !whole {
		return "", stored, false
	}
	return id, body, id != ""
}

// key finds a data key, if need be by asking for it.
func (v *Vault) key(id string) (cipher.AEAD, error) {
	for range 2 {
		if r := v.ring.Load(); r != nil {
			if key, ok := r.by[id]; ok {
				return key, nil
			}
		}
		if again := v.again.Load(); again != nil {
			if err := (*again)(); err != nil {
				return nil, err
			}
		}
	}
	return nil, fmt.Errorf("it was encrypted with the data key %.32q, which is not there (%w)", id, ErrDamaged)
}
