package record

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

// State is what a document, with all its versions and what was decided about
// them, stands at, as it is stored. It is written with each signature and each
// decision, and sealed with the key of documents: somebody who can only write
// the database can neither make one nor remove what it lists.
type State struct {
	// Text is a standing in JSON, to the letter as it was sealed. It is empty
	// where nothing was signed or decided since there are states.
	Text  string
	Seal  string
	KeyID string
}

// standing is the text of a State.
type standing struct {
	Root DocumentID `json:"root"`
	// Versions are those that are signed, in order.
	Versions []stand `json:"versions"`
	// Doubted is the version that was signed when the database did not have what
	// the state before had listed. What is before it counts as altered.
	Doubted int `json:"doubted,omitempty"`
}

// stand is what one version stands at.
type stand struct {
	ID      DocumentID `json:"id"`
	Version int        `json:"version"`
	SHA256  string     `json:"sha256"`
	// Last is the hash of the latest decision, or SHA256.
	Last string `json:"last"`
}

// hash is what the seal of a state is over.
func (v State) hash() string { return digest([]byte("wenzhen document state\n" + v.Text)) }

// standing opens a state, as far as it is what was sealed.
func (k keyring) standing(v State) (standing, Integrity) {
	var st standing
	found := k.check(v.hash(), v.Seal, v.KeyID)
	if err := json.Unmarshal([]byte(v.Text), &st); err != nil {
		return st, Altered
	}
	return st, found
}

// stands compares d with the sealed state of its document: all signed versions
// are there, no other is, and what was decided about d is what is listed.
func (k keyring) stands(d Document) Integrity {
	if d.State.Text == "" {
		if d.Signature.Form < formListed {
			return Intact // nothing has been signed or decided since there are states
		}
		return Altered
	}
	st, found := k.standing(d.State)
	if found == Altered || st.Root != d.Root || d.Version < st.Doubted || !st.has(d) {
		return Altered
	}
	return found
}

// has reports whether d and its versions stand as listed.
func (st standing) has(d Document) bool {
	var versions []string
	var own stand
	var next DocumentID
	for _, v := range st.Versions {
		versions = append(versions, fmt.Sprintf("%d %s", v.Version, v.SHA256))
		switch v.Version {
		case d.Version:
			own = v
		case d.Version + 1:
			next = v.ID
		}
	}
	return slices.Equal(versions, d.Versions) && own == d.stand() && next == d.SupersededBy
}

func (d Document) stand() stand {
	return stand{ID: d.ID, Version: d.Version, SHA256: d.Signature.SHA256, Last: d.lastHash()}
}

// list seals what the document of a version stands at, which has just been
// signed or decided about.
func (s *Service) list(tx Tx, d Document) error {
	versions, err := tx.Documents(DocumentQuery{Root: d.Root})
	if err != nil {
		return err
	}
	next := standing{Root: d.Root}
	var before State
	wanted := false // another version was signed when there were states
	for _, v := range versions {
		if v.Signature == nil {
			continue
		}
		next.Versions, before = append(next.Versions, v.stand()), v.State
		wanted = wanted || v.ID != d.ID && v.Signature.Form >= formListed
	}
	slices.SortFunc(next.Versions, func(a, b stand) int { return a.Version - b.Version })
	if before.Text != "" || wanted {
		last, found := s.keyring().standing(before)
		next.Doubted = last.Doubted
		if found == Altered || !slices.Equal(last.but(d.ID), next.but(d.ID)) {
			next.Doubted = d.Version
		}
	}
	text, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("encode the state of %s: %w", d.subject(), err)
	}
	v := State{Text: string(text), KeyID: s.seals.id}
	v.Seal = s.seals.seal(v.hash())
	return tx.SaveState(d.Root, v)
}

// but is what is listed of all versions but one.
func (st standing) but(id DocumentID) []stand {
	return slices.DeleteFunc(slices.Clone(st.Versions), func(v stand) bool { return v.ID == id })
}

// supersede is the action in the audit log of signing a later version; the
// detail is its hash.
const supersede = "document:supersede"

// noteSigned appends to the audit log that d was signed, and to what has been
// noted of the version before that there is a later one.
func (s *Service) noteSigned(tx Tx, actor rooms.Actor, action string, d Document) error {
	if err := s.note(tx, actor, action, d); err != nil || d.Supersedes == "" {
		return err
	}
	subject := string(d.Kind) + ":" + string(d.Supersedes)
	return audit.Append(tx, actor, s.now(), supersede, subject, func(e *audit.LogEntry) { e.Detail = d.Signature.SHA256 })
}

// Logged is what the audit log has of a document: the latest entry that says at
// which hash it was left.
type Logged struct {
	Num    int64 // 0 if there is none
	SHA256 string
	// Broken is the latest entry that says that what is before it has been
	// rewritten or cut; 0 if that was never found.
	Broken int64
}

// logged compares d with the audit log. An entry before a break proves nothing:
// later ones may have been there.
func (d Document) logged() Integrity {
	l, next := d.Logged, ""
	if d.SupersededBy != "" {
		for _, v := range d.Versions {
			if version, hash, _ := strings.Cut(v, " "); version == fmt.Sprint(d.Version+1) {
				next = hash
			}
		}
	}
	latest := l.Num > 0 && (l.SHA256 == d.lastHash() || l.SHA256 == next)
	if l.Num >= l.Broken {
		if latest {
			return Intact
		}
		return Altered
	}
	earlier := slices.ContainsFunc(d.Decisions, func(v Decision) bool { return v.SHA256 == l.SHA256 })
	if l.Num == 0 || latest || earlier || l.SHA256 == d.Signature.SHA256 {
		return Unconfirmed
	}
	return Altered
}
