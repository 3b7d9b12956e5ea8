package services_test

import (
	"context"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
)

// A command that all guards refuse is answered by the first: the limit, then the
// end of the session, then the confirmation that a signature asks for.
func TestOrderOfGuards(t *testing.T) {
	t.Parallel()
	var limited error
	w := roomstest.New(t, func(w *roomstest.World) {
		w.SignConfirm = time.Minute
		w.Limit = func(context.Context, rooms.Actor, string) error { return limited }
	})
	wang := w.Doctor("wang")
	refused := func(why string, want rooms.Code) {
		t.Helper()
		if got := roomstest.Code(wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: "none"}); got != want {
			t.Errorf("%s: %q, want %q", why, got, want)
		}
	}
	w.Turns(time.Hour)
	refused("not confirmed", rooms.CodeForbidden)
	roomstest.Must(wang, account.LogOut, account.RefreshInput{RefreshToken: wang.RefreshToken})
	refused("logged out, too", rooms.CodeUnauthenticated)
	limited = rooms.RateLimited(time.Second, "too many commands")
	refused("over the limit, too", rooms.CodeRateLimited)
}
