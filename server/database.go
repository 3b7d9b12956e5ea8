package server

import (
	"path/filepath"
	"strings"

	"wenzhen/rooms/store"
)

// What the data folder holds, besides secrets.
const (
	databaseFile      = "wenzhen.db"
	attachmentsFolder = "attachments"
	lockFileName      = "wenzhen.lock"
)

// sqlite, as the setting --database, is the file in the data folder.
const sqlite = "sqlite"

func isDatabase(setting string) bool {
	return setting == sqlite || strings.HasPrefix(setting, "postgres://") || strings.HasPrefix(setting, "postgresql://")
}

// database is where the store finds what --database names.
func database(dir, setting string) store.Options {
	if setting == sqlite {
		return store.Options{Path: filepath.Join(dir, databaseFile)}
	}
	return store.Options{URL: setting}
}
