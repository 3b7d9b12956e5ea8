package schedule_test

import (
	"path"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest"
	. "wenzhen.example/rooms/schedule"
)

// What the database has of a calendar feed's address does not open the feed
// (issue 14, secrets at rest).
func TestCalendarFeedNeedsTheAccountKey(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	token := strings.TrimSuffix(path.Base(roomstest.Must(w.Patient("bo"), account.Me, rooms.Nothing{}).CalendarURL), ".ics")
	id, _, _ := strings.Cut(token, ".")
	for _, guess := range []string{id, id + ".", id + "." + id} {
		if _, err := roomstest.Ask(w, rooms.Actor{}, Calendar, CalendarInput{Token: guess}); rooms.CodeOf(err) != rooms.CodeNotFound {
			t.Errorf("%s: %v", guess, err)
		}
	}
}

// The address of a calendar feed opens it without a login, so it ends with the
// password, and with the account.
func TestCalendarFeedEndsWithThePassword(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *roomstest.World, bo *roomstest.Person){
		"changed": func(_ *roomstest.World, bo *roomstest.Person) {
			roomstest.Must(bo, account.ChangePassword, account.PasswordInput{Password: "another battery"})
		},
		"reset": func(w *roomstest.World, bo *roomstest.Person) {
			bo.Verifies()
			roomstest.Must(bo, account.ForgotPassword, account.ForgotInput{Email: bo.User.Email})
			w.Passes(0) // it is sent
			for _, letter := range w.Post.To(bo.User.Email) {
				if _, token, ok := strings.Cut(letter.URL, "/password/reset#"); ok {
					roomstest.Must(bo, account.ResetPassword, account.ResetInput{Token: token, Password: "another battery"})
					return
				}
			}
			w.T.Errorf("no letter to reset the password: %+v", w.Post.To(bo.User.Email))
		},
		"suspended": func(w *roomstest.World, bo *roomstest.Person) {
			roomstest.Must(w.Admin("root"), account.SuspendUser, account.UserInput{UserID: bo.User.ID})
			roomstest.Must(w.Admin("another"), account.UnsuspendUser, account.UserInput{UserID: bo.User.ID})
		},
		"erased": func(_ *roomstest.World, bo *roomstest.Person) {
			roomstest.Must(bo, account.Erase, rooms.Nothing{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			bo := w.Patient("bo")
			feed := CalendarInput{Token: strings.TrimSuffix(path.Base(roomstest.Must(bo, account.Me, rooms.Nothing{}).CalendarURL), ".ics")}
			if _, err := roomstest.Ask(w, rooms.Actor{}, Calendar, feed); err != nil {
				t.Fatal(err)
			}
			end(w, bo)
			if _, err := roomstest.Ask(w, rooms.Actor{}, Calendar, feed); rooms.CodeOf(err) != rooms.CodeNotFound {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}
