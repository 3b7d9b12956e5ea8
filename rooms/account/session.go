package account

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

const (
	// refreshGrace is how long a refresh token may be used again by someone
	// whom the answer did not reach, while nobody has used what it was traded for.
	refreshGrace = time.Minute
	// provedFor is how long a confirmation of identity permits changes of how to log in.
	provedFor = 15 * time.Minute
	// revocationsEvery is how often a node asks which sessions others have ended.
	revocationsEvery = 500 * time.Millisecond
	// revocationsOverlap covers clocks that differ and commits that come late.
	revocationsOverlap = 10 * time.Second
	// keysEvery is how often a node asks for new signing keys.
	keysEvery = 30 * time.Second
)

// entrance is how someone came in.
type entrance struct {
	method   Method
	device   string           // the device token that came along, if any
	provider *ProviderSession // when they came from an OpenID provider
}

// start opens a session for user.
func (s *Service) start(ctx context.Context, user User, actor rooms.Actor, how entrance) (Login, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Login, error) { return s.enter(tx, user, actor, how) })
}

// enter is start in a transaction that does more. A login on a device that the
// user has not used before is reported in the user's room and by mail.
func (s *Service) enter(tx Tx, user User, actor rooms.Actor, how entrance) (Login, error) {
	now := s.now()
	session := Session{ID: rooms.SessionID(rooms.NewID(now)), UserID: user.ID, CreatedAt: now, LastUsedAt: now, ProvedAt: now,
		ExpiresAt: now.Add(s.cfg.RefreshLife), UserAgent: cut(actor.Agent, 200), Address: actor.Address, Method: how.method}
	past, err := tx.PastSessions(user.ID, pastSessions)
	if err != nil {
		return Login{}, err
	}
	if err := tx.InsertSession(session); err != nil {
		return Login{}, err
	}
	as := rooms.Actor{UserID: user.ID, Role: user.Role, SessionID: session.ID, Address: actor.Address}
	if err := audit.Append(tx, as, now, audit.LoggedIn, "user:"+string(user.ID), func(e *audit.LogEntry) { e.Reason = string(how.method) }); err != nil {
		return Login{}, err
	}
	if how.provider != nil {
		p := *how.provider
		p.SessionID, p.IDToken = session.ID, s.encrypt("id token", string(session.ID), p.IDToken)
		if err := tx.InsertProviderSession(p); err != nil {
			return Login{}, err
		}
	}
	if err := expiresAt(tx, session.ID, session.ExpiresAt); err != nil {
		return Login{}, err
	}
	if s.hasIdleTimeout(user.Role) {
		if _, err := s.watchIdle(tx, session.ID); err != nil {
			return Login{}, err
		}
	}
	if strange(session, past) {
		if err := s.announceDevice(tx, session); err != nil {
			return Login{}, err
		}
	}
	refresh := newRefreshToken()
	err = tx.InsertRefreshToken(RefreshToken{Hash: hashed(refresh), SessionID: session.ID, ExpiresAt: now.Add(s.cfg.RefreshLife)})
	if err != nil {
		return Login{}, err
	}
	tokens, err := s.tokens(user, session.ID, refresh)
	return Login{User: user, Tokens: tokens, Device: s.deviceToken(user.ID, how.device)}, err
}

// pastSessions is how many earlier logins tell which devices are known.
const pastSessions = 200

// strange tells a device that none of the past sessions was on: by what it
// calls itself and the network that it is in. The first login ever is not.
func strange(session Session, past []Session) bool {
	for _, p := range past {
		if p.UserAgent == session.UserAgent && network(p.Address) == network(session.Address) {
			return false
		}
	}
	return len(past) > 0
}

// network is the part of an address that a home or an office keeps.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	bits := 48
	if ip = ip.Unmap(); ip.Is4() {
		bits = 24
	}
	prefix, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		return address
	}
	return prefix.String()
}

func (s *Service) announceDevice(tx Tx, session Session) error {
	_, err := SessionOpened.Record(tx, rooms.UserRoom(session.UserID), rooms.Actor{UserID: session.UserID}, session.CreatedAt, nil,
		func(rooms.Seq) (Session, error) { return session, nil })
	if err != nil {
		return err
	}
	return s.post(tx, letterNewDevice, string(session.ID))
}

func (s *Service) tokens(user User, session rooms.SessionID, refresh string) (Tokens, error) {
	access, err := s.signer.sign(rooms.Actor{UserID: user.ID, Role: user.Role, SessionID: session})
	return Tokens{AccessToken: access, RefreshToken: refresh, ExpiresIn: int(s.cfg.AccessLife.Seconds())}, err
}

// refresh trades a refresh token for the next pair. Used a second time it is
// taken for stolen and ends its session, with one exception: an answer can be
// lost on its way, so for refreshGrace the same token is answered the same
// again, as long as nobody has used that answer.
func (s *Service) refresh(ctx context.Context, actor rooms.Actor, in RefreshInput) (Tokens, error) {
	got, err := rooms.InTx(ctx, s.store, func(tx Tx) (refreshed, error) { return s.trade(tx, actor, in.RefreshToken) })
	if err != nil {
		return Tokens{}, err
	}
	s.forgetAll(got.revoked)
	return got.tokens, got.refused
}

// refreshed is what became of a refresh token: the next pair, or why there is
// none. A refusal commits like a success: a token used twice ends its session.
type refreshed struct {
	tokens  Tokens
	refused error
	revoked []rooms.SessionID
}

// trade is refresh within its transaction.
func (s *Service) trade(tx Tx, actor rooms.Actor, token string) (refreshed, error) {
	now, next := s.now(), s.successor(token)
	invalid := refreshed{refused: rooms.Unauthenticated("the refresh token is not valid; log in again")}
	old, err := tx.UseRefreshToken(hashed(token), now)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return invalid, nil
	} else if err != nil {
		return refreshed{}, err
	}
	owner, err := tx.SessionOwner(old.SessionID)
	if rooms.CodeOf(err) == rooms.CodeNotFound || !old.ExpiresAt.After(now) {
		return invalid, nil // revoked meanwhile, or too old
	} else if err != nil {
		return refreshed{}, err
	}
	user, err := tx.User(owner)
	if err != nil {
		return refreshed{}, err
	}
	if user.Suspended {
		return invalid, nil
	}
	if old.UsedAt.IsZero() {
		if err := s.succeed(tx, user, old.SessionID, next, now); err != nil {
			return refreshed{}, err
		}
	} else if lost, err := answerMayBeLost(tx, old, hashed(next), now); err != nil {
		return refreshed{}, err
	} else if !lost {
		revoked, err := tx.RevokeSessions(owner, old.SessionID, now)
		if err == nil {
			by := rooms.Actor{Address: actor.Address, SessionID: old.SessionID}
			err = s.enterEnd(tx, by, LogOut.Name, owner, "a refresh token was used twice")
		}
		return refreshed{revoked: revoked,
			refused: rooms.Unauthenticated("this refresh token was used before; its session has been ended, log in again")}, err
	}
	tokens, err := s.tokens(user, old.SessionID, next)
	return refreshed{tokens: tokens}, err
}

// succeed gives a session its next refresh token.
func (s *Service) succeed(tx Tx, user User, session rooms.SessionID, next string, now time.Time) error {
	expires := now.Add(s.cfg.RefreshLife)
	if err := tx.InsertRefreshToken(RefreshToken{Hash: hashed(next), SessionID: session, ExpiresAt: expires}); err != nil {
		return err
	}
	if err := tx.TouchSession(session, now, expires); err != nil {
		return err
	}
	if err := expiresAt(tx, session, expires); err != nil || !s.hasIdleTimeout(user.Role) {
		return err
	}
	_, err := s.watchIdle(tx, session) // it may have begun under another setting
	return err
}

// answerMayBeLost reports whether the answer to a used token may have been lost: it
// was used within refreshGrace, and the next token has not been used.
func answerMayBeLost(tx Tx, used RefreshToken, next [32]byte, now time.Time) (bool, error) {
	if now.Sub(used.UsedAt) > refreshGrace {
		return false, nil
	}
	successor, err := tx.RefreshToken(next)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return false, nil
	}
	return err == nil && successor.UsedAt.IsZero(), err
}

func (s *Service) logOut(ctx context.Context, actor rooms.Actor, in RefreshInput) (rooms.Nothing, error) {
	_, err := s.endSession(ctx, actor, LogOut.Name, in.RefreshToken)
	return rooms.Nothing{}, err
}

// enterEnd enters in the audit log that a session of a user has ended, by which
// command, and why where that is not plain.
func (s *Service) enterEnd(tx Tx, by rooms.Actor, action string, user rooms.UserID, why string) error {
	return audit.Append(tx, by, s.now(), action, "user:"+string(user), func(e *audit.LogEntry) { e.Reason = why })
}

// endSession ends the session of a refresh token and returns it; "" if there
// was none: logged out already, or never in, and the wish is fulfilled.
func (s *Service) endSession(ctx context.Context, actor rooms.Actor, action, refreshToken string) (rooms.SessionID, error) {
	revoked, err := rooms.InTx(ctx, s.store, func(tx Tx) ([]rooms.SessionID, error) {
		token, err := tx.UseRefreshToken(hashed(refreshToken), s.now())
		if err != nil {
			return nil, err
		}
		owner, err := tx.SessionOwner(token.SessionID)
		if err != nil {
			return nil, err
		}
		user, err := tx.User(owner)
		if err != nil {
			return nil, err
		}
		revoked, err := tx.RevokeSessions(owner, token.SessionID, s.now())
		if err != nil || len(revoked) == 0 {
			return nil, err
		}
		by := rooms.Actor{UserID: owner, Role: user.Role, SessionID: token.SessionID, Address: actor.Address}
		return revoked, s.enterEnd(tx, by, action, owner, "")
	})
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return "", nil
	}
	s.forgetAll(revoked)
	if len(revoked) == 0 {
		return "", err
	}
	return revoked[0], err
}

func (s *Service) sessions(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (SessionList, error) {
	list, err := s.store.Sessions(ctx, actor.UserID, s.now())
	for i := range list {
		list[i].Current = list[i].ID == actor.SessionID
	}
	return SessionList{Items: orEmpty(list)}, err
}

func (s *Service) revokeSession(ctx context.Context, actor rooms.Actor, in SessionInput) (rooms.Nothing, error) {
	if in.SessionID == "" {
		return rooms.Nothing{}, rooms.Invalid("sessionId", "sessionId is missing")
	}
	revoked, err := rooms.InTx(ctx, s.store, func(tx Tx) ([]rooms.SessionID, error) {
		revoked, err := tx.RevokeSessions(actor.UserID, in.SessionID, s.now())
		if err == nil && len(revoked) == 0 {
			return nil, rooms.NotFound("session")
		}
		if err == nil {
			err = audit.Append(tx, actor, s.now(), RevokeSession.Name, "user:"+string(actor.UserID), func(e *audit.LogEntry) {
				e.Detail = "session:" + string(in.SessionID)
			})
		}
		return revoked, err
	})
	s.forgetAll(revoked)
	return rooms.Nothing{}, err
}

func (s *Service) revokeOthers(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (rooms.Nothing, error) {
	revoked, err := rooms.InTx(ctx, s.store, func(tx Tx) ([]rooms.SessionID, error) {
		if err := s.enterInLog(tx, actor, RevokeOthers.Name, actor.UserID); err != nil {
			return nil, err
		}
		return tx.RevokeOtherSessions(actor.UserID, actor.SessionID, s.now())
	})
	s.forgetAll(revoked)
	return rooms.Nothing{}, err
}

// keepSession does nothing: that it was asked for is what counts.
func (s *Service) keepSession(context.Context, rooms.Actor, rooms.Nothing) (rooms.Nothing, error) {
	return rooms.Nothing{}, nil
}

// confirm proves once more who has the session: with the password, where the
// account has one, and with a code of the second factor, where that is on.
func (s *Service) confirm(ctx context.Context, actor rooms.Actor, in ConfirmInput) (rooms.Nothing, error) {
	user, err := s.store.User(ctx, actor.UserID)
	if err != nil {
		return rooms.Nothing{}, err
	}
	known, err := s.store.Credentials(ctx, user.Email)
	if err != nil {
		return rooms.Nothing{}, err
	}
	now := s.now()
	err = s.store.InTx(ctx, func(tx Tx) error {
		return attempt(tx, "confirm:"+string(actor.SessionID), s.cfg.LoginFailures, s.cfg.LoginWindow, now)
	})
	if err != nil {
		return rooms.Nothing{}, err
	}
	if known.PasswordHash != "" {
		ok, err := s.passwords.matches(ctx, in.Password, known.PasswordHash)
		if err != nil {
			return rooms.Nothing{}, err
		}
		if !ok {
			return rooms.Nothing{}, s.failed(ctx, actor, user.ID, ByPassword, rooms.Invalid("password", "the password is wrong"))
		}
	}
	needed, err := s.secondFactor(ctx, user.ID, in.OTP, "")
	var refused *rooms.Error
	switch {
	case errors.As(err, &refused) && refused.Code == rooms.CodeUnauthenticated && in.OTP == "":
		return rooms.Nothing{}, rooms.Invalid(refused.Field, "%s", refused.Message)
	case errors.As(err, &refused) && refused.Code == rooms.CodeUnauthenticated:
		return rooms.Nothing{}, s.failed(ctx, actor, user.ID, ByPassword, rooms.Invalid(refused.Field, "%s", refused.Message)) // the session itself is good
	case err != nil:
		return rooms.Nothing{}, err
	case known.PasswordHash == "" && !needed:
		return rooms.Nothing{}, rooms.Forbidden("this account has nothing to confirm with; log out and in again")
	}
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		if err := s.enterInLog(tx, actor, Confirm.Name, actor.UserID); err != nil {
			return err
		}
		return tx.ProveSession(actor.SessionID, now)
	})
}

// recentlyAuthenticated refuses, as part of tx, a session whose owner has not proved lately
// who they are. A token that was stolen does not change how its owner logs in.
func (s *Service) recentlyAuthenticated(tx Tx, actor rooms.Actor) error {
	at, err := tx.SessionProvedAt(actor.SessionID)
	if err != nil {
		return err
	}
	if s.now().Sub(at) <= provedFor {
		return nil
	}
	return errConfirm()
}

// changesLogin is proved for a command that changes how the actor logs in, and
// enters that change in the audit log.
func (s *Service) changesLogin(tx Tx, actor rooms.Actor, command string) error {
	if err := s.recentlyAuthenticated(tx, actor); err != nil {
		return err
	}
	return audit.Append(tx, actor, s.now(), command, "user:"+string(actor.UserID), nil)
}

// Watch makes what other nodes and processes do felt on this one, until ctx
// ends: sessions that they ended are cut within revocationsEvery, and their
// signing keys are learnt; and it tells them which sessions are used here. A
// failure is logged by report and tried again.
func (s *Service) Watch(ctx context.Context, report func(error)) {
	tick := time.NewTicker(revocationsEvery)
	defer tick.Stop()
	notified, keys, written := map[rooms.SessionID]bool{}, s.now(), s.now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if notified, err = s.NotifyRevocations(ctx, notified); err == nil && passed(keys, s.now(), keysEvery) {
			keys = s.now()
			err = s.signer.keys.load(ctx)
		}
		if err == nil && passed(written, s.now(), s.useEvery()) {
			written = s.now()
			err = s.WriteUses(ctx)
		}
		if err != nil && ctx.Err() == nil {
			report(err)
		}
	}
}

// passed reports whether long has passed since a time. It returns true if since
// is after now: after a clock was set back, waiting for it could take
// arbitrarily long.
func passed(since, now time.Time, long time.Duration) bool {
	d := now.Sub(since)
	return d >= long || d < 0
}

// NotifyRevocations notifies the sockets of sessions that any node has ended
// lately, except those in notified. It returns the sessions whose sockets have
// been notified, for the next call.
func (s *Service) NotifyRevocations(ctx context.Context, notified map[rooms.SessionID]bool) (map[rooms.SessionID]bool, error) {
	ids, err := s.store.RevokedSince(ctx, s.now().Add(-revocationsOverlap))
	if err != nil {
		return notified, err
	}
	now := make(map[rooms.SessionID]bool, len(ids))
	var fresh []rooms.SessionID
	for _, id := range ids {
		now[id] = true
		if !notified[id] {
			fresh = append(fresh, id)
		}
	}
	for _, id := range fresh {
		s.Forget(id)
		SessionRevoked.SendHere(s.hub, rooms.SessionRoom(id), SessionInput{SessionID: id})
	}
	return now, nil
}
