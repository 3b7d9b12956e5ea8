package record

import (
	"crypto/ed25519"
	"encoding/json"
	"testing"
	"time"
)

// What an earlier version signed, with its hashes and seals as that version
// made them, verifies for as long as its key is known.
func TestTheFirstFormVerifies(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	d := Document{Kind: KindPrescription, Root: "old", Content: json.RawMessage(`{"items":[{"drug":"阿莫西林胶囊","strength":"250 mg × 24","dose":500,` +
		`"doseUnit":"mg","route":"oral","frequency":"tid","days":7,"quantity":2,"quantityUnit":"盒"}]}`),
		Head: Head{ID: "old", Version: 1, ConsultationID: "c-1", PatientID: "p-1", PatientName: "bo", DoctorID: "d-1", DoctorName: "wang",
			Signature: &Signature{SignedBy: "d-1", SignedAt: at, Form: 1, SHA256: "59da47f877c4eeb6dda350a6a41da0dc73a0a9842479a42d757dbf32b78336d2",
				Seal: "LJw4IJPAPYQmvoSYK9/qsSYo1iqkxnWG64/+bP+55W3u67iE5fnVUSdvL0vkkqzYe1cwQQwce6ZoGfcFwQqqDQ=="}},
		Decisions: []Decision{{Status: Approved, By: "d-2", ByName: "pei", At: at.Add(time.Hour), SHA256: "92cc9a2b9bf13ddb2c5cc59a3087382be0c986ac390e2b2249e2c461de705cc1",
			Seal: "bFKKxPr2U3+AfOKOjxK1gMwWXps2eSY4Vd08DadWhL64LhADTe2C+gfTXk3fnmnGXqIGy70ulpWAA60aLhnLDg=="}}}
	mine, other := SealKey([]byte("a seal of 32 characters for tests")), SealKey([]byte("another seal of 32 characters"))
	ring := func(keys ...ed25519.PublicKey) keyring {
		k := keyring{}
		for _, key := range keys {
			k[SealKeyID(key)] = key
		}
		return k
	}
	for name, c := range map[string]struct {
		keys   keyring
		change func(*Document)
		want   Integrity
	}{
		"its key":                 {ring(mine), func(*Document) {}, Intact},
		"its key among others":    {ring(other, mine), func(*Document) {}, Intact},
		"another key":             {ring(other), func(*Document) {}, UnknownKey},
		"no key":                  {ring(), func(*Document) {}, UnknownKey},
		"another name":            {ring(mine), func(d *Document) { d.PatientName = "li" }, Altered},
		"another name, no key":    {ring(), func(d *Document) { d.PatientName = "li" }, Altered},
		"another decision":        {ring(other), func(d *Document) { d.Decisions[0].Status = Void }, Altered},
		"said to be of form 2":    {ring(mine), func(d *Document) { d.Signature.Form = 2 }, Altered},
		"said to be of form 3":    {ring(mine), func(d *Document) { d.Signature.Form = 3 }, Altered},
		"no seal":                 {ring(mine), func(d *Document) { d.Signature.Seal = "" }, Altered},
		"a key that did not sign": {ring(mine, other), func(d *Document) { d.Signature.KeyID = SealKeyID(other) }, Altered},
		"a key nobody knows":      {ring(mine), func(d *Document) { d.Signature.KeyID = "0123456789abcdef" }, UnknownKey},
	} {
		changed, signature := d, *d.Signature
		changed.Signature, changed.Decisions = &signature, append([]Decision(nil), d.Decisions...)
		c.change(&changed)
		if got := c.keys.examine(changed); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if key := ring(other, mine).of(d); !mine.Equal(key) {
		t.Errorf("sealed with %x, want %x", key, mine)
	}
}

// What was signed in the second form, before documents had states, verifies
// without one; what says that it was signed with one does not.
func TestTheSecondFormVerifies(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	old := newSealer([]byte("a seal of 32 characters for tests"))
	hash := digest([]byte(`{"form":2,"kind":"diagnosis","id":"old","root":"old","version":1,"supersedes":"","consultationId":"c-1","patientId":"p-1",` +
		`"patientName":"bo","doctorId":"d-1","doctorName":"wang","content":"{\"codes\":[]}","signedBy":"d-1","signedAt":"2026-11-01T12:00:00Z",` +
		`"signedAs":"{\"patient\":{\"name\":\"bo\"}}"}`))
	for name, c := range map[string]struct {
		change func(*Document)
		want   Integrity
	}{
		"as it was signed":          {func(*Document) {}, Intact},
		"signed as another":         {func(d *Document) { d.SignedAs = `{"patient":{"name":"li"}}` }, Altered},
		"said to be of form 1":      {func(d *Document) { d.Signature.Form = formNames }, Altered},
		"said to be of form 3":      {func(d *Document) { d.Signature.Form = formListed }, Altered},
		"a state without a seal":    {func(d *Document) { d.State = State{Text: `{"root":"old"}`} }, Altered},
		"a state without a version": {func(d *Document) { d.State = sealedState(old, `{"root":"old"}`) }, Altered},
	} {
		d := Document{Kind: KindDiagnosis, Root: "old", Content: json.RawMessage(`{"codes":[]}`), SignedAs: `{"patient":{"name":"bo"}}`,
			Head: Head{ID: "old", Version: 1, ConsultationID: "c-1", PatientID: "p-1", PatientName: "bo", DoctorID: "d-1", DoctorName: "wang",
				Signature: &Signature{SignedBy: "d-1", SignedAt: at, Form: formSignedAs, SHA256: hash, Seal: old.seal(hash), KeyID: old.id}}}
		c.change(&d)
		keys := keyring{old.id: old.public()}
		got := keys.examine(d)
		if got == Intact {
			got = keys.stands(d)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func sealedState(by sealer, text string) State {
	v := State{Text: text, KeyID: by.id}
	v.Seal = by.seal(v.hash())
	return v
}
