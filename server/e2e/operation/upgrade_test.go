package operation_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/server/app"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// earlierAnswers are what the program of version 80 answered about what is in the archive
// of the same name, just before that was taken: a backup, or with PostgreSQL the
// output of pg_dump and the data folder. The people are a patient and her doctor,
// a patient and doctor whose messages have expired, and a stranger.
type earlierAnswers struct {
	At       time.Time
	Tokens   map[string]string
	Room     string          // the consultation of bo and wang
	Resend   json.RawMessage // what bo sent and took back
	Requests []recordedRequest
}

// recordedRequest is a request and its answer: a status, and JSON, the SHA-256 of a
// file, or of each file of a ZIP.
type recordedRequest struct {
	Who, Path string
	Status    int
	Body      any
	SHA256    string
	Files     map[string]string
}

const recordings = "testdata/version80"

// recordedBy reads a recording.
func recordedBy(t *testing.T, name string) (r earlierAnswers) {
	t.Helper()
	e2e.Must(t, json.Unmarshal(unzipped(t, name+".json.gz"), &r))
	return r
}

func unzipped(t *testing.T, name string) []byte {
	t.Helper()
	file, err := os.Open(filepath.Join(recordings, name))
	e2e.Must(t, err)
	defer file.Close()
	z, err := gzip.NewReader(file)
	e2e.Must(t, err)
	content, err := io.ReadAll(z)
	e2e.Must(t, err)
	return content
}

// restoredBackup is a data folder of a backup that version 80 made.
func restoredBackup(t *testing.T, name string) string {
	t.Helper()
	archive, err := os.Open(filepath.Join(recordings, name+".tar.gz"))
	e2e.Must(t, err)
	defer archive.Close()
	dir := filepath.Join(t.TempDir(), "restored")
	_, err = cli.Restore(t.Context(), archive, dir, true)
	e2e.Must(t, err)
	return dir
}

// dumped is a data folder and a PostgreSQL database of version 80.
func dumped(t *testing.T, name string) (dir, database string) {
	t.Helper()
	dir, database = t.TempDir(), sidecar.Postgres(t).Empty(t)
	archive := tar.NewReader(bytes.NewReader(unzipped(t, name+".tar.gz")))
	for {
		head, err := archive.Next()
		if err == io.EOF {
			return dir, database
		}
		e2e.Must(t, err)
		content, err := io.ReadAll(archive)
		e2e.Must(t, err)
		if path, data := strings.CutPrefix(head.Name, "data/"); data {
			e2e.Must(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o700))
			e2e.Must(t, os.WriteFile(filepath.Join(dir, path), content, 0o600))
			continue
		}
		var statements []string
		for line := range strings.Lines(string(content)) {
			if !strings.HasPrefix(line, `\`) { // for psql alone
				statements = append(statements, line)
			}
		}
		db, err := sql.Open("pgx", database)
		e2e.Must(t, err)
		_, err = db.Exec(strings.Join(statements, ""))
		e2e.Must(t, err)
		e2e.Must(t, db.Close())
	}
}

// upgraded is a server of this version on a folder and a database, at the time of
// the recording.
func upgraded(t *testing.T, r earlierAnswers, dir, database string, key string) *e2e.World {
	t.Helper()
	var clock e2e.Clock
	clock.Set(time.Until(r.At) + time.Second)
	w := &e2e.World{T: t, Dir: dir, Database: database, Now: clock.Now, HTTP: &http.Client{Timeout: e2e.Patience},
		Change: []func(*app.Config){func(c *app.Config) {
			c.EncryptionKey, c.KeepMessages, c.PublicURL = key, time.Hour, "http://localhost:8080"
		}}}
	w.Run("127.0.0.1:0")
	return w
}

// answersAsBefore asks again what was asked of version 80.
func (r earlierAnswers) answersAsBefore(t *testing.T, w *e2e.World) {
	t.Helper()
	for _, asked := range r.Requests {
		a := w.Ask(t, http.MethodGet, "/api/v1/"+asked.Path, r.Tokens[asked.Who], "")
		if a.Status != asked.Status {
			t.Errorf("%s asks for %s: %d, and was answered %d: %.300s", asked.Who, asked.Path, a.Status, asked.Status, a.Body)
			continue
		}
		switch {
		case asked.Files != nil:
			for name, diff := range differentFiles(t, a.Body, asked.Files) {
				t.Errorf("%s asks for %s: %s %s", asked.Who, asked.Path, name, diff)
			}
		case asked.SHA256 != "":
			if hexSum(a.Body) != asked.SHA256 {
				t.Errorf("%s asks for %s: it is another file", asked.Who, asked.Path)
			}
		case asked.Body != nil:
			var now any
			e2e.Must(t, json.Unmarshal(a.Body, &now))
			if strings.HasPrefix(asked.Path, "notifications") {
				unworded(asked.Body)
			}
			if diff := missing(asked.Body, now, ""); diff != "" {
				t.Errorf("%s asks for %s: %s", asked.Who, asked.Path, diff)
			}
		}
	}
}

func hexSum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// differentFiles are the files of a ZIP that do not have the SHA-256 that they had.
// Of those that each version words anew, pages and notifications, it is those that
// are not there.
func differentFiles(t *testing.T, body []byte, want map[string]string) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	e2e.Must(t, err)
	sums := map[string]string{}
	for _, f := range archive.File {
		file, err := f.Open()
		e2e.Must(t, err)
		content, err := io.ReadAll(file)
		e2e.Must(t, err)
		sums[f.Name] = hexSum(content)
	}
	diff := map[string]string{}
	for name, sum := range want {
		worded := name == "notifications.json" || strings.HasSuffix(name, ".html")
		if sums[name] == "" {
			diff[name] = "is not there"
		} else if sums[name] != sum && !worded {
			diff[name] = "is not the same"
		}
	}
	return diff
}

// unworded removes from a page of notifications what each version words anew.
func unworded(page any) {
	items, _ := page.(map[string]any)["items"].([]any)
	for _, item := range items {
		delete(item.(map[string]any), "title")
		delete(item.(map[string]any), "text")
	}
}

// missing says what of a value is not in another; a later version may answer more.
func missing(want, have any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		have, ok := have.(map[string]any)
		if !ok {
			return at + " is no object"
		}
		for name, value := range want {
			if diff := missing(value, have[name], at+"."+name); diff != "" {
				return diff
			}
		}
		return ""
	case []any:
		have, ok := have.([]any)
		if !ok || len(have) != len(want) {
			return fmt.Sprintf("%s has not %d elements", at, len(want))
		}
		for i := range want {
			if diff := missing(want[i], have[i], fmt.Sprintf("%s[%d]", at, i)); diff != "" {
				return diff
			}
		}
		return ""
	}
	if !reflect.DeepEqual(want, have) {
		return fmt.Sprintf("%s is %v, and was %v", at, have, want)
	}
	return ""
}

// goesOn sends again what was taken back, and something new.
func (r earlierAnswers) goesOn(t *testing.T, w *e2e.World) {
	t.Helper()
	path := "/api/v1/consultations/" + r.Room + "/messages"
	var sent map[string]any
	e2e.Must(t, json.Unmarshal(r.Resend, &sent))
	delete(sent, "consultationId")
	send := func(change string, status int) {
		t.Helper()
		if change != "" {
			sent["text"] = change
		}
		body, err := json.Marshal(sent)
		e2e.Must(t, err)
		if a := w.Ask(t, http.MethodPost, path, r.Tokens["bo"], string(body)); a.Status != status {
			t.Errorf("%s is answered %d, want %d: %s", body, a.Status, status, a.Body)
		}
	}
	send("", http.StatusCreated)              // the first result again
	send("another text", http.StatusConflict) // the clientId was used for something else
	sent["clientId"] = "after-the-upgrade"
	send("头痛 after the upgrade", http.StatusCreated)
}

// A backup of version 80 is restored, a server of this version converts it, and
// people see what they saw before: history, events, searches, unread counts,
// receipts, files, records in FHIR, and their export.
func TestBackupOfVersion80(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"sqlite": "", "sqlite-encrypted": masterKey} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := recordedBy(t, name)
			w := upgraded(t, r, restoredBackup(t, name), "sqlite", key)
			r.answersAsBefore(t, w)
			r.goesOn(t, w)
		})
	}
}

// The same with a PostgreSQL database of version 80.
func TestPostgresOfVersion80(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"postgres": "", "postgres-encrypted": masterKey} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := recordedBy(t, name)
			dir, database := dumped(t, name)
			w := upgraded(t, r, dir, database, key)
			r.answersAsBefore(t, w)
			r.goesOn(t, w)
		})
	}
}

// A SQLite database of version 80 moves to PostgreSQL: it is converted first.
func TestMoveOfVersion80(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"sqlite": "", "sqlite-encrypted": masterKey} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := recordedBy(t, name)
			dir, url := restoredBackup(t, name), e2e.PostgresDatabase(t)
			_, err := cli.Move(t.Context(), cli.Place{Data: dir, Database: "sqlite", EncryptionKey: key}, url)
			e2e.Must(t, err)
			w := upgraded(t, r, dir, url, key)
			r.answersAsBefore(t, w)
			r.goesOn(t, w)
		})
	}
}

// Without its key an encrypted database is not converted, and nothing is changed.
func TestVersion80IsNotConvertedWithoutItsKey(t *testing.T) {
	t.Parallel()
	dir := restoredBackup(t, "sqlite-encrypted")
	at := cli.Place{Data: dir, Database: "sqlite"}
	if err := cli.Migrate(t.Context(), at); err == nil || !strings.Contains(err.Error(), "--encryption-key") {
		t.Errorf("migrated without the key: %v", err)
	}
	if _, err := cli.Move(t.Context(), at, e2e.PostgresDatabase(t)); err == nil || !strings.Contains(err.Error(), "--encryption-key") {
		t.Errorf("moved without the key: %v", err)
	}
	at.EncryptionKey = masterKey
	e2e.Must(t, cli.Migrate(t.Context(), at))
}
