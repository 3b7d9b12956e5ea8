package account_test

import (
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest"
	accountstore "wenzhen.example/rooms/store/account"
)

// The verification does not depend on who remembers to end it: a name or a
// profile that was written by any path is compared with what was reviewed.
func TestVerificationEndsByAnyPath(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	accounts := accountstore.Store{DB: w.DB}
	for name, write := range map[string]func(tx account.Tx, id rooms.UserID) error{
		"the user's name": func(tx account.Tx, id rooms.UserID) error {
			u, err := tx.User(id)
			if err != nil {
				return err
			}
			u.Name = "somebody else"
			return tx.SaveUser(u)
		},
		"the profile": func(tx account.Tx, id rooms.UserID) error {
			d, err := tx.Doctor(id)
			if err != nil {
				return err
			}
			d.Licence = "another" // and Verified as it was
			return tx.SaveDoctor(d)
		},
	} {
		id := w.Doctor("wang-" + name[len(name)-4:]).User.ID
		if err := accounts.InTx(t.Context(), func(tx account.Tx) error { return write(tx, id) }); err != nil {
			t.Fatal(err)
		}
		if d, err := accounts.Doctor(t.Context(), id); err != nil || d.Verified {
			t.Errorf("%s: still verified (%v)", name, err)
		}
		list, err := accounts.Doctors(t.Context(), account.DoctorQuery{Limit: 10})
		if err != nil || len(list) != 0 {
			t.Errorf("%s: %d doctors are listed (%v)", name, len(list), err)
		}
	}
}
