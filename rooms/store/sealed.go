package store

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/record"
	"wenzhen/rooms/vault"
)

// sealedTable is a table with columns that are encrypted at rest. A value's
// place, to which its encryption is bound, is column/key or column/key/key.
type sealedTable struct {
	name    string
	key     []string
	columns []string
}

// sealedTables are all of them. What is written to or read from one of these
// columns passes seal and unseal; what is not in the list lies in the clear
// (docs/decisions/0024-encryption-at-rest.md).
var sealedTables = []sealedTable{
	{"events", []string{"room", "seq"}, []string{"data"}},
	{"messages", []string{"id"}, []string{"text", "detail", "peaks"}},
	{"attachments", []string{"id"}, []string{"name"}},
	{"consultations", []string{"id"}, []string{"complaint", "prior_diagnosis", "reason", "summary"}},
	{"documents", []string{"id"}, []string{"content", "signed_as"}},
	{"decisions", []string{"document_id", "num"}, []string{"reason"}},
	{"backgrounds", []string{"patient_id", "version"}, []string{"content"}},
	{"appointments", []string{"id"}, []string{"complaint", "reason"}},
	{"waits", []string{"id"}, []string{"complaint", "prior_diagnosis"}},
	{"board_strokes", []string{"consultation_id", "seq"}, []string{"stroke"}},
	{"notifications", []string{"id"}, []string{"facts"}},
	{"doctors", []string{"user_id"}, []string{"rejection"}},
	{"invitations", []string{"id"}, []string{"invitee"}},
	{"quick_replies", []string{"user_id"}, []string{"replies"}},
	{"templates", []string{"user_id"}, []string{"templates"}},
	{"exceptions", []string{"id"}, []string{"note"}},
	{"legal_holds", []string{"user_id"}, []string{"reason"}},
	{"refunds", []string{"id"}, []string{"note"}},
	{"audit", []string{"num"}, []string{"reason"}},
}

// sealedNotices is the table of signals, which are kept for minutes and which
// only PostgreSQL has. Their place is that of room and name: pos is given by the
// database with the row.
var sealedNotices = sealedTable{"notices", []string{"room", "name", "pos"}, []string{"data"}}

// sealedColumns are the columns of sealedTables, as table.column.
func sealedColumns() (names []string) {
	for _, t := range sealedTables {
		for _, c := range t.columns {
			names = append(names, t.name+"."+c)
		}
	}
	return names
}

// place is that of one value of a sealed table.
func (t sealedTable) place(column string, key []any) string {
	if t.name == sealedNotices.name {
		key = key[:2]
	}
	var b strings.Builder
	b.WriteString(t.name + "." + column)
	for _, k := range key {
		fmt.Fprintf(&b, "/%v", k)
	}
	return b.String()
}

// eventPlace and its like are places of rows with a key of two columns.
func eventPlace(room rooms.RoomID, seq rooms.Seq) string {
	return "events.data/" + string(room) + "/" + strconv.FormatInt(int64(seq), 10)
}

func decisionPlace(id record.DocumentID, num int) string {
	return "decisions.reason/" + string(id) + "/" + strconv.Itoa(num)
}

func backgroundPlace(patient account.PatientID, version int64) string {
	return "backgrounds.content/" + string(patient) + "/" + strconv.FormatInt(version, 10)
}

func auditPlace(num int64) string { return "audit.reason/" + strconv.FormatInt(num, 10) }

func strokePlace(id consultation.ID, seq rooms.Seq) string {
	return "board_strokes.stroke/" + string(id) + "/" + strconv.FormatInt(int64(seq), 10)
}

// sealEvent is the data of an event as it is to be stored.
func sealEvent(v *vault.Vault, room rooms.RoomID, seq rooms.Seq, data string) string {
	if !v.On() {
		return v.Seal("", data) // a place costs
	}
	return v.Seal(eventPlace(room, seq), data)
}

// noticePlace is that of a signal (PostgreSQL).
func noticePlace(room, name string) string { return "notices.data/" + room + "/" + name }

// seal is the text as it is to be stored in a column of the row with a key.
func seal[K ~string](in session, column string, key K, text string) string {
	v := in.keys()
	if !v.On() {
		return v.Seal("", text) // a place costs
	}
	return v.Seal(column+"/"+string(key), text)
}

// sealedValue is a destination of Scan for a sealed column.
type sealedValue struct {
	raw   string
	place func() string // known once the whole row has been scanned
	to    *string
}

// unseal scans a sealed column of the row whose key is scanned into key.
func unseal[K ~string](column string, key *K, to *string) *sealedValue {
	return unsealAt(func() string { return column + "/" + string(*key) }, to)
}

func unsealAt(place func() string, to *string) *sealedValue {
	return &sealedValue{place: place, to: to}
}

// Scan implements sql.Scanner. NULL is empty.
func (v *sealedValue) Scan(stored any) error {
	switch s := stored.(type) {
	case nil:
		v.raw = ""
	case string:
		v.raw = s
	case []byte:
		v.raw = string(s)
	default:
		return fmt.Errorf("a text is stored as %T", stored)
	}
	return nil
}

// eventData scans the data of an event, whose room and seq are in e or are
// scanned into it.
func eventData(e *rooms.Entry) *eventValue {
	v := &eventValue{entry: e}
	v.sealedValue = unsealAt(func() string { return eventPlace(e.Room, e.Seq) }, &v.text)
	return v
}

type eventValue struct {
	*sealedValue
	text  string
	entry *rooms.Entry
}

// opening is a row whose sealed columns are opened as it is scanned.
type opening struct {
	scanner
	vault *vault.Vault
}

// Scan implements scanner.
func (o opening) Scan(to ...any) error {
	if err := o.scanner.Scan(to...); err != nil {
		return err
	}
	for _, d := range to {
		switch v := d.(type) {
		case *sealedValue:
			if err := v.open(o.vault); err != nil {
				return err
			}
		case *eventValue:
			if err := v.open(o.vault); err != nil {
				return err
			}
			v.entry.Data = json.RawMessage(v.text)
		}
	}
	return nil
}

func (v *sealedValue) open(with *vault.Vault) (err error) {
	place := ""
	if vault.IsSealed(v.raw) || with.Requires() { // a place costs
		place = v.place()
	}
	*v.to, err = openAt(with, place, v.raw)
	return err
}
