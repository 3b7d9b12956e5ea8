package database

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	auditstore "wenzhen.example/rooms/store/audit"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/datafolder"
)

// EnterAtConsole enters in the audit log what somebody does at the command line,
// before it is done.
func EnterAtConsole(ctx context.Context, db *engine.DB, action, subject string) error {
	return auditstore.Store{DB: db}.InTx(ctx, func(tx audit.Tx) error {
		return audit.Append(tx, rooms.AtConsole(), Now(), action, subject, nil)
	})
}

// pending is an entry that the next process enters which opens the database: who
// makes or restores a backup or moves the database may not have the key to it, and
// the database may have the form of an earlier version.
type pending struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Action string    `json:"action"`
}

const pendingEnd = ".audit-entry"

// EnterLater writes an entry into a data folder, where EnterPending finds it.
func EnterLater(dir, action string, at time.Time) error {
	content, err := json.Marshal(pending{rooms.AtConsole().Address, at, action})
	if err != nil {
		return err
	}
	return datafolder.WriteNew(filepath.Join(dir, rooms.NewID(at)+pendingEnd), string(content))
}

// EnterPending enters what EnterLater has written into a data folder. An entry
// whose file cannot be removed is entered again, rather than not at all.
func EnterPending(ctx context.Context, db *engine.DB, dir string) error {
	list, err := filepath.Glob(filepath.Join(dir, "*"+pendingEnd))
	if err != nil {
		return err
	}
	for _, path := range list {
		content, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // another process has just entered it
		} else if err != nil {
			return err
		}
		var p pending
		if err := json.Unmarshal(content, &p); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		err = auditstore.Store{DB: db}.InTx(ctx, func(tx audit.Tx) error {
			return audit.Append(tx, rooms.Actor{Role: rooms.RoleAdmin, Address: p.By}, p.At, p.Action, "database", nil)
		})
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
