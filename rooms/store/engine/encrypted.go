package engine

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/vault"
)

// EncryptedTable is a table with columns that are encrypted at rest. A value's
// place, to which its encryption is bound, is column/key or column/key/key.
type EncryptedTable struct {
	Name    string
	Key     []string
	Columns []string

	join  string   // what is joined with the table for bound
	bound []string // what the place is made of; Key if empty
}

// encryptedLog is the engine's own table; the others are those of the features. Its
// places are those that its events had when their table was events.
var encryptedLog = EncryptedTable{Name: "log", Key: []string{"pos"}, Columns: []string{"data", "recalled"},
	join: " JOIN log_rooms r ON r.num = log.room", bound: []string{"r.id", "log.seq"}}

// loggedColumn is the column of events by which it is known that all of it is encrypted.
const loggedColumn = "events.data"

// encryptedTables are all of them. What is written to or read from one of these
// columns passes EncryptColumn and DecryptColumn; what is not in the list lies in the clear
// (docs/decisions/0024-encryption-at-rest.md).
func (o Options) encryptedTables() []EncryptedTable {
	return append([]EncryptedTable{encryptedLog}, o.Encrypted...)
}

// encryptedSignals is the table of signals, which are kept for minutes and which
// only PostgreSQL has. Their place is that of room and name: pos is given by the
// database with the row.
var encryptedSignals = EncryptedTable{Name: "notices", Key: []string{"pos"}, Columns: []string{"data"}, bound: []string{"room", "name"}}

// encryptedColumns are the columns of encryptedTables, as table.column.
func (o Options) encryptedColumns() (names []string) {
	names = []string{loggedColumn}
	for _, t := range o.Encrypted {
		for _, c := range t.Columns {
			names = append(names, t.Name+"."+c)
		}
	}
	return names
}

// place is that of one value of an encrypted table in the row that it is bound to.
func (t EncryptedTable) place(column string, bound []any) string {
	var b strings.Builder
	if t.Name == encryptedLog.Name {
		b.WriteString(loggedColumn)
	} else {
		b.WriteString(t.Name + "." + column)
	}
	for _, k := range bound {
		fmt.Fprintf(&b, "/%v", k)
	}
	if t.Name == encryptedLog.Name && column == "recalled" {
		b.WriteString(recalledSuffix)
	}
	return b.String()
}

// eventPlace is the place of the data of an event.
func eventPlace(room rooms.RoomID, seq rooms.Seq) string {
	return loggedColumn + "/" + string(room) + "/" + strconv.FormatInt(int64(seq), 10)
}

// recalledPlace is the place of what the data of an event was before it was
// recalled; all of it is encrypted when all data of events is.
func recalledPlace(room rooms.RoomID, seq rooms.Seq) string {
	return eventPlace(room, seq) + recalledSuffix
}

const recalledSuffix = "/recalled"

// EncryptRecalled is what the data of an event was before it was recalled, as it is
// to be stored.
func EncryptRecalled(v *vault.Vault, room rooms.RoomID, seq rooms.Seq, data string) string {
	return v.Encrypt(recalledPlace(room, seq), data)
}

// Recalled scans what SealRecalled made for the event e, whose room and seq are
// in it or are scanned into it.
func Recalled(e *rooms.Event, to *string) *encryptedValue {
	return DecryptAt(func() string { return recalledPlace(e.Room, e.Seq) }, to)
}

// EncryptEvent is the data of an event as it is to be stored.
func EncryptEvent(v *vault.Vault, room rooms.RoomID, seq rooms.Seq, data string) string {
	if !v.On() {
		return v.Encrypt("", data) // a place costs
	}
	return v.Encrypt(eventPlace(room, seq), data)
}

// signalPlace is that of a signal (PostgreSQL).
func signalPlace(room, name string) string { return "notices.data/" + room + "/" + name }

// Encrypt is the text as it is to be stored in a column of the row with a key.
func EncryptColumn[K ~string](in txConn, column string, key K, text string) string {
	v := in.Keys()
	if !v.On() {
		return v.Encrypt("", text) // a place costs
	}
	return v.Encrypt(column+"/"+string(key), text)
}

// encryptedValue is a destination of Scan for an encrypted column.
type encryptedValue struct {
	raw   string
	place func() string // known once the whole row has been scanned
	to    *string
}

// DecryptColumn scans an encrypted column of the row whose key is scanned into key.
func DecryptColumn[K ~string](column string, key *K, to *string) *encryptedValue {
	return DecryptAt(func() string { return column + "/" + string(*key) }, to)
}

func DecryptAt(place func() string, to *string) *encryptedValue {
	return &encryptedValue{place: place, to: to}
}

// Scan implements sql.Scanner. NULL is empty.
func (v *encryptedValue) Scan(stored any) error {
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

// EventData scans the data of an event, whose room and seq are in e or are
// scanned into it.
func EventData(e *rooms.Event) *eventValue {
	v := &eventValue{entry: e}
	v.encryptedValue = DecryptAt(func() string { return eventPlace(e.Room, e.Seq) }, &v.text)
	return v
}

type eventValue struct {
	*encryptedValue
	text  string
	entry *rooms.Event
}

// Decrypting is a row whose encrypted columns are opened as it is scanned.
func Decrypting(row Scanner, with *vault.Vault) Scanner { return decrypting{row, with} }

// decrypting is a row whose encrypted columns are opened as it is scanned.
type decrypting struct {
	Scanner
	vault *vault.Vault
}

// Scan implements Scanner.
func (o decrypting) Scan(to ...any) error {
	if err := o.Scanner.Scan(to...); err != nil {
		return err
	}
	for _, d := range to {
		switch v := d.(type) {
		case *encryptedValue:
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

func (v *encryptedValue) open(with *vault.Vault) (err error) {
	place := ""
	if vault.IsEncrypted(v.raw) || with.Requires() { // a place costs
		place = v.place()
	}
	*v.to, err = openAt(with, place, v.raw)
	return err
}
