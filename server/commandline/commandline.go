// Package commandline is the command line of Wenzhen: its commands, with their
// flags and settings. A command runs a server (server/app), works on the data
// without one (server/cli), or is a client.
package commandline

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"

	"wenzhen.example/server"
	"wenzhen.example/server/app"
)

// commands is the command line.
type commands struct {
	Config kong.ConfigFlag `help:"JSON file with settings, named as the flags are." env:"WENZHEN_CONFIG" type:"path"`

	Serve   serveCommand    `cmd:"" default:"withargs" help:"Run the server (default)."`
	Migrate migrateCommand  `cmd:"" help:"Bring the database up to date, and stop."`
	Move    moveCommand     `cmd:"" help:"Copy the SQLite database into an empty PostgreSQL database and compare both; the server must be stopped."`
	Backup  backupCommand   `cmd:"" help:"Write an archive of database, attachments and secrets; the server may be running."`
	Restore restoreCommand  `cmd:"" help:"Make a data folder of an archive, after checking it."`
	Keys    keysCommand     `cmd:"" help:"Manage the keys of encryption at rest; the server may be running."`
	Audit   auditCommand    `cmd:"" help:"The log of who did or saw what with medical records."`
	Admin   adminCommand    `cmd:"" help:"Administer accounts."`
	Users   usersCommand    `cmd:"" help:"List, suspend and verify accounts; the server may be running."`
	ICD10   icd10Command    `cmd:"" name:"icd10" help:"The table of ICD-10 codes."`
	Drugs   drugsCommand    `cmd:"" help:"The table of drugs."`
	Chat    terminalCommand `cmd:"" help:"Take part in a consultation from a terminal."`
	Load    loadCommand     `cmd:"" help:"Put a server under load and account for every message."`
	Ready   readyCommand    `cmd:"" help:"Ask a server whether it is ready; the exit code tells (for health checks where there is no shell)."`
	Version versionCommand  `cmd:"" help:"Print the version."`
}

// console is where a command reads and writes.
type console struct {
	ctx         context.Context
	in          io.Reader
	out, errors io.Writer
}

// log is for what a command has to say besides its answer.
func (c console) log() *slog.Logger { return slog.New(slog.NewTextHandler(c.errors, nil)) }

// Run runs one command line and returns the exit code: 0 for success, 1
// for a failure, 2 for a command line or configuration that makes no sense.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if err := app.ReadSecretFiles(os.Getenv, os.Setenv); err != nil {
		fmt.Fprintln(stderr, "wenzhen:", err)
		return 2
	}
	var commandLine commands
	exit := -1
	parser, err := kong.New(&commandLine, kong.Name("wenzhen"), kong.Description("A self-hosted online doctor-consultation server (问诊)."),
		kong.Configuration(readSettings), durations, kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }), kong.UsageOnError())
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

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(on console) error {
	_, err := fmt.Fprintln(on.out, "wenzhen", server.Version)
	return err
}
