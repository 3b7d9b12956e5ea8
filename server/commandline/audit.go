package commandline

import (
	"fmt"
	"io"
	"os"

	"wenzhen.example/rooms/audit"
	"wenzhen.example/server/backup"
	"wenzhen.example/server/cli"
)

// auditCommand is about the log of who did or saw what.
type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Verify the chain of the audit log, of the database or of an export; the exit code is not 0 if it is broken. The server may be running."`
	Export auditExportCommand `cmd:"" help:"Write the audit log as JSON Lines; the server may be running."`
}

type auditVerifyCommand struct {
	cli.Place `embed:""`
	From      string `xor:"file" help:"An exported log to look at instead of the database; - reads standard input."`
	Against   string `xor:"file" help:"An earlier export, kept where nobody could change it: the database must have each of its entries as they were. Rewriting and cutting are noticed."`
}

// Run verifies, and fails if the chain is broken.
func (c *auditVerifyCommand) Run(on console) error {
	var v audit.Verdict
	var compared int64
	var err error
	switch {
	case c.From == "-":
		v, err = cli.VerifyExportedAudit(on.in)
	case c.From != "":
		v, err = withFile(c.From, cli.VerifyExportedAudit)
	default:
		v, err = cli.VerifyAudit(on.ctx, c.Place, on.log())
	}
	if err == nil && v.OK && c.Against != "" {
		var earlier audit.Verdict
		earlier, err = withFile(c.Against, func(r io.Reader) (audit.Verdict, error) { return cli.CompareAudit(on.ctx, c.Place, r, on.log()) })
		compared = earlier.Entries
		if err == nil && !earlier.OK {
			v = earlier
		}
	}
	switch {
	case err != nil:
		return err
	case !v.OK:
		return fmt.Errorf("the audit log is broken at entry %d: %s", v.BrokenAt, v.Why)
	}
	fmt.Fprintf(on.out, "the audit log is sound: %d entries\n", v.Entries)
	if v.SignedFrom > 0 {
		fmt.Fprintf(on.out, "entries before %d are from before this server's key; only an earlier export (--against) shows that nobody rewrote them\n", v.SignedFrom)
	}
	if c.Against != "" {
		fmt.Fprintf(on.out, "it has all %d entries of the earlier export\n", compared)
	}
	return nil
}

func withFile(path string, read func(io.Reader) (audit.Verdict, error)) (audit.Verdict, error) {
	file, err := os.Open(path)
	if err != nil {
		return audit.Verdict{}, err
	}
	defer file.Close()
	return read(file)
}

type auditExportCommand struct {
	cli.Place `embed:""`
	To        string `required:"" help:"The file to write, which must not be there yet; - writes to standard output."`
}

// Run writes the log.
func (c *auditExportCommand) Run(on console) error {
	var n int64
	export := func(w io.Writer) (err error) {
		n, err = cli.ExportAudit(on.ctx, c.Place, w, on.log())
		return err
	}
	var err error
	if c.To == "-" {
		err = export(on.out)
	} else {
		err = backup.WriteFile(c.To, export)
	}
	if err == nil {
		fmt.Fprintf(on.errors, "exported %d entries\n", n)
	}
	return err
}
