package database

import (
	"encoding/json"

	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/rooms/vault"
	"wenzhen.example/server/datafolder"
)

// headFile has the end of the audit log as it was signed a while ago, so that a
// database that was put into an older state while no server ran is noticed.
// Backups do not have it.
const headFile = "audit.head"

// SignAudit has the audit log signed with the key of a data folder, and compared
// with the end of the log that is kept there, which it returns.
func SignAudit(db *engine.DB, dir string, key []byte) (audit.Head, error) {
	kept, err := KeptHead(dir, key)
	if err == nil {
		db.SignAudit(key)
		db.SeeAudit(kept.Num, kept.SHA256)
	}
	return kept, err
}

// KeptHead returns the end of the audit log that is kept in a data folder; a zero
// Head if there is none that was signed with key.
func KeptHead(dir string, key []byte) (audit.Head, error) {
	text, err := unencrypted(dir).Read(headFile)
	if text == "" || len(key) == 0 || err != nil {
		return audit.Head{}, err
	}
	var head audit.Head
	if json.Unmarshal([]byte(text), &head) != nil || !head.Signed(key) {
		return audit.Head{}, nil
	}
	return head, nil
}

// KeepHead keeps an end of the audit log in a data folder. It must be committed
// and on disk in the database: a crash must not leave a later one here than there. One that is kept already
// stays if it is later: another node has kept it.
func KeepHead(dir string, key []byte, head audit.Head) error {
	kept, err := KeptHead(dir, key)
	if err != nil || kept.Num >= head.Num && kept.BrokenLast == head.BrokenLast && kept.Signature != "" {
		return err
	}
	content, err := json.Marshal(head)
	if err != nil {
		return err
	}
	return unencrypted(dir).Put(headFile, string(content))
}

func unencrypted(dir string) datafolder.Secrets {
	return datafolder.Secrets{Dir: dir, Vault: vault.New(nil)}
}
