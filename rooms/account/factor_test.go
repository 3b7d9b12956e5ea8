package account_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest"
)

// phone is an authenticator app.
type phone struct {
	w      *roomstest.World
	secret string
}

func (p phone) code() string {
	p.w.T.Helper()
	code, err := totp.GenerateCode(p.secret, p.w.Now())
	if err != nil {
		p.w.T.Fatal(err)
	}
	return code
}

// protected switches the second factor on.
func protected(p *roomstest.Person) (phone, []string) {
	p.W.T.Helper()
	setup := roomstest.Must(p, BeginTOTP, rooms.Nothing{})
	device := phone{p.W, setup.Secret}
	if !strings.HasPrefix(setup.URI, "otpauth://totp/Wenzhen:") || !strings.HasPrefix(setup.QR, "data:image/png;base64,") {
		p.W.T.Errorf("setup %+v", setup)
	}
	codes := roomstest.Must(p, ConfirmTOTP, TOTPInput{OTP: device.code()}).Codes
	p.W.Passes(30 * time.Second)
	return device, codes
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	// Begun but not confirmed, it does not count.
	roomstest.Must(bo, BeginTOTP, rooms.Nothing{})
	bo.Again(guest("a"))
	if code := roomstest.Code(bo, ConfirmTOTP, TOTPInput{OTP: "000000"}); code != rooms.CodeInvalid {
		t.Errorf("confirmed with a guess: %q", code)
	}
	device, codes := protected(bo)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	if code := roomstest.Code(bo, BeginTOTP, rooms.Nothing{}); code != rooms.CodeConflict {
		t.Errorf("begun again: %q", code)
	}
	in := LoginInput{Email: bo.User.Email, Password: roomstest.Password}
	try := func(otp string) error {
		in := in
		in.OTP = otp
		_, err := roomstest.Ask(w, guest("a"), LogIn, in)
		return err
	}
	refused := func(what string, err error) {
		t.Helper()
		if e, ok := err.(*rooms.Error); !ok || e.Code != rooms.CodeUnauthenticated || e.Field != "otp" {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("no code", try(""))
	refused("a guess", try("123456"))
	code := device.code()
	if err := try(code[:3] + " " + code[3:]); err != nil {
		t.Errorf("the code: %v", err)
	}
	refused("the code again", try(code))
	w.Passes(30 * time.Second)
	late := device.code()
	w.Passes(30 * time.Second)
	if err := try(late); err != nil {
		t.Errorf("a code of half a minute ago: %v", err)
	}
	stale := device.code()
	w.Passes(time.Minute)
	refused("a code of a minute ago", try(stale))
	if err := try(strings.ToLower(codes[3])); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
	refused("the recovery code again", try(codes[3]))
	if s := roomstest.Must(bo, ReadSecurity, rooms.Nothing{}); !s.TOTP || s.RecoveryCodes != 9 || !s.Password {
		t.Errorf("security %+v", s)
	}
	fresh := roomstest.Must(bo, RenewRecoveryCodes, rooms.Nothing{}).Codes
	refused("a code of the old set", try(codes[0]))
	if err := try(fresh[0]); err != nil {
		t.Errorf("one of the new: %v", err)
	}
	roomstest.Must(bo, RemoveTOTP, rooms.Nothing{})
	if err := try(""); err != nil {
		t.Errorf("switched off: %v", err)
	}
}

// Who has the password has few guesses at the code; a wrong password is not
// told that there is one. The owner's own device is not locked by others.
func TestSecondFactorIsThrottled(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	device, _ := protected(bo)
	in := LoginInput{Email: bo.User.Email, Password: "wrong password", OTP: device.code()}
	if e, ok := second(roomstest.Ask(w, guest("a"), LogIn, in)).(*rooms.Error); !ok || e.Field != "" {
		t.Errorf("a wrong password: %v", e)
	}
	in.Password, in.OTP = roomstest.Password, "000000"
	for i := range 12 {
		want := rooms.CodeUnauthenticated
		if i >= 10 {
			want = rooms.CodeRateLimited
		}
		if err := second(roomstest.Ask(w, guest("a"), LogIn, in)); rooms.CodeOf(err) != want {
			t.Errorf("guess %d: %v, want %s", i+1, err, want)
		}
	}
	in.OTP = device.code()
	if err := second(roomstest.Ask(w, guest("a"), LogIn, in)); rooms.CodeOf(err) != rooms.CodeRateLimited {
		t.Errorf("the right code from a stranger: %v", err)
	}
	in.Device = bo.Device
	if err := second(roomstest.Ask(w, guest("a"), LogIn, in)); err != nil {
		t.Errorf("the right code on a device of the owner's: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// A code is good once, however many use it at the same time.
func TestCodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	device, _ := protected(bo)
	in := LoginInput{Email: bo.User.Email, Password: roomstest.Password, OTP: device.code()}
	var in1 atomic.Int32
	var tries sync.WaitGroup
	for range 5 {
		tries.Go(func() {
			if _, err := roomstest.Ask(w, guest("a"), LogIn, in); err == nil {
				in1.Add(1)
			}
		})
	}
	tries.Wait()
	if in1.Load() != 1 {
		t.Errorf("%d logins with one code", in1.Load())
	}
}

// What the database holds of a second factor is of no use by itself.
func TestSecondFactorIsEncrypted(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t, roomstest.OnSQLite) // whose file can be read
	bo := w.Patient("bo")
	device, codes := protected(bo)
	content := w.Bytes()
	for _, secret := range append(codes, device.secret, strings.ReplaceAll(codes[0], "-", ""), bo.RefreshToken, bo.Device) {
		if strings.Contains(content, secret) {
			t.Errorf("the database has %s", secret)
		}
	}
	if !strings.Contains(content, bo.User.Email) {
		t.Error("this did not look into the database")
	}
}
