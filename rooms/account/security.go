package account

import (
	"context"

	"wenzhen.example/rooms"
)

func (s *Service) security(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (Security, error) {
	user, err := s.store.User(ctx, actor.UserID)
	if err != nil {
		return Security{}, err
	}
	known, err := s.store.Credentials(ctx, user.Email)
	if err != nil {
		return Security{}, err
	}
	out := Security{Password: known.PasswordHash != "", EmailVerified: user.EmailVerified}
	factor, err := s.store.TOTP(ctx, user.ID)
	if err != nil && rooms.CodeOf(err) != rooms.CodeNotFound {
		return Security{}, err
	}
	if out.TOTP = err == nil && !factor.ConfirmedAt.IsZero(); out.TOTP {
		if out.RecoveryCodes, err = s.store.RecoveryCodesLeft(ctx, user.ID); err != nil {
			return Security{}, err
		}
	}
	passkeys, err := s.store.Passkeys(ctx, user.ID)
	if err != nil {
		return Security{}, err
	}
	identities, err := s.store.Identities(ctx, user.ID)
	out.Passkeys, out.Identities = orEmpty(passkeys), orEmpty(identities)
	return out, err
}

// Providers are the OpenID providers that one can log in with here.
func (s *Service) Providers() []IdentityProvider {
	if s.cfg.OpenID == nil {
		return []IdentityProvider{}
	}
	return orEmpty(s.cfg.OpenID.Providers())
}
