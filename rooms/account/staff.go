package account

import (
	"context"
	"slices"
	"time"

	"wenzhen.example/rooms"
)

// SecondFactor says who has to have a second factor.
type SecondFactor string

// The rules.
const (
	FactorOff   SecondFactor = "off"
	FactorStaff SecondFactor = "staff" // doctors and admins
)

// beforeFactor is what staff may ask for who have yet to set up a second
// factor: who they are, how they log in, and out.
var beforeFactor = []string{
	Me.Name, UpdateMe.Name, ReadSecurity.Name, Confirm.Name, KeepSession.Name, Sessions.Name, RevokeSession.Name, RevokeOthers.Name,
	BeginTOTP.Name, ConfirmTOTP.Name, BeginPasskey.Name, AddPasskey.Name, ChangePassword.Name, SendVerification.Name, VerifyEmail.Name,
	LogIn.Name, LogOut.Name, LogOutProvider.Name, Refresh.Name, AskPasskey.Name, UsePasskey.Name,
	StartProvider.Name, ProviderCallback.Name, FinishProvider.Name, ForgotPassword.Name, ResetPassword.Name,
}

// enrolled refuses a session of staff that has no second factor where one is
// required: the account has none, and the session was not begun with a passkey,
// which is two factors by itself.
func (s *Service) enrolled(ctx context.Context, actor rooms.Actor, now Standing, command string) error {
	if s.cfg.SecondFactor != FactorStaff || now.TwoFactors || (now.Role != rooms.RoleDoctor && now.Role != rooms.RoleAdmin) || slices.Contains(beforeFactor, command) {
		return nil
	}
	s.alive.forget(actor.SessionID) // it may have been set up on another node this moment
	now, err := s.alive.standing(ctx, actor.SessionID, actor.UserID)
	if err != nil || now.TwoFactors {
		return err
	}
	e := rooms.Forbidden("set up a second factor first (POST /me/totp, or a passkey and a login with it): doctors and admins need one here")
	e.Field = "secondFactor"
	return e
}

// ConfirmedWithin is a rooms.Guard for what counts as a signature: it refuses
// the commands to a session whose owner has not proved within so long who they
// are, by logging in or by Confirm. 0 refuses nothing, and patients sign nothing.
func (s *Service) ConfirmedWithin(within time.Duration, commands ...string) rooms.Guard {
	return func(ctx context.Context, actor rooms.Actor, command string) error {
		if within <= 0 || actor.SessionID == "" || actor.Role == rooms.RolePatient || !slices.Contains(commands, command) {
			return nil
		}
		session, err := s.store.Session(ctx, actor.SessionID)
		if err != nil {
			return err
		}
		if s.now().Sub(session.ProvedAt) <= within {
			return nil
		}
		return errConfirm()
	}
}

func errConfirm() error {
	e := rooms.Forbidden("confirm first that it is you (POST /auth/sessions/confirm)")
	e.Field = "confirm"
	return e
}
