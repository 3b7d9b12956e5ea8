package account

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"wenzhen.example/rooms"
)

// Options are what the service needs, and the rules of accounts.
type Options struct {
	Store Store
	Hub   *rooms.Hub
	Now   func() time.Time

	// Key is what the keys that sign access tokens are derived from: 32 random
	// bytes, the same on every node. KeyLife is how long one of them signs; 0 means
	// without a limit.
	Key     []byte
	KeyLife time.Duration
	// AccountKey protects what is in the database: second factors, the secrets
	// of links and devices. Changed, all those end. The same on every node.
	AccountKey []byte
	// PublicURL is where browsers reach the server, without a slash at its end.
	PublicURL string
	// OpenID is the providers to log in with; nil for none.
	OpenID OpenID
	// Mail sends letters; nil where none are sent.
	Mail Mail
	// Log gets what could not be sent; nil for nowhere.
	Log *slog.Logger
	// AccessLife and RefreshLife are how long tokens are good for.
	AccessLife, RefreshLife time.Duration
	// IdleLogOff is how long an unused session of a doctor or an admin lives; 0
	// means without a limit.
	IdleLogOff time.Duration
	// LoginFailures per account within LoginWindow; AddressFailures from one address.
	LoginFailures, AddressFailures int
	LoginWindow                    time.Duration
	// SecondFactor is who has to have one.
	SecondFactor SecondFactor
	// SecondFactorGuesses is how many wrong codes an account takes in a day.
	SecondFactorGuesses int
	// MailsADay is how many mails of one kind go to one address in a day.
	MailsADay int
	// ConfirmRegistration makes an account once its address is confirmed, where
	// mail is sent.
	ConfirmRegistration bool
	// PublishedPassword is one that everyone knows and that no account may have:
	// the demo's, on a server that is no demo.
	PublishedPassword string
	// Hashing of the passwords that are set from now on; OWASP's recommendation
	// when zero. Tests have a cheaper one.
	Hashing Hashing
	// Registrations from one address within a minute.
	Registrations int
	// KeepMessages and KeepRecords are how long messages and signed documents are
	// kept after a consultation. Erasure reports them to the user.
	KeepMessages, KeepRecords time.Duration
	// Unwinders returns the features that end what a user has open, in this
	// order. It is a function because they need the service; nil, as on the command
	// line, leaves that to a server.
	Unwinders func() []Unwinder
	// VerificationObserver returns the feature that ends the access that a doctor
	// has by being verified. It is a function for the same reason; without it no
	// verification ends.
	VerificationObserver func() VerificationObserver
}

// Service executes the commands of accounts.
type Service struct {
	cfg       Options
	store     Store
	hub       *rooms.Hub
	now       func() time.Time
	signer    signer
	passwords passwords
	alive     *liveness
	uses      sessionUses
	letters   *rooms.Jobs
	party     *webauthn.WebAuthn // nil without a public URL: then there is no server
}

// New makes the service. It fails for a public URL that is none.
func New(o Options) (*Service, error) {
	party, err := relyingParty(o.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("account: public URL: %w", err)
	}
	if o.Unwinders == nil {
		o.Unwinders = func() []Unwinder { return nil }
	}
	if o.VerificationObserver == nil {
		o.VerificationObserver = func() VerificationObserver { return nil }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{cfg: o, store: o.Store, hub: o.Hub, now: o.Now, passwords: newPasswords(o.Hashing), party: party,
		signer: signer{keys: &keyring{master: o.Key, store: o.Store, now: o.Now}, life: o.AccessLife, now: o.Now},
		alive:  newLiveness(o.Store, o.Now), uses: sessionUses{at: map[rooms.SessionID]time.Time{}}}
	s.letters = rooms.NewJobs(s.workOnLetter)
	return s, nil
}

// Timers are the timers that the service fires.
func (s *Service) Timers() map[string]rooms.TimerFunc {
	return map[string]rooms.TimerFunc{timerLetter: s.letters.Hand, timerRotation: s.rotate, timerIdle: s.expireIdleSession, timerExpiry: s.endExpired, timerUnwind: s.unwind}
}

// Commands returns the commands that the service executes.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{
		Register.Bind(s.register), LogIn.Bind(s.logIn), Refresh.Bind(s.refresh), LogOut.Bind(s.logOut),
		Sessions.Bind(s.sessions), RevokeSession.Bind(s.revokeSession),
		Me.Bind(s.me), UpdateMe.Bind(s.updateMe), RotateCalendar.Bind(s.rotateCalendar), Export.Bind(s.export),
		ReadErasure.Bind(s.readErasure), Erase.Bind(s.erase), PlaceLegalHold.Bind(s.placeLegalHold), ReleaseLegalHold.Bind(s.releaseLegalHold), LegalHolds.Bind(s.legalHolds),
		Patients.Bind(s.patients), AddPatient.Bind(s.addPatient), UpdatePatient.Bind(s.updatePatient),
		Doctors.Bind(s.doctors), ReadDoctor.Bind(s.readDoctor), UpdateDoctor.Bind(s.updateDoctor),
		ForgotPassword.Bind(s.forgotPassword), ResetPassword.Bind(s.resetPassword), VerifyEmail.Bind(s.verifyEmail),
		StartProvider.Bind(s.startProvider), ProviderCallback.Bind(s.callback), FinishProvider.Bind(s.finishProvider),
		LogOutProvider.Bind(s.logOutProvider), BackChannelLogout.Bind(s.backChannelLogout),
		AskPasskey.Bind(s.askPasskey), UsePasskey.Bind(s.usePasskey),
		ReadSecurity.Bind(s.security), Confirm.Bind(s.confirm), RevokeOthers.Bind(s.revokeOthers), KeepSession.Bind(s.keepSession),
		ChangePassword.Bind(s.changePassword), SendVerification.Bind(s.sendVerification),
		BeginTOTP.Bind(s.beginTOTP), ConfirmTOTP.Bind(s.confirmTOTP), RemoveTOTP.Bind(s.removeTOTP), RenewRecoveryCodes.Bind(s.renewRecoveryCodes),
		BeginPasskey.Bind(s.beginPasskey), AddPasskey.Bind(s.addPasskey), RemovePasskey.Bind(s.removePasskey),
		LinkProvider.Bind(s.linkProvider), Unlink.Bind(s.unlink),
		Users.Bind(s.users), Applicants.Bind(s.applicants), VerifyDoctor.Bind(s.verifyDoctor), UnverifyDoctor.Bind(s.unverifyDoctor),
		SuspendUser.Bind(s.suspendUser), UnsuspendUser.Bind(s.unsuspendUser),
		ResetSecondFactor.Bind(s.resetSecondFactor),
	}
}

// Authenticate returns the actor of an access token and when it expires. The
// token only names the session: whether it lives, whose it is and which role
// its user has come from the database. Errors: unauthenticated; unavailable.
func (s *Service) Authenticate(ctx context.Context, token string) (rooms.Actor, time.Time, error) {
	actor, expires, err := s.signer.read(token)
	if err != nil {
		return rooms.Actor{}, time.Time{}, err
	}
	now, err := s.alive.standing(ctx, actor.SessionID, actor.UserID)
	if err != nil {
		return rooms.Actor{}, time.Time{}, err
	}
	actor.Role = now.Role
	return actor, expires, nil
}

// Alive is a rooms.Guard: it refuses a revoked or expired session, a suspended
// user, one whose role is no longer the actor's and staff who have yet to set up
// a second factor, where one is required. It notes that the session is used,
// except for "", a connection that is opened, checked or given a fresh token,
// and for Refresh: browsers do both by themselves. A change is seen at once on
// this node, and on others when the signal of it arrives, at the latest within
// livenessTTL.
func (s *Service) Alive(ctx context.Context, actor rooms.Actor, command string) error {
	if actor.SessionID == "" {
		return nil
	}
	now, err := s.alive.standing(ctx, actor.SessionID, actor.UserID)
	if err != nil {
		return err
	}
	if now.Role != actor.Role { // a connection that was opened before
		return rooms.Unauthenticated("the role of this account has changed; connect again")
	}
	if command != "" && command != Refresh.Name && s.hasIdleTimeout(actor.Role) {
		s.uses.note(actor.SessionID, s.now())
	}
	return s.enrolled(ctx, actor, now, command)
}

// Lives refuses a session that has ended, whatever it is used for: unlike
// Alive it does not count as a use. Errors: unauthenticated; unavailable.
func (s *Service) Lives(ctx context.Context, id rooms.SessionID, user rooms.UserID) error {
	_, err := s.alive.standing(ctx, id, user)
	return err
}

// forgetAll makes a revocation that was just committed take effect on this node
// at once; tx.RevokeSessions notifies sockets on all nodes.
func (s *Service) forgetAll(ids []rooms.SessionID) {
	for _, id := range ids {
		s.Forget(id)
	}
}

// Forget drops what is remembered of a session, so that Alive asks anew.
func (s *Service) Forget(id rooms.SessionID) { s.alive.forget(id) }
