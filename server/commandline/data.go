package commandline

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"wenzhen.example/server/backup"
	"wenzhen.example/server/cli"
)

type migrateCommand struct {
	cli.Place `embed:""`
}

// Run brings the database up to date.
func (c *migrateCommand) Run(on console) error {
	if err := cli.Migrate(on.ctx, c.Place); err != nil {
		return err
	}
	fmt.Fprintln(on.out, "the database is up to date")
	return nil
}

type moveCommand struct {
	cli.Place `embed:""`
	To        string `required:"" env:"WENZHEN_MOVE_TO" help:"URL of the PostgreSQL database, which must be empty."`
}

// Run copies the database and prints how much there was.
func (c *moveCommand) Run(on console) error {
	moved, err := cli.Move(on.ctx, c.Place, c.To)
	if err != nil {
		return err
	}
	var rows int64
	for _, n := range moved {
		rows += n
	}
	fmt.Fprintf(on.out, "moved and compared %d rows of %d tables; serve from now on with --database\n", rows, len(moved))
	return nil
}

type backupCommand struct {
	cli.Place `embed:""`
	To        string `required:"" help:"The archive to write (.tar.gz), which must not be there yet; - writes it to standard output."`
}

// Run writes the archive. It fails if something could not be saved, after all the
// rest has been written.
func (c *backupCommand) Run(on console) error {
	var saved backup.Manifest
	save := func(w io.Writer) (err error) {
		saved, err = cli.Backup(on.ctx, c.Place, w)
		return err
	}
	var err error
	if c.To == "-" {
		err = save(on.out)
	} else {
		err = backup.WriteFile(c.To, save)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(on.errors, "saved %d files as of %s\n", len(saved.Files), saved.At.Format(time.RFC3339))
	if len(saved.Problems) > 0 {
		return fmt.Errorf("the archive is written, but not everything could be saved:\n  %s", strings.Join(saved.Problems, "\n  "))
	}
	return nil
}

type restoreCommand struct {
	From string `required:"" help:"The archive to read; - reads standard input."`
	Data string `required:"" help:"The data folder to make, empty or not there." type:"path"`

	KeepLogins bool `help:"Keep the token key and all logins of the archive, also those that have been ended since; otherwise everyone logs in anew."`
}

// Run makes the data folder.
func (c *restoreCommand) Run(on console) error {
	from := on.in
	if c.From != "-" {
		file, err := os.Open(c.From)
		if err != nil {
			return err
		}
		defer file.Close()
		from = file
	}
	m, err := cli.Restore(on.ctx, from, c.Data, c.KeepLogins)
	if err != nil {
		return err
	}
	for _, problem := range m.Problems {
		fmt.Fprintln(on.errors, "was not in the backup:", problem)
	}
	fmt.Fprintf(on.out, "restored %d files as of %s; serve with --data %s\n", len(m.Files), m.At.Format(time.RFC3339), c.Data)
	return nil
}
