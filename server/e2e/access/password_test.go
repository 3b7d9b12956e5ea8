package access_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"wenzhen.example/rooms/account"
	"wenzhen.example/server/app"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// Passwords cost what OWASP recommends, whether people set them or the command
// line does; only tests have them cheaper.
func TestWhatAPasswordCosts(t *testing.T) {
	t.Parallel()
	w := e2e.NewWorldOn(t, t.TempDir(), "sqlite")
	w.More = []app.Option{app.WithHashing(account.Hashing{})} // as a server that was not asked
	w.Run("127.0.0.1:0")
	w.Patient("bo")
	e2e.Must(t, w.Stop())
	_, err := cli.CreateAdmin(t.Context(), cli.Place{Data: w.Dir, Database: "sqlite"}, "Second", "second@wenzhen.example", e2e.Password, e2e.Quiet)
	e2e.Must(t, err)
	content, err := os.ReadFile(filepath.Join(w.Dir, "wenzhen.db"))
	e2e.Must(t, err)
	if n := bytes.Count(content, []byte("$argon2id$v=19$m=19456,t=2,p=1$")); n != 2 {
		t.Errorf("%d of 2 passwords are hashed at full cost", n)
	}
}
