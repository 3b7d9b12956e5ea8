// Command wenzhen is a self-hosted online doctor-consultation server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"wenzhen/client/load"
	"wenzhen/client/terminal"
	"wenzhen/rooms/consultation"
	"wenzhen/server"
	"wenzhen/server/app"
	"wenzhen/server/backup"
	"wenzhen/server/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// commands is the command line.
type commands struct {
	Config kong.ConfigFlag `help:"JSON file with settings, named as the flags are." env:"WENZHEN_CONFIG" type:"path"`

	Serve   serveCommand   `cmd:"" default:"withargs" help:"Run the server (default)."`
	Migrate migrateCommand `cmd:"" help:"Bring the database up to date, and stop."`
	Move    moveCommand    `cmd:"" help:"Copy the SQLite database into an empty PostgreSQL database and compare both; the server must be stopped."`
	Backup  backupCommand  `cmd:"" help:"Write an archive of database, attachments and secrets; the server may be running."`
	Restore restoreCommand `cmd:"" help:"Make a data folder of an archive, after checking it."`
	Keys    keysCommand    `cmd:"" help:"Manage the keys of encryption at rest; the server may be running."`
	Audit   auditCommand   `cmd:"" help:"The log of who did or saw what with medical records."`
	Admin   adminCommand   `cmd:"" help:"Administer accounts."`
	Users   usersCommand   `cmd:"" help:"List, suspend and verify accounts; the server may be running."`
	ICD10   icd10Command   `cmd:"" name:"icd10" help:"The table of ICD-10 codes."`
	Chat    chatCommand    `cmd:"" help:"Take part in a consultation from a terminal."`
	Load    loadCommand    `cmd:"" help:"Put a server under load and account for every message."`
	Ready   readyCommand   `cmd:"" help:"Ask a server whether it is ready; the exit code tells (for health checks where there is no shell)."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// console is where a command reads and writes.
type console struct {
	ctx         context.Context
	in          io.Reader
	out, errors io.Writer
}

// run carries out one command line and returns the exit code: 0 for success, 1
// for a failure, 2 for a command line or configuration that makes no sense.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if err := app.ReadSecretFiles(os.Getenv, os.Setenv); err != nil {
		fmt.Fprintln(stderr, "wenzhen:", err)
		return 2
	}
	var commandLine commands
	exit := -1
	parser, err := kong.New(&commandLine, kong.Name("wenzhen"), kong.Description("A self-hosted online doctor-consultation server (问诊)."),
		kong.Configuration(readSettings), kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }), kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(stderr, "wenzhen:", err)
		return 2
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		fmt.Fprintln(stderr, "wenzhen:", err)
		return 2
	}
	if err := command.Run(console{ctx, stdin, stdout, stderr}); err != nil {
		fmt.Fprintln(stderr, "wenzhen:", err)
		return 1
	}
	return 0
}

type serveCommand struct {
	app.Config `embed:""`
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(on console) error {
	debug.SetGCPercent(c.GOGC)
	s, err := app.New(on.ctx, c.Config, logger(c.Config, on.errors))
	if err != nil {
		return err
	}
	fmt.Fprintf(on.out, "Wenzhen is at %s\n", s.URL())
	for _, a := range s.Demo() {
		fmt.Fprintf(on.out, "  demo %-8s %-22s %s\n", a.Role, a.Email, a.Password)
	}
	return s.Run(on.ctx)
}

func logger(c app.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(strings.ToUpper(c.LogLevel))) // one of the flag's enum
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

type migrateCommand struct {
	cli.Place `embed:""`
}

// Run migrates.
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

// Run moves.
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

// Run saves. What could not be saved is told, and is a failure, though the
// archive has all the rest.
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

// Run restores.
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

type adminCommand struct {
	Create adminCreateCommand `cmd:"" help:"Add an admin; the server may be running."`
}

type adminCreateCommand struct {
	cli.Place `embed:""`
	Name      string `default:"Admin" help:"The admin's name."`
	Email     string `required:"" help:"The admin's e-mail address, to log in with."`
	Password  string `required:"" env:"WENZHEN_ADMIN_PASSWORD" help:"The admin's password, 8 to 128 characters."`
}

// Run adds the admin.
func (c *adminCreateCommand) Run(on console) error {
	user, err := cli.CreateAdmin(on.ctx, c.Place, c.Name, c.Email, c.Password, on.log())
	if err != nil {
		return err
	}
	fmt.Fprintf(on.out, "%s is an admin\n", user.Email)
	return nil
}

type icd10Command struct {
	Load icd10LoadCommand `cmd:"" help:"Replace the table of codes by a CSV file whose first line names the columns code, zh and en; the server may be running."`
}

type icd10LoadCommand struct {
	cli.Place `embed:""`
	File      string `arg:"" help:"The table, in UTF-8." type:"existingfile"`
}

// Run loads the table.
func (c *icd10LoadCommand) Run(on console) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	n, err := cli.LoadCodes(on.ctx, c.Place, file, on.log())
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	fmt.Fprintf(on.out, "%d codes\n", n)
	return nil
}

type chatCommand struct {
	As       string          `required:"" help:"Who you are: an e-mail address, or the first part of one of the demo's (bo, jing, wang, li)."`
	Server   string          `default:"http://127.0.0.1:8080" env:"WENZHEN_SERVER" help:"The server's address."`
	Password string          `env:"WENZHEN_PASSWORD" help:"Your password; the demo's when not given."`
	With     consultation.ID `help:"The consultation to join; the latest open one when not given."`
}

// Run talks until /quit or the end of the input.
func (c *chatCommand) Run(on console) error {
	return terminal.Chat(on.ctx, terminal.Options{As: c.As, Server: c.Server, Password: c.Password, With: c.With}, on.in, on.out)
}

type loadCommand struct {
	load.Options `embed:""`
}

// Run measures, prints the result and fails if anything was lost.
func (c *loadCommand) Run(on console) error {
	result, err := load.Run(on.ctx, c.Options, on.out)
	if err == nil && !result.Clean() {
		err = errors.New("messages were lost, doubled or reordered")
	}
	return err
}

type readyCommand struct {
	Server string `default:"http://127.0.0.1:8080" env:"WENZHEN_SERVER" help:"The server's address."`
}

// Run asks, once.
func (c *readyCommand) Run(on console) error {
	return cli.AskReady(on.ctx, c.Server)
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(on console) error {
	_, err := fmt.Fprintln(on.out, "wenzhen", server.Version)
	return err
}
