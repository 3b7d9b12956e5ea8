package engine

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
)

// While the disk is full nothing is answered as done that is not; what was is
// there; and it goes on once there is room.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	db, _, _ := open(t, Options{Path: filepath.Join(t.TempDir(), "full.db"), Synchronous: "OFF"})
	ctx := t.Context()
	w := db.write.(sqliteWrite)
	var pages int
	if err := db.readers.Row(ctx, `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if err := w.execBetweenBatches(ctx, fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+50)); err != nil {
		t.Fatal(err)
	}
	const room rooms.RoomID = "consultation:x"
	say := func() error {
		return w.InTx(ctx, func(tx *Tx) error {
			seq, err := tx.Next(room, time.Now())
			if err == nil {
				err = tx.Append(rooms.Event{Room: room, Seq: seq, ID: rooms.NewID(time.Now()), Name: "said", At: time.Now(), Data: []byte(`"` + strings.Repeat("x", 4000) + `"`)})
			}
			return err
		})
	}
	said := 0
	var full error
	for ; full == nil && said < 1000; said++ {
		if full = say(); full != nil {
			break
		}
	}
	if rooms.CodeOf(full) != rooms.CodeUnavailable || said == 0 {
		t.Fatalf("after %d events: %v", said, full)
	}
	if err := say(); rooms.CodeOf(err) != rooms.CodeUnavailable {
		t.Errorf("and again: %v", err)
	}
	count := func() int {
		list, last, err := EventsAfter(ctx, db.readers, room, 0, 1000)
		if err != nil || int(last) != len(list) {
			t.Fatalf("%d events up to %d, %v", len(list), last, err)
		}
		return len(list)
	}
	if got := count(); got != said {
		t.Errorf("%d of %d events are there", got, said)
	}
	if err := w.execBetweenBatches(ctx, `PRAGMA max_page_count = 1000000`); err != nil {
		t.Fatal(err)
	}
	if err := say(); err != nil || count() != said+1 {
		t.Errorf("with room again: %v, %d events", err, count())
	}
}

// A file that was cut off, or is not a database, is reported as such at the
// start.
func TestDamagedFileIsReported(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cut.db")
	db, _, _ := open(t, Options{Path: path, Synchronous: "OFF"})
	if err := db.write.(sqliteWrite).execBetweenBatches(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"cut":      {content[:len(content)/2], "is cut off"},
		"header":   {content[:50], "damaged"},
		"pages":    {append(append(bytes.Clone(content[:16]), 0, 0), content[18:]...), "is damaged"},
		"nonsense": {append([]byte(strings.Repeat("nonsense", 100)), content...), "no SQLite database"},
		"whole":    {content, ""},
	} {
		other := filepath.Join(t.TempDir(), name+".db")
		if err := os.WriteFile(other, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		err := Migrate(t.Context(), Options{Path: other})
		if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), other)) {
			t.Errorf("%s: %v, want %q in it", name, err, c.says)
		}
	}
}
