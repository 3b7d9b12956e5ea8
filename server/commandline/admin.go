package commandline

import (
	"fmt"
	"os"

	"wenzhen.example/server/cli"
)

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

type drugsCommand struct {
	Load drugsLoadCommand `cmd:"" help:"Replace the clinic's table of drugs, which is added to the one that is shipped, by a CSV file (docs/drugs.md); the server may be running."`
}

type drugsLoadCommand struct {
	cli.Place `embed:""`
	File      string `arg:"" help:"The table, in UTF-8." type:"existingfile"`
}

// Run loads the table.
func (c *drugsLoadCommand) Run(on console) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	n, err := cli.LoadDrugs(on.ctx, c.Place, file, on.log())
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	fmt.Fprintf(on.out, "%d drugs\n", n)
	return nil
}
