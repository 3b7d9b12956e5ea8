package engine

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"wenzhen/rooms"
	"wenzhen/rooms/vault"
)

// SealedTable is a table with columns that are encrypted at rest. A value's
// place, to which its encryption is bound, is column/key or column/key/key.
type SealedTable struct {
	Name    string
	Key     []string
	Columns []string

	join  string   // what is joined with the table for bound
	bound []string // what the place is made of; Key if empty
}

// sealedLog is the engine's own table; the others are those of the features. Its
// places are those that its events had when their table was events.
var sealedLog = SealedTable{Name: "log", Key: []string{"pos"}, Columns: []string{"data", "recalled"},
	join: " JOIN log_rooms r ON r.num = log.room", bound: []string{"r.id", "log.seq"}}

// loggedColumn is the column of events by which it is known that all of it is sealed.
const loggedColumn = "events.data"

// sealedTables are all of them. What is written to or read from one of these
// columns passes seal and unseal; what is not in the list lies in the clear
// (docs/decisions/0024-encryption-at-rest.md).
func (o Options) sealedTables() []SealedTable {
	return append([]SealedTable{sealedLog}, o.Sealed...)
}

// sealedNotices is the table of signals, which are kept for minutes and which
// only PostgreSQL has. Their place is that of room and name: pos is given by the
// database with the row.
var sealedNotices = SealedTable{Name: "notices", Key: []string{"pos"}, Columns: []string{"data"}, bound: []string{"room", "name"}}

// sealedColumns are the columns of sealedTables, as table.column.
func (o Options) sealedColumns() (names []string) {
	names = []string{loggedColumn}
	for _, t := range o.Sealed {
		for _, c := range t.Columns {
			names = append(names, t.Name+"."+c)
		}
	}
	return names
}

// place is that of one value of a sealed table in the row that it is bound to.
func (t SealedTable) place(column string, bound []any) string {
	var b strings.Builder
	if t.Name == sealedLog.Name {
		b.WriteString(loggedColumn)
	} else {
		b.WriteString(t.Name + "." + column)
	}
	for _, k := range bound {
		fmt.Fprintf(&b, "/%v", k)
	}
	if t.Name == sealedLog.Name && column == "recalled" {
		b.WriteString(recalledSuffix)
	}
	return b.String()
}

// eventPlace is the place of the data of an event.
func eventPlace(room rooms.RoomID, seq rooms.Seq) string {
	return loggedColumn + "/" + string(room) + "/" + strconv.FormatInt(int64(seq), 10)
}

// recalledPlace is the place of what the data of an event was before it was
// recalled; all of it is sealed when all data of events is.
func recalledPlace(room rooms.RoomID, seq rooms.Seq) string {
	return eventPlace(room, seq) + recalledSuffix
}

const recalledSuffix = "/recalled"

// SealRecalled is what the data of an event was before it was recalled, as it is
// to be stored.
func SealRecalled(v *vault.Vault, room rooms.RoomID, seq rooms.Seq, data string) string {
	return v.Seal(recalledPlace(room, seq), data)
}

// Recalled scans what SealRecalled made for the event e, whose room and seq are
// in it or are scanned into it.
func Recalled(e *rooms.Event, to *string) *sealedValue {
	return UnsealAt(func() string { return recalledPlace(e.Room, e.Seq) }, to)
}

// SealEvent is the data of an event as it is to be stored.
func SealEvent(v *vault.Vault, room rooms.RoomID, seq rooms.Seq, data string) string {
	if !v.On() {
		return v.Seal("", data) // a place costs
	}
	return v.Seal(eventPlace(room, seq), data)
}

// signalPlace is that of a signal (PostgreSQL).
func signalPlace(room, name string) string { return "notices.data/" + room + "/" + name }

// Seal is the text as it is to be stored in a column of the row with a key.
func Seal[K ~string](in session, column string, key K, text string) string {
	v := in.Keys()
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

// Unseal scans a sealed column of the row whose key is scanned into key.
func Unseal[K ~string](column string, key *K, to *string) *sealedValue {
	return UnsealAt(func() string { return column + "/" + string(*key) }, to)
}

func UnsealAt(place func() string, to *string) *sealedValue {
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

// EventData scans the data of an event, whose room and seq are in e or are
// scanned into it.
func EventData(e *rooms.Event) *eventValue {
	v := &eventValue{entry: e}
	v.sealedValue = UnsealAt(func() string { return eventPlace(e.Room, e.Seq) }, &v.text)
	return v
}

type eventValue struct {
	*sealedValue
	text  string
	entry *rooms.Event
}

// Opening is a row whose sealed columns are opened as it is scanned.
func Opening(row Scanner, with *vault.Vault) Scanner { return opening{row, with} }

// opening is a row whose sealed columns are opened as it is scanned.
type opening struct {
	Scanner
	vault *vault.Vault
}

// Scan implements Scanner.
func (o opening) Scan(to ...any) error {
	if err := o.Scanner.Scan(to...); err != nil {
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
