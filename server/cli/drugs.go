package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/record/drug"
	"wenzhen.example/rooms/store/engine"
	recordstore "wenzhen.example/rooms/store/record"
	"wenzhen.example/server/database"
)

// tableMost bounds the size of a table of drugs, in bytes.
const tableMost = 32 << 20

// LoadDrugs replaces the clinic's table of drugs by one in CSV (drug.Read) and
// returns how many drugs it has. A server that runs on the database takes it in
// with the next search or check. A table with a mistake leaves the old one; the
// error names the line.
func LoadDrugs(ctx context.Context, at Place, table io.Reader, log *slog.Logger) (n int, err error) {
	text, err := io.ReadAll(io.LimitReader(table, tableMost+1))
	if err != nil {
		return 0, err
	}
	if len(text) > tableMost {
		return 0, fmt.Errorf("a table may have at most %d MB", tableMost>>20)
	}
	list, err := drug.Read(strings.NewReader(string(text)))
	if err != nil {
		return 0, err
	}
	err = at.with(ctx, log, func(db *engine.DB) error {
		if err := database.EnterAtConsole(ctx, db, audit.DrugsLoaded, "drugs"); err != nil {
			return err
		}
		return recordstore.Store{DB: db}.LoadDrugs(ctx, string(text))
	})
	return len(list), err
}
