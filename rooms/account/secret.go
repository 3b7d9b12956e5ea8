package account

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// secret derives (RFC 5869) from the account key the one for a purpose.
func (s *Service) secret(purpose string) []byte { return derived(s.cfg.AccountKey, purpose) }

func derived(key []byte, purpose string) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, "wenzhen "+purpose, 32)
	if err != nil {
		panic("account: " + err.Error()) // only for lengths that SHA-256 cannot give
	}
	return out
}

// encrypt encrypts (AES-256-GCM) what must not be read from the database alone:
// for is whose or what it is, and must be the same when it is opened.
func (s *Service) encrypt(purpose, of string, plain []byte) []byte {
	gcm := s.cipher(purpose)
	nonce := make([]byte, gcm.NonceSize())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return gcm.Seal(nonce, nonce, plain, []byte(of))
}

func (s *Service) decrypt(purpose, of string, encrypted []byte) ([]byte, error) {
	gcm := s.cipher(purpose)
	if len(encrypted) < gcm.NonceSize() {
		return nil, errors.New("account: a sealed value is damaged")
	}
	plain, err := gcm.Open(nil, encrypted[:gcm.NonceSize()], encrypted[gcm.NonceSize():], []byte(of))
	if err != nil {
		return nil, fmt.Errorf("account: a sealed value cannot be opened; was the account key changed? %w", err)
	}
	return plain, nil
}

func (s *Service) cipher(purpose string) cipher.AEAD {
	block, err := aes.NewCipher(s.secret(purpose))
	if err == nil {
		var gcm cipher.AEAD
		if gcm, err = cipher.NewGCM(block); err == nil {
			return gcm
		}
	}
	panic("account: " + err.Error()) // only for keys of other lengths
}
