package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest/prove"
	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/rooms/store"
	chatstore "wenzhen.example/rooms/store/chat"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/rooms/vault"
)

// earlierDatabases runs a test on an empty database of each kind, in the clear and
// encrypted.
func earlierDatabases(t *testing.T, test func(t *testing.T, opts engine.Options)) {
	master, err := vault.FromSecret(convertKey)
	must(t, err)
	emptyDatabases(t, map[string]vault.Master{"": nil, "-encrypted": master}, test)
}

// clearDatabases is earlierDatabases without the encrypted ones.
func clearDatabases(t *testing.T, test func(t *testing.T, opts engine.Options)) {
	emptyDatabases(t, map[string]vault.Master{"": nil}, test)
}

func emptyDatabases(t *testing.T, keys map[string]vault.Master, test func(t *testing.T, opts engine.Options)) {
	prove.Parallel(t)
	for name, key := range keys {
		t.Run("sqlite"+name, func(t *testing.T) {
			prove.Parallel(t)
			test(t, engine.Options{Path: filepath.Join(t.TempDir(), "wenzhen.db"), Synchronous: "OFF", Master: key, Log: slog.New(slog.DiscardHandler), Now: time.Now})
		})
		t.Run("postgres"+name, func(t *testing.T) {
			prove.Parallel(t)
			test(t, engine.Options{URL: sidecar.Postgres(t).Empty(t), Master: key, Log: slog.New(slog.DiscardHandler), Now: time.Now})
		})
	}
}

const convertKey = "a master key of 32 characters for tests"

const (
	beforeLog = `SELECT pos, room, seq, id, name, at, actor_id, data FROM events ORDER BY pos`
	afterLog  = `SELECT l.pos, r.id, l.seq, l.id, l.name, l.at, p.id, l.data FROM log l JOIN log_rooms r ON r.num = l.room JOIN log_people p ON p.num = l.actor ORDER BY l.pos`
)

// fingerprint is the SHA-256 of a whole log, without the events that are damaged,
// and how many there are.
func (e *earlier) fingerprint(db *sql.DB, query string) string {
	e.t.Helper()
	rows, err := db.Query(query)
	must(e.t, err)
	defer rows.Close()
	all, n := sha256.New(), 0
	for rows.Next() {
		var pos, seq, at int64
		var texts [5]string
		must(e.t, rows.Scan(&pos, &texts[0], &seq, &texts[1], &texts[2], &at, &texts[3], &texts[4]))
		if n++; e.broken[pos] {
			continue
		}
		var b []byte
		for _, number := range []int64{pos, seq, at} {
			b = binary.BigEndian.AppendUint64(b, uint64(number))
		}
		for _, text := range texts {
			b = append(binary.BigEndian.AppendUint64(b, uint64(len(text))), text...)
		}
		_, _ = all.Write(b) // never fails
	}
	must(e.t, rows.Err())
	return fmt.Sprintf("%d events, %x", n, all.Sum(nil))
}

// connected is a connection beside the engine.
func connected(t *testing.T, opts engine.Options) *sql.DB {
	t.Helper()
	db, err := engine.Connect(opts)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

// isConverted compares the log with what the writer wrote.
func (e *earlier) isConverted(t *testing.T, db *sql.DB, before string) {
	t.Helper()
	if after := e.fingerprint(db, afterLog); after != before {
		t.Errorf("the log was %s, and is %s", before, after)
	}
	rows, err := db.Query(`SELECT l.seq, l.data, coalesce(s.id, '-'), l.client, l.message, coalesce(l.attachment_id, ''), coalesce(l.recalled_at, 0), l.recalled, r.id
		FROM log l JOIN log_rooms r ON r.num = l.room LEFT JOIN log_people s ON s.num = l.sender WHERE l.message IS NOT NULL ORDER BY l.pos`)
	must(t, err)
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var seq, client, at int64
		var data, sender, message, attachment, room string
		var kept *string
		must(t, rows.Scan(&seq, &data, &sender, &client, &message, &attachment, &at, &kept, &room))
		m, what := e.message(n, seq)
		if diff := e.same(m, what, message, sender, attachment, data, client, at, kept); diff != "" {
			t.Fatalf("message %d: %s", n, diff)
		}
	}
	must(t, rows.Err())
	if n != e.messages {
		t.Errorf("%d messages of %d", n, e.messages)
	}
}

// same says what is not as it should be in a row of the log.
func (e *earlier) same(m earlierMessage, what int, message, sender, attachment, data string, client, at int64, kept *string) string {
	file := ""
	if m.Attachment != nil && what != purged {
		file = m.Attachment.ID
	}
	if message != m.ID || sender != m.SenderID || attachment != file || client != engine.ClientHash(rooms.UserID(m.SenderID), m.ClientID) {
		return fmt.Sprintf("message %s of %s with the file %q", message, sender, attachment)
	}
	recalledAt := m.CreatedAt.Add(time.Minute)
	place := fmt.Sprintf("events.data/consultation:%s/%d", m.ConsultationID, m.Seq)
	shown, original := m, m
	switch what {
	case recalled, purged:
		shown.Text, shown.Attachment, shown.Peaks, shown.RecalledAt = "", nil, nil, &recalledAt
		if at != recalledAt.UnixMicro() {
			return fmt.Sprintf("recalled at %d", at)
		}
	default:
		if at != 0 {
			return "it is recalled"
		}
	}
	if e.opts.URL != "" && !e.vault.On() {
		original.Text = strings.ReplaceAll(original.Text, "\x00", "\uFFFD")
	}
	if what == eventDamaged {
		shown = original
	}
	switch {
	case what == recalled && kept == nil:
		return "what was recalled is gone"
	case what == recalled:
		if diff := e.says(*kept, place+"/recalled", original); diff != "" {
			return "recalled: " + diff
		}
	case kept != nil:
		return "it has what was recalled"
	}
	return e.says(data, place, shown)
}

// says compares stored JSON with a message.
func (e *earlier) says(stored, place string, want earlierMessage) string {
	text, err := e.vault.Decrypt(place, stored)
	if err != nil {
		return err.Error()
	}
	encoded, err := json.Marshal(want)
	must(e.t, err)
	var a, b any
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return err.Error()
	}
	must(e.t, json.Unmarshal(encoded, &b))
	if !reflect.DeepEqual(a, b) {
		return fmt.Sprintf("%s is not %s", text, encoded)
	}
	return ""
}

// Every event and message of version 80 is in the log of this version, and the old
// tables are gone.
func TestEarlierDatabaseIsConverted(t *testing.T) {
	earlierDatabases(t, func(t *testing.T, opts engine.Options) {
		e := fill(t, opts, prove.Size(t, "messages", 3_000, 1_000_000), prove.Size(t, "consultations", 200, 100_000))
		db := connected(t, opts)
		before, bytes := e.fingerprint(db, beforeLog), e.size(db)
		var said memory
		opts.Log = slog.New(slog.NewTextHandler(&said, nil))
		began := time.Now()
		must(t, engine.Migrate(t.Context(), opts))
		t.Logf("converted in %v, %s before", time.Since(began).Round(time.Millisecond), bytes)
		e.isConverted(t, db, before)
		if want := fmt.Sprintf("messages=%d damaged=%d", e.messages, e.damaged); !strings.Contains(said.String(), want) {
			t.Errorf("no %q in\n%s", want, said.String())
		}
		for _, table := range []string{"events", "messages", "rooms", "log_conversion"} {
			if _, err := db.Exec(`SELECT 1 FROM ` + table); err == nil {
				t.Errorf("the table %s is still there", table)
			}
		}
		e.isShown(t)
		for room, want := range map[string]int64{"lobby": 7, "consultation:" + e.consultation(0): e.seqs[0]} {
			var taken int64
			must(t, db.QueryRow(`SELECT taken FROM log_rooms WHERE id = $1`, room).Scan(&taken))
			if taken != want {
				t.Errorf("the room %s is at %d, want %d", room, taken, want)
			}
		}
		must(t, engine.Migrate(t.Context(), opts)) // there is nothing left to do
		t.Logf("%s after", e.size(db))
		if opts.URL == "" {
			_, err := db.Exec(`VACUUM`)
			must(t, err)
			t.Logf("%s after VACUUM", e.size(db))
		}
	})
}

// isShown reads consultations and searches as the program does.
func (e *earlier) isShown(t *testing.T) {
	t.Helper()
	db, err := store.Open(t.Context(), e.opts, nil)
	must(t, err)
	defer db.Close()
	chats := chatstore.Store{DB: db}
	began := time.Now()
	for n := 0; n < e.messages; n += 1 + e.messages/60 {
		k := n % e.consultations
		list, err := chats.Messages(t.Context(), consultation.ID(e.consultation(k)), 0, 0, 1000)
		must(t, err)
		if want := (e.messages - k + e.consultations - 1) / e.consultations; len(list) != want {
			t.Fatalf("consultation %d shows %d messages of %d", k, len(list), want)
		}
		for i, shown := range list {
			m, what := e.message(i*e.consultations+k, int64(shown.Seq))
			if string(shown.ID) != m.ID || string(shown.SenderID) != m.SenderID || string(shown.Kind) != m.Kind || !shown.CreatedAt.Equal(m.CreatedAt) || string(shown.ReplyTo) != m.ReplyTo {
				t.Fatalf("message %s is shown as %+v", m.ID, shown)
			}
			if what == usual && (shown.Text != m.Text || (shown.Attachment == nil) != (m.Attachment == nil) || shown.Attachment != nil && shown.Attachment.Name != m.Attachment.Name) {
				t.Fatalf("message %s is shown as %+v", m.ID, shown)
			}
		}
		m, what := e.message(n, 0)
		found, err := chats.Search(t.Context(), chat.Query{User: rooms.UserID(e.doctor(k)), Words: fmt.Sprintf("word%d 头痛", n), Limit: 10})
		must(t, err)
		if want := m.Text != "" && what != recalled && what != purged && what != rowDamaged && m.Kind != "call"; want && (len(found) != 1 || string(found[0].ID) != m.ID) && !strings.Contains(m.Text, "\x00") {
			t.Fatalf("message %s is found as %+v", m.ID, found)
		}
	}
	t.Logf("shown and found in %v, in which the index of words was made", time.Since(began).Round(time.Millisecond))
}

// memory keeps what is logged.
type memory struct{ bytes.Buffer }

// size is how much room a database takes.
func (e *earlier) size(db *sql.DB) (size string) {
	query := `SELECT pg_size_pretty(pg_database_size(current_database()))`
	if e.opts.URL == "" {
		query = `SELECT (page_count * page_size / 1000000) || ' MB' FROM pragma_page_count(), pragma_page_size()`
	}
	must(e.t, db.QueryRow(query).Scan(&size))
	return size
}

// Variables of the process that converts and is killed.
const (
	childPath = "CONVERT_TEST_PATH"
	childURL  = "CONVERT_TEST_URL"
	childKey  = "CONVERT_TEST_KEY"
	childLine = "CONVERT_TEST_LINE" // the number of a line, or what is in it
)

// TestMain is also the process that TestConversionIsResumedAfterKill kills.
func TestMain(m *testing.M) {
	if os.Getenv(childLine) == "" {
		os.Exit(m.Run())
	}
	opts := engine.Options{Path: os.Getenv(childPath), URL: os.Getenv(childURL), Log: slog.New(slog.NewTextHandler(&dies{at: os.Getenv(childLine)}, nil))}
	var err error
	if key := os.Getenv(childKey); key != "" {
		if opts.Master, err = vault.FromSecret(key); err != nil {
			panic(err)
		}
	}
	engine.LogConversionAlways()
	if err := engine.Migrate(context.Background(), opts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// dies kills this process when it has logged a line.
type dies struct {
	at    string
	lines int
}

// Write implements io.Writer.
func (d *dies) Write(line []byte) (int, error) {
	_, _ = os.Stdout.Write(line)
	if d.lines++; strconv.Itoa(d.lines) == d.at || len(d.at) > 3 && strings.Contains(string(line), d.at) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return len(line), nil
}

// convertsInProcess converts in a process of its own, which is killed at a line of
// its log. It reports whether it ended by itself, and the last line.
func convertsInProcess(t *testing.T, opts engine.Options, line string) (ended bool, last string) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	c := exec.Command(self)
	c.Env = append(os.Environ(), childPath+"="+opts.Path, childURL+"="+opts.URL, childLine+"="+line)
	if opts.Master != nil {
		c.Env = append(c.Env, childKey+"="+convertKey)
	}
	var failed bytes.Buffer
	c.Stderr = &failed
	out, err := c.Output()
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		last = s.Text()
	}
	if err == nil {
		return true, last
	}
	if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("%v: %s", err, failed.String())
	}
	return false, last
}

// A conversion that is killed (kill -9) goes on where it was, wherever that is:
// while it copies, compares, removes the old tables, and after that.
func TestConversionIsResumedAfterKill(t *testing.T) {
	earlierDatabases(t, func(t *testing.T, opts engine.Options) {
		e := fill(t, opts, prove.Size(t, "messages", 25_000, 1_000_000), prove.Size(t, "consultations", 500, 100_000))
		db := connected(t, opts)
		before := e.fingerprint(db, beforeLog)
		kills, last := 0, ""
		for line := 3; !strings.Contains(last, "comparing"); line += 9 {
			var ended bool
			if ended, last = convertsInProcess(t, opts, strconv.Itoa(line)); ended {
				t.Fatalf("it ended after %d kills", kills)
			}
			kills++
		}
		t.Logf("killed %d times until it compared", kills)
		for _, step := range []string{"comparing", "removing the old tables", "is converted"} {
			if ended, last := convertsInProcess(t, opts, step); ended {
				t.Errorf("it ended without %s: %s", step, last)
			}
		}
		if ended, last := convertsInProcess(t, opts, "1"); !ended {
			t.Errorf("there was still something to do: %s", last)
		}
		e.isConverted(t, db, before)
	})
}

// What a planted difference is, and what the conversion says of it.
var planted = map[string]struct {
	statement, says string
	undo            string
}{
	"a lost message": {
		`DELETE FROM messages WHERE id = '%[1]s'`, "there is no message with it", `INSERT INTO messages SELECT * FROM kept`},
	"a lost event": {
		`DELETE FROM events WHERE pos = %[2]d`, "there is no event with it", `INSERT INTO events SELECT * FROM kept_event`},
	"another text": {
		`UPDATE messages SET text = text || '!' WHERE id = '%[1]s'`, "another text", `UPDATE messages SET text = (SELECT text FROM kept) WHERE id = '%[1]s'`},
	"another sender": {
		`UPDATE messages SET sender_id = (SELECT min(id) FROM users WHERE id <> sender_id) WHERE id = '%[1]s'`, "another senderId",
		`UPDATE messages SET sender_id = (SELECT sender_id FROM kept) WHERE id = '%[1]s'`},
	"taken back in one place": {
		`UPDATE messages SET recalled_at = 1 WHERE id = '%[1]s'`, "another recalledAt", `UPDATE messages SET recalled_at = NULL WHERE id = '%[1]s'`},
}

// Where a message and its event are not the same, or one of them is missing,
// nothing is dropped, and each start says so until it has been put right.
func TestConversionFindsPlantedDifferences(t *testing.T) {
	for name, c := range planted {
		t.Run(name, func(t *testing.T) {
			clearDatabases(t, func(t *testing.T, opts engine.Options) {
				e := fill(t, opts, 200, 10)
				db := connected(t, opts)
				before := e.fingerprint(db, beforeLog)
				var id string
				var pos int64
				must(t, db.QueryRow(`SELECT m.id, e.pos FROM messages m JOIN events e ON e.room = 'consultation:' || m.consultation_id AND e.seq = m.seq
					WHERE m.kind = 'text' AND m.recalled_at IS NULL AND m.reply_to = '' ORDER BY m.num LIMIT 1`).Scan(&id, &pos))
				statement := func(s string) {
					t.Helper()
					if strings.Contains(s, "%") {
						s = strings.ReplaceAll(strings.ReplaceAll(s, "%[1]s", id), "%[2]d", strconv.FormatInt(pos, 10))
					}
					_, err := db.Exec(s)
					must(t, err)
				}
				statement(`CREATE TABLE kept AS SELECT * FROM messages WHERE id = '%[1]s'`)
				statement(`CREATE TABLE kept_event AS SELECT * FROM events WHERE pos = %[2]d`)
				statement(c.statement)
				for range 2 { // the next start finds it again
					err := engine.Migrate(t.Context(), opts)
					if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "nothing was removed") {
						t.Fatalf("converted: %v", err)
					}
				}
				for _, table := range []string{"messages", "events", "rooms"} {
					statement(`SELECT 1 FROM ` + table)
				}
				if opts.URL == "" {
					statement(`DROP TRIGGER messages_copied_insert`)
					statement(`DROP TRIGGER messages_copied_update`)
					statement(`DROP TRIGGER events_copied_insert`)
				} else {
					statement(`DROP TRIGGER messages_copied ON messages`)
					statement(`DROP TRIGGER events_copied ON events`)
				}
				statement(c.undo)
				must(t, engine.Migrate(t.Context(), opts))
				e.isConverted(t, db, before)
			})
		})
	}
}

// What is changed in the copy before the old tables are dropped is found too.
func TestConversionComparesTheCopy(t *testing.T) {
	for name, change := range map[string]string{
		"an event is gone":     `DELETE FROM log WHERE pos = (SELECT max(pos) FROM log)`,
		"another text":         `UPDATE log SET data = data || ' ' WHERE pos = (SELECT max(pos) FROM log)`,
		"another room":         `UPDATE log_rooms SET id = 'elsewhere' WHERE num = (SELECT max(num) FROM log_rooms)`,
		"another person":       `UPDATE log_people SET id = 'nobody' WHERE num = (SELECT max(num) FROM log_people)`,
		"another message id":   `UPDATE log SET message = 'x' WHERE pos = (SELECT max(pos) FROM log WHERE message IS NOT NULL)`,
		"another time":         `UPDATE log SET recalled_at = 1 WHERE pos = (SELECT max(pos) FROM log WHERE message IS NOT NULL)`,
		"what was taken back":  `UPDATE log SET recalled = NULL`,
		"nobody who sent it":   `UPDATE log SET sender = NULL WHERE pos = (SELECT max(pos) FROM log WHERE message IS NOT NULL)`,
		"another clientId":     `UPDATE log SET client = client + 1 WHERE pos = (SELECT max(pos) FROM log WHERE message IS NOT NULL)`,
		"an attachment is not": `UPDATE log SET attachment_id = NULL`,
	} {
		t.Run(name, func(t *testing.T) {
			clearDatabases(t, func(t *testing.T, opts engine.Options) {
				e := fill(t, opts, 400, 10)
				db := connected(t, opts)
				before := e.fingerprint(db, beforeLog)
				if ended, _ := convertsInProcess(t, opts, "comparing"); ended { // it has copied, and dropped nothing
					t.Fatal("it was not killed")
				}
				_, err := db.Exec(change)
				must(t, err)
				if err := engine.Migrate(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "nothing was removed") {
					t.Fatalf("converted: %v", err)
				}
				must(t, engine.Migrate(t.Context(), opts)) // anew, from the old tables
				e.isConverted(t, db, before)
			})
		})
	}
}

// While a database is being converted, an older program cannot write to it.
func TestOldTablesAreFrozen(t *testing.T) {
	clearDatabases(t, func(t *testing.T, opts engine.Options) {
		fill(t, opts, 100, 10)
		if ended, _ := convertsInProcess(t, opts, "1"); ended {
			t.Fatal("it was not killed")
		}
		db := connected(t, opts)
		for _, statement := range []string{`UPDATE messages SET recalled_at = 1`, `UPDATE events SET data = '{}'`, `INSERT INTO rooms (id, last_seq, last_at) VALUES ('x', 1, 1)`} {
			if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "a newer Wenzhen converts this database") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		must(t, engine.Migrate(t.Context(), opts))
	})
}

// Several processes that start at once convert it once: commands beside a server,
// or nodes.
func TestSeveralProcessesConvert(t *testing.T) {
	clearDatabases(t, func(t *testing.T, opts engine.Options) {
		e := fill(t, opts, prove.Size(t, "messages", 12_000, 100_000), 100)
		db := connected(t, opts)
		before := e.fingerprint(db, beforeLog)
		must(t, engine.MigrateTo(t.Context(), opts, math.MaxInt64)) // what goose does at once is goose's
		failed := make(chan error)
		const processes = 3
		for range processes {
			go func() { failed <- engine.Migrate(context.Background(), opts) }()
		}
		for range processes {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		e.isConverted(t, db, before)
	})
}
