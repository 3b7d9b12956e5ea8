package account_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest"
)

func guest(address string) rooms.Actor { return rooms.Actor{Address: address} }

func TestSessions(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, jing := w.Patient("bo"), w.Patient("jing")
	second, err := roomstest.Ask(w, guest("a"), LogIn, LoginInput{Email: " BO@example.org", Password: roomstest.Password})
	if err != nil {
		t.Fatal(err)
	}
	list := roomstest.Must(bo, Sessions, rooms.Nothing{}).Items
	if len(list) != 2 {
		t.Fatalf("%d sessions, want 2", len(list))
	}
	other := list[0]
	if other.Current {
		other = list[1]
	}
	if code := roomstest.Code(jing, RevokeSession, SessionInput{SessionID: other.ID}); code != rooms.CodeNotFound {
		t.Errorf("someone else's session: %q", code)
	}
	actor, _, err := w.Accounts.Authenticate(t.Context(), second.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roomstest.Ask(w, actor, Me, rooms.Nothing{}); err != nil {
		t.Fatal(err)
	}
	roomstest.Must(bo, RevokeSession, SessionInput{SessionID: other.ID})
	if _, err := roomstest.Ask(w, actor, Me, rooms.Nothing{}); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("the revoked session: %v", err)
	}
	if _, err := roomstest.Ask(w, guest("a"), LogOut, RefreshInput{RefreshToken: bo.RefreshToken}); err != nil {
		t.Fatal(err)
	}
	if code := roomstest.Code(bo, Me, rooms.Nothing{}); code != rooms.CodeUnauthenticated {
		t.Errorf("after logging out: %q", code)
	}
}

func TestAccessTokenEnds(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	if _, _, err := w.Accounts.Authenticate(t.Context(), bo.AccessToken+"x"); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("a forged token: %v", err)
	}
	none := "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJ3ZW56aGVuIiwic3ViIjoiYSIsInNpZCI6ImIiLCJleHAiOjQwMDAwMDAwMDB9."
	if _, _, err := w.Accounts.Authenticate(t.Context(), none); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("alg none: %v", err)
	}
	w.Passes(15 * time.Minute)
	if _, _, err := w.Accounts.Authenticate(t.Context(), bo.AccessToken); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("after 15 minutes: %v", err)
	}
}

// Many guesses at once are counted like many one after the other.
func TestLoginIsThrottled(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	w.Patient("bo")
	var wrong, limited atomic.Int32
	var guesses sync.WaitGroup
	for range 30 {
		guesses.Go(func() {
			_, err := roomstest.Ask(w, guest("192.0.2.7"), LogIn, LoginInput{Email: "bo@example.org", Password: "guess"})
			switch rooms.CodeOf(err) {
			case rooms.CodeUnauthenticated:
				wrong.Add(1)
			case rooms.CodeRateLimited:
				limited.Add(1)
			}
		})
	}
	guesses.Wait()
	if wrong.Load() != 10 || limited.Load() != 20 {
		t.Errorf("%d guesses were looked at and %d refused, want 10 and 20", wrong.Load(), limited.Load())
	}
	in := LoginInput{Email: "bo@example.org", Password: roomstest.Password}
	if _, err := roomstest.Ask(w, guest("198.51.100.1"), LogIn, in); rooms.CodeOf(err) != rooms.CodeRateLimited {
		t.Errorf("the account is still open to guesses: %v", err)
	}
	w.Passes(15 * time.Minute)
	if _, err := roomstest.Ask(w, guest("198.51.100.1"), LogIn, in); err != nil {
		t.Errorf("after the window: %v", err)
	}
}

func TestLoginIsThrottledByAddress(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	var last rooms.Code
	for i := range 101 {
		_, err := roomstest.Ask(w, guest("192.0.2.7"), LogIn, LoginInput{Email: string(rune('a'+i%26)) + rooms.NewID(w.Now()) + "@example.org", Password: "guess"})
		last = rooms.CodeOf(err)
	}
	if last != rooms.CodeRateLimited {
		t.Errorf("the 101st guess from one address: %q", last)
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	w.Patient("bo")
	good := RegisterInput{Role: rooms.RolePatient, Name: "Bo", Email: "new@example.org", Password: "long enough"}
	for name, c := range map[string]struct {
		change func(*RegisterInput)
		code   rooms.Code
		field  string
	}{
		"taken":            {func(in *RegisterInput) { in.Email = "Bo@Example.org" }, rooms.CodeConflict, "email"},
		"as admin":         {func(in *RegisterInput) { in.Role = rooms.RoleAdmin }, rooms.CodeInvalid, "role"},
		"no name":          {func(in *RegisterInput) { in.Name = "  " }, rooms.CodeInvalid, "name"},
		"no e-mail":        {func(in *RegisterInput) { in.Email = "Bo <bo@example.org>" }, rooms.CodeInvalid, "email"},
		"short password":   {func(in *RegisterInput) { in.Password = "1234567" }, rooms.CodeInvalid, "password"},
		"no such zone":     {func(in *RegisterInput) { in.TimeZone = "Mars/Olympus" }, rooms.CodeInvalid, "timeZone"},
		"no such language": {func(in *RegisterInput) { in.Locale = "<b>" }, rooms.CodeInvalid, "locale"},
	} {
		in := good
		c.change(&in)
		_, err := roomstest.Ask(w, guest("a"), Register, in)
		if e, ok := err.(*rooms.Error); !ok || e.Code != c.code || e.Field != c.field {
			t.Errorf("%s: %v, want %s on %s", name, err, c.code, c.field)
		}
	}
}

func TestDoctorIsListedOnceVerified(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	login, err := roomstest.Ask(w, guest("a"), Register, RegisterInput{Role: rooms.RoleDoctor, Name: "Wang", Email: "wang@example.org", Password: "long enough"})
	if err != nil {
		t.Fatal(err)
	}
	listed := func() int {
		list, err := roomstest.Ask(w, guest("a"), Doctors, DoctorFilter{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}
	if listed() != 0 {
		t.Error("listed before anyone verified the licence")
	}
	if _, err := roomstest.Ask(w, guest("a"), ReadDoctor, DoctorInput{DoctorID: login.User.ID}); rooms.CodeOf(err) != rooms.CodeNotFound {
		t.Errorf("read before: %v", err)
	}
	admin := rooms.Actor{Role: rooms.RoleAdmin}
	if _, err := roomstest.Ask(w, admin, VerifyDoctor, VerifyDoctorInput{DoctorID: login.User.ID}); err != nil {
		t.Fatal(err)
	}
	if listed() != 1 {
		t.Error("not listed after")
	}
	if _, err := roomstest.Ask(w, admin, SuspendUser, UserInput{UserID: login.User.ID}); err != nil {
		t.Fatal(err)
	}
	if listed() != 0 {
		t.Error("a suspended doctor is listed")
	}
	if _, err := roomstest.Ask(w, guest("a"), LogIn, LoginInput{Email: "wang@example.org", Password: "long enough"}); rooms.CodeOf(err) != rooms.CodeForbidden {
		t.Errorf("a suspended user logs in: %v", err)
	}
}

func TestFindDoctors(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	for _, name := range []string{"a", "b", "c"} {
		w.Doctor(name)
	}
	dermatology := "皮肤科"
	d := w.Doctor("d")
	roomstest.Must(d, UpdateDoctor, DoctorChange{Department: &dermatology, Services: &[]DoctorService{{Service: Advice, Medium: Video, Currency: "CNY", Minutes: 5}}})
	w.Verifies(d)
	find := func(f DoctorFilter) DoctorList {
		list, err := roomstest.Ask(w, guest("a"), Doctors, f)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for _, c := range []struct {
		filter DoctorFilter
		want   int
	}{{DoctorFilter{}, 4}, {DoctorFilter{Q: "皮肤"}, 1}, {DoctorFilter{Q: "%"}, 0}, {DoctorFilter{Department: dermatology}, 1}, {DoctorFilter{Medium: Text}, 3}, {DoctorFilter{Medium: Video}, 4}} {
		if got := len(find(c.filter).Items); got != c.want {
			t.Errorf("%+v finds %d, want %d", c.filter, got, c.want)
		}
	}
	first := find(DoctorFilter{Limit: 3})
	second := find(DoctorFilter{Limit: 3, Cursor: first.NextCursor})
	if len(first.Items) != 3 || len(second.Items) != 1 || second.NextCursor != "" {
		t.Errorf("pages of %d and %d", len(first.Items), len(second.Items))
	}
}

func TestPatientsOfAnAccount(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, jing := w.Patient("bo"), w.Patient("jing")
	child := roomstest.Must(bo, AddPatient, PatientInput{Name: "小波", Relation: "child", BirthDate: "2020-02-29"})
	if list := roomstest.Must(bo, Patients, rooms.Nothing{}).Items; len(list) != 2 || list[0].Relation != "self" {
		t.Errorf("in Bo's care: %+v", list)
	}
	name := "stolen"
	if code := roomstest.Code(jing, UpdatePatient, PatientChange{PatientID: child.ID, Name: &name}); code != rooms.CodeNotFound {
		t.Errorf("someone else's child: %q", code)
	}
	for _, in := range []PatientInput{{Name: "x", Relation: "cat"}, {Name: "x", Relation: "child", BirthDate: "2021-02-29"}, {Name: "x", Relation: "child", Sex: "?"}} {
		if code := roomstest.Code(bo, AddPatient, in); code != rooms.CodeInvalid {
			t.Errorf("%+v: %q", in, code)
		}
	}
}
