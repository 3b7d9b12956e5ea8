package account_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/roomstest"
)

// Flags of authenticator data (WebAuthn, 6.1).
const (
	userPresent  = 0x01
	userVerified = 0x04
	withKey      = 0x40
)

// authenticator holds one passkey, as a phone or a security key does.
type authenticator struct {
	t       testing.TB
	key     *ecdsa.PrivateKey
	id      []byte
	user    []byte // the handle of whom the passkey is for
	counter uint32
}

func newAuthenticator(t testing.TB) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &authenticator{t: t, key: key, id: []byte(rand.Text())}
}

// answer is what an authenticator and its browser say, right or wrong.
type answer struct {
	Type, Challenge, Origin string // as the browser saw them
	party                   string // the authenticator's relying party
	flags                   byte
	counter                 uint32
	id, user                []byte
	key                     *ecdsa.PrivateKey
	forge                   bool // change what was signed, after it was
}

// asked reads the options of a ceremony.
type asked struct {
	PublicKey struct {
		Challenge string
		User      struct{ ID string }
	}
}

func (a *authenticator) answers(c PasskeyChallenge, kind string) answer {
	a.t.Helper()
	var options asked
	if err := json.Unmarshal(c.Options, &options); err != nil {
		a.t.Fatal(err)
	}
	if kind == "webauthn.create" {
		handle, err := base64.RawURLEncoding.DecodeString(options.PublicKey.User.ID)
		if err != nil {
			a.t.Fatal(err)
		}
		a.user = handle
	}
	a.counter++
	return answer{Type: kind, Challenge: options.PublicKey.Challenge, Origin: "https://clinic.example", party: "clinic.example", flags: userPresent | userVerified,
		counter: a.counter, id: a.id, user: a.user, key: a.key}
}

func (n answer) client() []byte {
	raw, _ := json.Marshal(map[string]any{"type": n.Type, "challenge": n.Challenge, "origin": n.Origin, "crossOrigin": false})
	return raw
}

// data is the authenticator data, with the public key if there is one to tell.
func (n answer) data(attested bool) []byte {
	party := sha256.Sum256([]byte(n.party))
	flags := n.flags
	if attested {
		flags |= withKey
	}
	out := binary.BigEndian.AppendUint32(append(party[:], flags), n.counter)
	if !attested {
		return out
	}
	out = append(out, make([]byte, 16)...) // of no particular make
	out = append(binary.BigEndian.AppendUint16(out, uint16(len(n.id))), n.id...)
	point, _ := n.key.PublicKey.Bytes() // 4, x, y
	out = append(out, 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32)
	out = append(out, point[1:33]...)
	return append(append(out, 0x22, 0x58, 32), point[33:]...)
}

// created is the answer of a browser that has made a passkey, attested by nobody.
func (n answer) created() json.RawMessage {
	data := n.data(true)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	return credential(n.id, map[string]any{"clientDataJSON": n.client(), "attestationObject": append(object, data...)})
}

// used is the answer of a browser that has used a passkey.
func (n answer) used() json.RawMessage {
	data, client := n.data(false), n.client()
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(slices.Clone(data), hash[:]...))
	signature, _ := ecdsa.SignASN1(rand.Reader, n.key, sum[:])
	if n.forge {
		data[len(data)-1] ^= 0xf0 // another counter than was signed
	}
	return credential(n.id, map[string]any{"clientDataJSON": client, "authenticatorData": data, "signature": signature, "userHandle": n.user})
}

func credential(id []byte, response map[string]any) json.RawMessage {
	b64 := base64.RawURLEncoding.EncodeToString
	for name, v := range response {
		response[name] = b64(v.([]byte))
	}
	raw, _ := json.Marshal(map[string]any{"id": b64(id), "rawId": b64(id), "type": "public-key", "response": response})
	return raw
}

// registers makes a passkey for someone who is logged in.
func (a *authenticator) registers(p *roomstest.Person) Passkey {
	a.t.Helper()
	c := roomstest.Must(p, BeginPasskey, rooms.Nothing{})
	return roomstest.Must(p, AddPasskey, NewPasskeyInput{Ticket: c.Ticket, Name: "phone", Credential: a.answers(c, "webauthn.create").created()})
}

func passkeyChallenge(w *roomstest.World) PasskeyChallenge {
	w.T.Helper()
	c, err := roomstest.Ask(w, guest("a"), AskPasskey, rooms.Nothing{})
	if err != nil {
		w.T.Fatal(err)
	}
	return c
}

// origins are those of others who may show our users a page.
var origins = map[string]string{
	"another site": "https://clinic.example.attacker.example", "another host": "https://www.clinic.example",
	"another port": "https://clinic.example:8443", "without TLS": "http://clinic.example", "no origin": "",
}

// Whatever is wrong with an answer of a passkey: it opens no account, and the
// passkey goes on working for its owner.
func TestHostilePasskeyLogins(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, jing := w.Patient("bo"), w.Patient("jing")
	phone, other := newAuthenticator(t), newAuthenticator(t)
	phone.registers(bo)
	other.registers(jing)
	phone.counter = 100
	login := func() error {
		c := passkeyChallenge(w)
		in, err := roomstest.Ask(w, guest("a"), UsePasskey, PasskeyLoginInput{Ticket: c.Ticket, Credential: phone.answers(c, "webauthn.get").used()})
		if err == nil && in.User.ID != bo.User.ID {
			t.Errorf("logged in as %s", in.User.Name)
		}
		return err
	}
	if err := login(); err != nil {
		t.Fatalf("an honest login: %v", err)
	}
	hostile := map[string]func(n *answer){
		"the answer to making a passkey":      func(n *answer) { n.Type = "webauthn.create" },
		"wrong relying party":                 func(n *answer) { n.party = "attacker.example" },
		"no user verification":                func(n *answer) { n.flags = userPresent },
		"no user presence":                    func(n *answer) { n.flags = userVerified },
		"challenge of another ceremony":       func(n *answer) { n.Challenge = phone.answers(passkeyChallenge(w), "webauthn.get").Challenge },
		"challenge that was made up":          func(n *answer) { n.Challenge = base64.RawURLEncoding.EncodeToString(make([]byte, 32)) },
		"no challenge":                        func(n *answer) { n.Challenge = "" },
		"forged signature":                    func(n *answer) { n.key = other.key },
		"changed after it was signed":         func(n *answer) { n.forge = true },
		"cloned: the counter stands still":    func(n *answer) { n.counter = 101 },
		"cloned: the counter decreases":       func(n *answer) { n.counter = 7 },
		"cloned: a counter that starts again": func(n *answer) { n.counter = 0 },
		"another user's credential":           func(n *answer) { n.id, n.key = other.id, other.key },
		"another user's handle":               func(n *answer) { n.user = other.user },
		"nobody's handle":                     func(n *answer) { n.user = []byte("nobody") },
		"no handle":                           func(n *answer) { n.user = nil },
		"a credential that was never made":    func(n *answer) { n.id = []byte(rand.Text()) },
		"a credential of another authenticator": func(n *answer) {
			stranger := newAuthenticator(t)
			n.id, n.key = stranger.id, stranger.key
		},
	}
	for name, origin := range origins {
		hostile["origin: "+name] = func(n *answer) { n.Origin = origin }
	}
	sessions := func() int {
		return len(roomstest.Must(bo, Sessions, rooms.Nothing{}).Items) + len(roomstest.Must(jing, Sessions, rooms.Nothing{}).Items)
	}
	before := sessions()
	for name, spoil := range hostile {
		c := passkeyChallenge(w)
		n := phone.answers(c, "webauthn.get")
		spoil(&n)
		if _, err := roomstest.Ask(w, guest("a"), UsePasskey, PasskeyLoginInput{Ticket: c.Ticket, Credential: n.used()}); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := sessions(); after != before {
		t.Errorf("there are %d sessions more", after-before)
	}

	// An answer is good once, with the ticket that it was asked for with.
	c, again := passkeyChallenge(w), passkeyChallenge(w)
	making := roomstest.Must(bo, BeginPasskey, rooms.Nothing{})
	sent := phone.answers(c, "webauthn.get").used()
	use := func(ticket string) error {
		return second(roomstest.Ask(w, guest("a"), UsePasskey, PasskeyLoginInput{Ticket: ticket, Credential: sent}))
	}
	for _, try := range []struct {
		name, ticket string
		want         rooms.Code
	}{
		{"the ticket for making one", making.Ticket, rooms.CodeInvalid},
		{"a ticket that was made up", "made.up", rooms.CodeInvalid},
		{"its ticket", c.Ticket, ""},
		{"replayed", c.Ticket, rooms.CodeInvalid},
		{"replayed with another ticket", again.Ticket, rooms.CodeUnauthenticated},
	} {
		if err := use(try.ticket); rooms.CodeOf(err) != try.want {
			t.Errorf("%s: %v, want %q", try.name, err, try.want)
		}
	}
	c = passkeyChallenge(w)
	sent = phone.answers(c, "webauthn.get").used()
	w.Turns(6 * time.Minute)
	if err := use(c.Ticket); rooms.CodeOf(err) != rooms.CodeInvalid {
		t.Errorf("too late: %v", err)
	}
	if err := login(); err != nil {
		t.Errorf("the owner, after all that: %v", err)
	}
	entered(w, bo, AddPasskey.Name, "")
	entered(w, bo, audit.LoggedIn, "")

	// Nor does a passkey open an account that is suspended, or once it is removed.
	admin := rooms.Actor{Role: rooms.RoleAdmin}
	if _, err := roomstest.Ask(w, admin, SuspendUser, UserInput{UserID: bo.User.ID}); err != nil {
		t.Fatal(err)
	}
	if err := login(); rooms.CodeOf(err) != rooms.CodeForbidden {
		t.Errorf("suspended: %v", err)
	}
	entered(w, bo, audit.LoginFailed, audit.Failed)
	list := roomstest.Must(jing, ReadSecurity, rooms.Nothing{}).Passkeys
	roomstest.Must(jing, Confirm, ConfirmInput{Password: roomstest.Password})
	roomstest.Must(jing, RemovePasskey, PasskeyInput{PasskeyID: list[0].ID})
	entered(w, jing, RemovePasskey.Name, "")
	c = passkeyChallenge(w)
	if _, err := roomstest.Ask(w, guest("a"), UsePasskey, PasskeyLoginInput{Ticket: c.Ticket, Credential: other.answers(c, "webauthn.get").used()}); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("removed: %v", err)
	}
}

// Whatever is wrong with a passkey that is made: it is not kept.
func TestHostilePasskeyRegistrations(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, jing := w.Patient("bo"), w.Patient("jing")
	taken := newAuthenticator(t)
	taken.registers(jing)
	hostile := map[string]func(n *answer){
		"the answer to using a passkey":    func(n *answer) { n.Type = "webauthn.get" },
		"wrong relying party":              func(n *answer) { n.party = "attacker.example" },
		"no user verification":             func(n *answer) { n.flags = userPresent },
		"no user presence":                 func(n *answer) { n.flags = userVerified },
		"challenge of another ceremony":    func(n *answer) { n.Challenge = taken.answers(passkeyChallenge(w), "webauthn.get").Challenge },
		"no challenge":                     func(n *answer) { n.Challenge = "" },
		"the name of another's credential": func(n *answer) { n.id = taken.id },
		"no name":                          func(n *answer) { n.id = nil },
	}
	for name, origin := range origins {
		hostile["origin: "+name] = func(n *answer) { n.Origin = origin }
	}
	for name, spoil := range hostile {
		c := roomstest.Must(bo, BeginPasskey, rooms.Nothing{})
		n := newAuthenticator(t).answers(c, "webauthn.create")
		spoil(&n)
		switch code := roomstest.Code(bo, AddPasskey, NewPasskeyInput{Ticket: c.Ticket, Name: "phone", Credential: n.created()}); code {
		case rooms.CodeInvalid, rooms.CodeConflict:
		default:
			t.Errorf("%s: %q", name, code)
		}
	}
	// A ticket is its asker's, for one passkey.
	c := roomstest.Must(bo, BeginPasskey, rooms.Nothing{})
	if code := roomstest.Code(jing, AddPasskey, NewPasskeyInput{Ticket: c.Ticket, Name: "phone", Credential: newAuthenticator(t).answers(c, "webauthn.create").created()}); code != rooms.CodeInvalid {
		t.Errorf("with another's ticket: %q", code)
	}
	if list := roomstest.Must(bo, ReadSecurity, rooms.Nothing{}).Passkeys; len(list) != 0 {
		t.Errorf("kept %+v", list)
	}
	c = roomstest.Must(bo, BeginPasskey, rooms.Nothing{})
	for i, want := range []rooms.Code{"", rooms.CodeInvalid} {
		if code := roomstest.Code(bo, AddPasskey, NewPasskeyInput{Ticket: c.Ticket, Name: "phone", Credential: newAuthenticator(t).answers(c, "webauthn.create").created()}); code != want {
			t.Errorf("passkey %d of one ticket: %q", i+1, code)
		}
	}
}
