package commandline

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
)

// unentered are the commands that the audit log does not have, and why.
var unentered = map[string]string{
	"serve":        "what it does, its commands enter",
	"migrate":      "it changes the form of the database, as each start of a newer version does, and shows nothing",
	"move":         "entered as database:move: TestMoveToPostgres",
	"audit verify": "it shows whether the log is sound, and no entry",
	"keys list":    "it shows when keys were made, and names nobody",
	"chat":         "it talks to a server, which enters what it asks for",
	"load":         "it talks to a server, which enters what it asks for",
	"ready":        "it shows whether a server is ready",
	"version":      "it shows a number",

	"users reset-second-factor": "entered as user:reset-second-factor: TestRecoveryAfterANewAccountKey",
	"users verify":              "entered as doctor:verify: TestAccountsAtTheCommandLine",
	"users unverify":            "entered as doctor:unverify: TestAccountsAtTheCommandLine",
}

// Every subcommand either leaves an entry of its action in the audit log, with
// who ran it, or is in the list with the reason why not.
func TestCommandsAreEnteredOrHaveAReason(t *testing.T) {
	dir := t.TempDir()
	codes := filepath.Join(dir, "codes.csv")
	if err := os.WriteFile(codes, []byte("code,zh,en\nI10,高血压,Hypertension\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data, restored := filepath.Join(dir, "data"), filepath.Join(dir, "restored")
	archive := filepath.Join(dir, "backup.tar.gz")
	const key, next = "a-master-key-of-32-characters-for-tests", "another-master-key-of-32-characters"
	drugs := filepath.Join(dir, "drugs.csv")
	if err := os.WriteFile(drugs, []byte(`id,en,zh,aliases,atc,classes,strengths,forms,routes,unit,usual,single,day,kgday,stopunder,warnunder,pregnancy,lactation,controlled,visit,ingredients
ours,our own,本院制剂,,,,,,,,,,,,,,,,,,
`), 0o600); err != nil {
		t.Fatal(err)
	}
	does := func(args ...string) (out strings.Builder) {
		t.Helper()
		if code := Run(t.Context(), args, strings.NewReader(""), &out, io.Discard); code != 0 {
			t.Errorf("%v: exit %d", args, code)
		}
		return out
	}
	left := map[string]bool{}
	parser, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(false) {
		left[strings.TrimPrefix(leaf.Path(), "wenzhen ")] = true
	}
	does("admin", "create", "--data", data, "--email", "root@example.org", "--password", "long enough")
	for _, c := range []struct{ command, args, action, at, key string }{
		{"admin create", "--email other@example.org --password long-enough", "admin:create", data, ""},
		{"users list", "", account.Users.Name, data, ""},
		{"users show", "other@example.org", audit.UserShown, data, ""},
		{"users suspend", "other@example.org", account.SuspendUser.Name, data, ""},
		{"users unsuspend", "other@example.org", account.UnsuspendUser.Name, data, ""},
		{"icd10 load", codes, audit.CodesLoaded, data, ""},
		{"drugs load", drugs, audit.DrugsLoaded, data, ""},
		{"audit export", "--to " + archive + ".jsonl", audit.AuditExported, data, ""},
		{"backup", "--to " + archive, audit.BackupMade, data, ""},
		{"restore", "--from " + archive, audit.BackupRestored, restored, ""},
		{"keys rotate", "--encryption-key=" + key, audit.KeyRotated, data, key},
		{"keys encrypt", "--encryption-key=" + key, audit.EncryptedAnew, data, key},
		{"keys rewrap", "--encryption-key=" + key + " --to-key=" + next, audit.KeysRewrapped, data,
			next},
	} {
		does(append(append(strings.Fields(c.command), strings.Fields(c.args)...), "--data", c.at)...)
		export := []string{"audit", "export", "--data", c.at, "--to", "-"}
		if c.key != "" {
			export = append(export, "--encryption-key", c.key)
		}
		out := does(export...)
		if !enteredAtConsole(out.String(), c.action) {
			t.Errorf("%s: no entry %s in\n%s", c.command, c.action, out.String())
		}
		if !left[c.command] {
			t.Errorf("there is no command %s", c.command)
		}
		delete(left, c.command)
	}
	for command := range unentered {
		if !left[command] {
			t.Errorf("%s does not exist, or is entered", command)
		}
		delete(left, command)
	}
	for command := range left {
		t.Errorf("%s is neither entered in the audit log nor in the list of what is not", command)
	}
}

func enteredAtConsole(export, action string) bool {
	for line := range strings.Lines(export) {
		var e audit.LogEntry
		if json.Unmarshal([]byte(line), &e) == nil && e.Action == action && strings.HasPrefix(e.Address, "console:") {
			return true
		}
	}
	return false
}
