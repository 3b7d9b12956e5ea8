package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"wenzhen/rooms/record/icd10"
	"wenzhen/rooms/store"
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
	db, err := at.open(ctx, log)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return len(list), store.Records{DB: db}.LoadCodes(ctx, list)
}
