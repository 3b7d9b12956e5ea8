package account_test

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest"
	accountstore "wenzhen.example/rooms/store/account"
)

// forge signs claims as someone can who has stolen the token key and the database.
func forge(w *roomstest.World, claims jwt.MapClaims) string {
	w.T.Helper()
	keys, err := w.Keys()
	if err != nil || len(keys) == 0 {
		w.T.Fatalf("%d signing keys, %v", len(keys), err)
	}
	key, err := hkdf.Key(sha256.New, []byte("a key of 32 characters for tests"), nil, "wenzhen access token "+keys[0].ID, 32)
	if err != nil {
		w.T.Fatal(err)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	token.Header["kid"] = keys[0].ID
	signed, err := token.SignedString(key)
	if err != nil {
		w.T.Fatal(err)
	}
	return signed
}

// What a token says of its owner's role is of no account: the role is the
// database's, and the session is its owner's.
func TestForgedRole(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	now := w.Now()
	claims := func(user rooms.UserID, session rooms.SessionID, role rooms.Role, iat, exp time.Time) jwt.MapClaims {
		return jwt.MapClaims{"iss": "wenzhen", "sub": user, "sid": session, "role": role, "iat": iat.Unix(), "exp": exp.Unix()}
	}
	soon := now.Add(10 * time.Minute)
	actor, _, err := w.Accounts.Authenticate(t.Context(), forge(w, claims(bo.User.ID, bo.As.SessionID, rooms.RoleAdmin, now, soon)))
	if err != nil || actor.Role != rooms.RolePatient {
		t.Errorf("a patient's session whose token says admin is %q, %v", actor.Role, err)
	}
	if _, err := roomstest.Ask(w, actor, Users, UserFilter{}); rooms.CodeOf(err) != rooms.CodeForbidden {
		t.Errorf("lists all users: %v", err)
	}
	actor.Role = rooms.RoleAdmin // as a connection would have it that was opened before
	if _, err := roomstest.Ask(w, actor, Users, UserFilter{}); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("a connection of another role lists all users: %v", err)
	}
	for name, c := range map[string]jwt.MapClaims{
		"another's session":    claims(wang.User.ID, bo.As.SessionID, rooms.RoleDoctor, now, soon),
		"a session that never": claims(bo.User.ID, "none", rooms.RolePatient, now, soon),
		"three years":          claims(bo.User.ID, bo.As.SessionID, rooms.RolePatient, now, now.AddDate(3, 0, 0)),
		"a minute too long":    claims(bo.User.ID, bo.As.SessionID, rooms.RolePatient, now, now.Add(16*time.Minute)),
		"issued in years":      claims(bo.User.ID, bo.As.SessionID, rooms.RolePatient, now.AddDate(3, 0, 0), now.AddDate(3, 0, 0).Add(time.Minute)),
		"no time of issue":     {"iss": "wenzhen", "sub": bo.User.ID, "sid": bo.As.SessionID, "exp": soon.Unix()},
	} {
		if _, _, err := w.Accounts.Authenticate(t.Context(), forge(w, c)); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A role that changes does so at once: sessions that were opened under the old
// one end, on every node, and an old token has the new role nowhere.
func TestRoleChanges(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	li := w.Doctor("li")
	elsewhere := w.Node(rooms.NewHub(rooms.HubOptions{Depth: 10}))
	if err := elsewhere.Alive(t.Context(), li.As, ""); err != nil {
		t.Fatal(err)
	}
	err := accountstore.Store{DB: w.DB}.InTx(context.Background(), func(tx Tx) error {
		_, err := tx.SetRole(li.User.ID, rooms.RolePatient, w.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere.NotifyRevocations(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := elsewhere.Alive(t.Context(), li.As, ""); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("on another node a doctor who is none any more: %v", err)
	}
	if n := len(w.Signals(rooms.SessionRoom(li.As.SessionID), SessionRevoked.Name)); n != 1 {
		t.Errorf("their sockets got the event %d times", n)
	}
	again, err := roomstest.Ask(w, guest("a"), LogIn, LoginInput{Email: li.User.Email, Password: roomstest.Password})
	if err != nil || again.User.Role != rooms.RolePatient {
		t.Errorf("logs in anew as %q, %v", again.User.Role, err)
	}
}
