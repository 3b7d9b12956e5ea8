package operation_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// What is counted by address, of people and of networks, cannot be tried out by
// somebody who has the database: subjects are hashed with a key that is not in it.
// A restart forgets nothing that was counted.
func TestCountersHoldNoAddresses(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *e2e.World) {
		const guessed, invited = "nobody@wenzhen.example", "aunt@wenzhen.example"
		bo := w.Patient("bo")
		id := bo.Consults(w.Doctor("wang"), "a headache")
		e2e.Do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, Email: invited, Role: consultation.PartRelative})
		failsToLogIn(t, w)
		first := counted(t, w, "login:")
		e2e.Must(t, w.Stop())
		w.Run("127.0.0.1:0")
		failsToLogIn(t, w)
		if again := counted(t, w, "login:"); len(first) != 1 || len(again) != 2 || again[0] != first[0] || again[1] != first[0] {
			t.Errorf("a failed login counts as %q, and once more after a restart as %q", first, again)
		}
		for _, kind := range []string{"login-from:", "invited:", "invites:"} {
			if len(counted(t, w, kind)) == 0 {
				t.Errorf("nothing is counted as %s", kind)
			}
		}
		by := string(bo.User.ID)
		for _, plain := range []string{guessed, invited, "127.0.0.1", "invited:" + invited, "invited:" + by + " " + invited, "login:" + guessed, "login-from:127.0.0.1"} {
			sum := sha256.Sum256([]byte(plain))
			for _, subject := range counted(t, w, "") {
				if strings.Contains(subject, plain) || strings.Contains(subject, hex.EncodeToString(sum[:])) {
					t.Errorf("%s is counted as %s", plain, subject)
				}
			}
		}
		_, err := w.Client().LogIn(t.Context(), account.LoginInput{Email: bo.User.Email, Password: e2e.Password})
		if rooms.CodeOf(err) != "" {
			t.Errorf("another logs in: %v", err)
		}
	})
}

// counted are the subjects of a kind that have been counted.
func counted(t *testing.T, w *e2e.World, kind string) []string {
	t.Helper()
	return w.Attacks(t).Texts(`SELECT subject FROM attempts WHERE subject LIKE $1 ORDER BY at`, kind+"%")
}
