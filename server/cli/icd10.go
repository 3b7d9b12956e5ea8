package cli

import (
	"context"
	"io"
	"log/slog"

	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/record/icd10"
	"wenzhen.example/rooms/store/engine"
	recordstore "wenzhen.example/rooms/store/record"
	"wenzhen.example/server/database"
)

// LoadCodes replaces the table of ICD-10 codes by one in CSV (icd10.Read) and
// returns how many codes it has. A server that runs on the database takes it in
// with the next search. A table with a mistake leaves the old one; the error
// names the line.
func LoadCodes(ctx context.Context, at Place, table io.Reader, log *slog.Logger) (n int, err error) {
	list, err := icd10.Read(table)
	if err != nil {
		return 0, err
	}
	err = at.with(ctx, log, func(db *engine.DB) error {
		if err := database.EnterAtConsole(ctx, db, audit.CodesLoaded, "icd10"); err != nil {
			return err
		}
		return recordstore.Store{DB: db}.LoadCodes(ctx, list)
	})
	return len(list), err
}
