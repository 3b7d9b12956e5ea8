package account

import (
	"context"
	"time"

	"wenzhen/rooms"
)

// Config is the rules of accounts.
type Config struct {
	// Key signs access tokens: 32 random bytes, the same on every node.
	Key []byte
	// AccessLife and RefreshLife are how long tokens are good for.
	AccessLife, RefreshLife time.Duration
	// LoginFailures per account within LoginWindow; AddressFailures from one address.
	LoginFailures, AddressFailures int
	LoginWindow                    time.Duration
	// Registrations from one address within a minute.
	Registrations int
}

// Service carries out the commands of accounts.
type Service struct {
	cfg       Config
	store     Store
	hub       *rooms.Hub
	now       func() time.Time
	signer    signer
	passwords passwords
	alive     *liveness
}

// New makes the service.
func New(cfg Config, store Store, hub *rooms.Hub, now func() time.Time) *Service {
	return &Service{cfg: cfg, store: store, hub: hub, now: now, passwords: newPasswords(),
		signer: signer{key: cfg.Key, life: cfg.AccessLife, now: now}, alive: newLiveness(store, now)}
}

// Commands are the commands that the service carries out.
func (s *Service) Commands() []rooms.Bound {
	return []rooms.Bound{
		Register.Bind(s.register), LogIn.Bind(s.logIn), Refresh.Bind(s.refresh), LogOut.Bind(s.logOut),
		Sessions.Bind(s.sessions), RevokeSession.Bind(s.revokeSession),
		Me.Bind(s.me), UpdateMe.Bind(s.updateMe), RotateCalendar.Bind(s.rotateCalendar),
		Patients.Bind(s.patients), AddPatient.Bind(s.addPatient), UpdatePatient.Bind(s.updatePatient),
		Doctors.Bind(s.doctors), ReadDoctor.Bind(s.readDoctor), UpdateDoctor.Bind(s.updateDoctor),
		Users.Bind(s.users), Applicants.Bind(s.applicants), VerifyDoctor.Bind(s.verifyDoctor), SuspendUser.Bind(s.suspendUser),
	}
}

// Authenticate reads an access token: who it speaks for and until when. It
// does not ask whether the session still lives; Alive does, on every command.
// Errors: unauthenticated.
func (s *Service) Authenticate(token string) (rooms.Actor, time.Time, error) {
	return s.signer.read(token)
}

// Alive is a rooms.Guard: it refuses a revoked or expired session and a
// suspended user. On this node a revocation is seen at once; one made
// elsewhere, within livenessTTL.
func (s *Service) Alive(ctx context.Context, actor rooms.Actor, _ string) error {
	if actor.SessionID == "" {
		return nil
	}
	ok, err := s.alive.check(ctx, actor.SessionID)
	switch {
	case err != nil:
		return err
	case !ok:
		return rooms.Unauthenticated("this session has ended; log in again")
	}
	return nil
}

// announceRevoked forgets what was known of sessions and tells their sockets.
func (s *Service) announceRevoked(ids []rooms.SessionID) {
	for _, id := range ids {
		s.alive.forget(id)
		SessionRevoked.Send(s.hub, rooms.SessionRoom(id), SessionInput{SessionID: id})
	}
}
