package operation_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/hkdf"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server/app"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// loot is a stolen archive.
type loot struct {
	files    map[string][]byte
	kids     []string // of signing keys
	sessions [][3]string
}

func steal(t *testing.T, archive []byte) loot {
	t.Helper()
	l := loot{files: map[string][]byte{}}
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	e2e.Must(t, err)
	for files := tar.NewReader(zip); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		e2e.Must(t, err)
		l.files[h.Name], err = io.ReadAll(files)
		e2e.Must(t, err)
	}
	path := filepath.Join(t.TempDir(), "stolen.db")
	e2e.Must(t, os.WriteFile(path, l.files["wenzhen.db"], 0o600))
	db, err := sql.Open("sqlite", path)
	e2e.Must(t, err)
	defer db.Close()
	rows, err := db.Query(`SELECT id, '', '' FROM signing_keys UNION ALL SELECT s.id, u.id, u.role FROM sessions s JOIN users u ON u.id = s.user_id`)
	e2e.Must(t, err)
	defer rows.Close()
	for rows.Next() {
		var row [3]string
		e2e.Must(t, rows.Scan(&row[0], &row[1], &row[2]))
		if row[1] == "" {
			l.kids = append(l.kids, row[0])
		} else {
			l.sessions = append(l.sessions, row)
		}
	}
	e2e.Must(t, rows.Err())
	return l
}

// keys are what might be one: what each small file says, whole and in parts.
func (l loot) keys() (keys [][]byte) {
	for _, content := range l.files {
		if len(content) > 1000 {
			continue
		}
		text := strings.TrimSpace(string(content))
		keys = append(keys, []byte(text))
		for _, part := range strings.Split(text, "$") {
			keys = append(keys, []byte(part))
		}
	}
	return keys
}

// opens counts the tokens, made with any of the keys for any session, with which
// a server answers; and the keys that seal as the server does.
func (l loot) opens(t *testing.T, w *e2e.World, public []byte) (tokens, seals int) {
	t.Helper()
	now := time.Now()
	for _, key := range l.keys() {
		if bytes.Equal(record.SealKey(key), public) {
			seals++
		}
		for _, kid := range l.kids {
			derived, err := hkdf.Key(sha256.New, key, nil, "wenzhen access token "+kid, 32)
			e2e.Must(t, err)
			for _, s := range l.sessions {
				token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "wenzhen", "sid": s[0], "sub": s[1], "role": s[2],
					"iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix()})
				token.Header["kid"] = kid
				signed, err := token.SignedString(derived)
				e2e.Must(t, err)
				if w.Ask(t, "GET", "/api/v1/me", signed, "").Status == 200 {
					tokens++
				}
			}
		}
	}
	return tokens, seals
}

// A stolen backup, and a stolen data folder, without the encryption key, yield
// nothing: no token that a server takes, no key that signs, no key of a
// certificate, no word of what was said. The same attack on what is not encrypted
// shows that it would find them.
func TestStolenBackup(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change []func(*app.Config)
		safe   bool
	}{
		"encrypted": {[]func(*app.Config){atRest}, true},
		"plain":     {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := e2e.NewWorldOn(t, t.TempDir(), "sqlite")
			w.Change = c.change
			e2e.Must(t, os.Mkdir(filepath.Join(w.Dir, "acme"), 0o700))
			for _, file := range []string{"acme_account+key", "clinic.example"} {
				e2e.Must(t, os.WriteFile(filepath.Join(w.Dir, "acme", file), []byte("-----BEGIN EC "+certificateKey+"-----\nAAAA\n"), 0o600))
			}
			w.Run("127.0.0.1:0")
			w.EnterAdmin()
			said := confide(w)
			v := w.Verifies(t, record.KindDiagnosis, said.diagnosis.Head)
			public := decoded(t, v.PublicKey)
			e2e.Must(t, os.WriteFile(filepath.Join(w.Dir, "site-tls.key"), []byte("a key of somebody else's"), 0o600))
			var archive bytes.Buffer
			_, err := cli.Backup(t.Context(), placeOf(w), &archive)
			e2e.Must(t, err)
			l := steal(t, archive.Bytes())
			if len(l.files) < 8 || len(l.kids) == 0 || len(l.sessions) < 3 || l.files["site-tls.key"] != nil || strings.Contains(l.all(), certificateKey) {
				t.Fatalf("the archive has %d files, %d signing keys and %d sessions", len(l.files), len(l.kids), len(l.sessions))
			}
			folder := loot{files: map[string][]byte{}, kids: l.kids, sessions: l.sessions}
			e2e.Must(t, filepath.WalkDir(w.Dir, func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() {
					folder.files[path], err = os.ReadFile(path)
				}
				return err
			}))
			if strings.Contains(folder.all(), certificateKey) == c.safe {
				t.Errorf("the keys of certificates are in the folder in the clear: %v", !c.safe)
			}
			for what, l := range map[string]loot{"archive": l, "folder": folder} {
				tokens, seals := l.opens(t, w, public)
				if found := lies(l.all()); (len(found) == 0) != c.safe || (tokens == 0) != c.safe || (seals == 0) != c.safe {
					t.Errorf("the %s yields %d tokens, %d keys that sign, and the words %q", what, tokens, seals, found)
				}
			}
		})
	}
}

// certificateKey is in every file that has the key of a certificate.
const certificateKey = "PRIVATE KEY"

// all is what lies in all files, with their names.
func (l loot) all() string {
	var all strings.Builder
	for file, content := range l.files {
		all.WriteString(file)
		all.Write(content)
	}
	return all.String()
}

// A restore ends all logins and makes another token key, so that a token that was
// made with the old one is useless, unless logins are to be kept.
func TestRestoreEndsLogins(t *testing.T) {
	t.Parallel()
	w := e2e.OnSQLite(t)
	bo := w.Patient("bo")
	var archive bytes.Buffer
	_, err := cli.Backup(t.Context(), placeOf(w), &archive)
	e2e.Must(t, err)
	for name, keep := range map[string]bool{"ends": false, "kept": true} {
		dir := filepath.Join(t.TempDir(), name)
		_, err := cli.Restore(t.Context(), bytes.NewReader(archive.Bytes()), dir, keep)
		e2e.Must(t, err)
		copied := &e2e.World{T: t, Dir: dir, Database: w.Database, HTTP: w.HTTP}
		copied.Run("127.0.0.1:0")
		if status := copied.Ask(t, "GET", "/api/v1/me", bo.Tokens().AccessToken, "").Status; (status == 200) != keep {
			t.Errorf("%s: a token from before is answered with %d", name, status)
		}
		_, err = client.Do(t.Context(), copied.Client(), account.Refresh, account.RefreshInput{RefreshToken: bo.Tokens().RefreshToken})
		if keep {
			e2e.Must(t, err)
		} else {
			e2e.Code(t, err, rooms.CodeUnauthenticated)
		}
		bo.On(copied)
		before, err := os.ReadFile(filepath.Join(w.Dir, "token.key"))
		e2e.Must(t, err)
		after, err := os.ReadFile(filepath.Join(dir, "token.key"))
		e2e.Must(t, err)
		if bytes.Equal(before, after) != keep {
			t.Errorf("%s: the token key is the same: %v", name, !keep)
		}
	}
}

func decoded(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	e2e.Must(t, err)
	return raw
}
